//! What outlives a loss of power: what was synced, and what of the rest the disk had got round to.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;

use super::{ROOT, Store};
use crate::disk::Survival;

impl Store {
    /// How much longer than usual a sync of it takes.
    #[must_use]
    pub fn delay(&self, number: u64) -> Option<Duration> {
        self.faults.delay(self.inodes.get(&number)?.zone)
    }

    /// Makes the bytes of a file durable, or the names in a directory.
    ///
    /// # Errors
    /// When it is to fail: what it was to make durable never will be.
    pub fn sync(&mut self, number: u64) -> io::Result<()> {
        let inode = self.inode(number)?;
        let zone = inode.zone;
        let fails = self.faults.sync_fails.contains(&zone);
        let lies = self.lies_about == Some(zone);
        match self.inode(number)?.content.as_mut() {
            Some(content) if fails => {
                content.sync_failed();
                return Err(self.refused(Errno::IO));
            }
            Some(_) if lies => {}
            Some(content) => content.sync(),
            None => {
                self.names.sync(number);
                self.collect();
            }
        }
        Ok(())
    }

    /// Everything there is becomes durable: what operators do is not what is tested.
    pub fn sync_everything(&mut self) {
        for inode in self.inodes.values_mut() {
            if let Some(content) = &mut inode.content {
                content.sync();
            }
        }
        self.names.sync_all();
        self.collect();
    }

    /// From now on nothing is read, written or synced any more.
    pub fn cut_power(&mut self) {
        self.is_powered = false;
    }

    /// Power is back, and what was not durable is gone. Nobody has a file open.
    ///
    /// # Errors
    /// When the bytes underneath cannot be changed.
    pub fn restore_power(&mut self, how: &mut Survival<'_>) -> io::Result<()> {
        self.names.lose(how);
        let mut numbers: Vec<u64> = self.inodes.keys().copied().collect();
        // What survives is the seed's choice, not that of a hash table.
        numbers.sort_unstable();
        for number in numbers {
            let path = self.object(number);
            let inode = self.inodes.get_mut(&number);
            let Some(content) = inode.and_then(|it| it.content.as_mut()) else {
                continue;
            };
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            content.lose(&file, how)?;
        }
        self.find_zones();
        self.is_powered = true;
        self.collect();
        Ok(())
    }

    /// Puts everything into a folder as it is named, and takes the folder underneath away.
    ///
    /// # Errors
    /// When files cannot be moved.
    pub fn lay_out(&self, to: &Path) -> io::Result<()> {
        fs::create_dir_all(to)?;
        let mut done = Ok(());
        self.names.walk(ROOT, |path, number| {
            let target = to.join(path);
            let is_file = self
                .inodes
                .get(&number)
                .is_some_and(|it| it.content.is_some());
            let put = if is_file {
                fs::hard_link(self.object(number), target)
            } else {
                fs::create_dir_all(target)
            };
            if done.is_ok() {
                done = put;
            }
        });
        done?;
        fs::remove_dir_all(&self.objects)
    }
}
