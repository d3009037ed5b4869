//! What a disk holds: bytes of files in a folder underneath, names and what of all of it is durable in memory.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::io::Errno;

use super::content::{BLOCK, Content};
use super::names::Names;
use super::{Faults, Survival, Zone};

/// The directory that everything is in.
pub(super) const ROOT: u64 = 1;
/// Bytes that a disk without faults offers: more than a run can fill, and never taken from the machine beforehand.
const ROOMY: u64 = 64 << 30;

/// What is known of a file or directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attributes {
    /// Its number, never given out again.
    pub number: u64,
    /// A directory, or else a file.
    pub is_directory: bool,
    /// Bytes.
    pub length: u64,
    /// Permissions.
    pub mode: u16,
    /// Its names.
    pub links: u32,
    /// Time of the last change of its bytes.
    pub modified: SystemTime,
}

#[derive(Debug)]
struct Inode {
    /// `None` for directories.
    content: Option<Content>,
    mode: u16,
    modified: SystemTime,
    zone: Zone,
    /// Path under the root when it got its last name.
    path: String,
    opened: u32,
    file: Option<Arc<File>>,
}

/// What a disk holds.
#[derive(Debug)]
pub struct Store {
    objects: PathBuf,
    names: Names,
    inodes: HashMap<u64, Inode>,
    last: u64,
    faults: Faults,
    is_powered: bool,
    /// Zone whose syncs do nothing and say that all is well.
    lies_about: Option<Zone>,
}

impl Store {
    /// An empty disk whose bytes are kept in a folder.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(objects: &Path) -> io::Result<Self> {
        fs::create_dir_all(objects)?;
        let root = Inode {
            content: None,
            mode: 0o755,
            modified: SystemTime::now(),
            zone: Zone::Other,
            path: String::new(),
            opened: 0,
            file: None,
        };
        Ok(Self {
            objects: objects.to_owned(),
            names: Names::default(),
            inodes: HashMap::from([(ROOT, root)]),
            last: ROOT,
            faults: Faults::default(),
            is_powered: true,
            lies_about: None,
        })
    }

    fn object(&self, number: u64) -> PathBuf {
        self.objects.join(number.to_string())
    }

    fn inode(&mut self, number: u64) -> io::Result<&mut Inode> {
        if !self.is_powered {
            return Err(Errno::IO.into());
        }
        Ok(self.inodes.get_mut(&number).ok_or(Errno::NOENT)?)
    }

    fn child(&self, parent: u64, name: &OsStr) -> io::Result<u64> {
        if !self.is_powered {
            return Err(Errno::IO.into());
        }
        Ok(self.names.get(parent, name).ok_or(Errno::NOENT)?)
    }

    /// An open file and what is known of its bytes, opened for once when nobody has it open.
    fn file(&mut self, number: u64) -> io::Result<(Arc<File>, &mut Content)> {
        let path = self.object(number);
        let inode = self.inode(number)?;
        let content = inode.content.as_mut().ok_or(Errno::ISDIR)?;
        let file = match &inode.file {
            Some(file) => Arc::clone(file),
            None => {
                let file = OpenOptions::new().read(true).write(true).open(path)?;
                let file = Arc::new(file);
                if inode.opened > 0 {
                    inode.file = Some(Arc::clone(&file));
                }
                file
            }
        };
        Ok((file, content))
    }

    /// What is known of a file or directory.
    ///
    /// # Errors
    /// When there is none, or no power.
    pub fn attributes(&mut self, number: u64) -> io::Result<Attributes> {
        let links = self.names.links(number);
        let inode = self.inode(number)?;
        Ok(Attributes {
            number,
            is_directory: inode.content.is_none(),
            length: inode.content.as_ref().map_or(BLOCK, |it| it.length),
            mode: inode.mode,
            links: if number == ROOT { 1 } else { links },
            modified: inode.modified,
        })
    }

    /// What a name stands for.
    ///
    /// # Errors
    /// When there is none.
    pub fn look_up(&mut self, parent: u64, name: &OsStr) -> io::Result<Attributes> {
        let number = self.child(parent, name)?;
        self.attributes(number)
    }

    /// What a directory holds: names, numbers, and which of them are directories.
    ///
    /// # Errors
    /// Without power.
    pub fn list(&mut self, directory: u64) -> io::Result<Vec<(OsString, u64, bool)>> {
        self.inode(directory)?;
        let inodes = &self.inodes;
        let is_directory = |it: &u64| inodes.get(it).is_some_and(|inode| inode.content.is_none());
        let listed = self.names.list(directory);
        Ok(listed
            .map(|(name, number)| (name.to_owned(), number, is_directory(&number)))
            .collect())
    }

    /// Makes a file or a directory.
    ///
    /// # Errors
    /// When the name is taken or the disk is full.
    pub fn make(
        &mut self,
        parent: u64,
        name: &OsStr,
        mode: u16,
        is_directory: bool,
    ) -> io::Result<Attributes> {
        let above = self.inode(parent)?.path.clone();
        if self.names.get(parent, name).is_some() {
            return Err(Errno::EXIST.into());
        }
        if self.free() < BLOCK {
            return Err(Errno::NOSPC.into());
        }
        self.last += 1;
        let number = self.last;
        if !is_directory {
            File::create_new(self.object(number))?;
        }
        let path = format!("{above}/{}", name.to_string_lossy());
        let inode = Inode {
            content: (!is_directory).then(Content::default),
            mode,
            modified: SystemTime::now(),
            zone: Zone::of(&path),
            path,
            opened: 0,
            file: None,
        };
        self.inodes.insert(number, inode);
        self.names.change(&[(parent, name, Some(number))]);
        self.attributes(number)
    }

    /// Takes a name away.
    ///
    /// # Errors
    /// When there is none, or it is a directory that holds something, or of the other kind.
    pub fn remove(&mut self, parent: u64, name: &OsStr, is_directory: bool) -> io::Result<()> {
        let number = self.child(parent, name)?;
        match (self.inode(number)?.content.is_none(), is_directory) {
            (true, false) => return Err(Errno::ISDIR.into()),
            (false, true) => return Err(Errno::NOTDIR.into()),
            (true, true) if !self.names.is_empty(number) => return Err(Errno::NOTEMPTY.into()),
            _ => {}
        }
        self.names.change(&[(parent, name, None)]);
        self.collect();
        Ok(())
    }

    /// Gives a file another name and takes the old one away, as one step.
    ///
    /// # Errors
    /// When there is none, or what has the name already cannot go.
    pub fn rename(
        &mut self,
        from: (u64, &OsStr),
        to: (u64, &OsStr),
        replaces: bool,
    ) -> io::Result<()> {
        let number = self.child(from.0, from.1)?;
        let above = self.inode(to.0)?.path.clone();
        let is_directory = self.inode(number)?.content.is_none();
        match self.names.get(to.0, to.1) {
            Some(_) if !replaces => return Err(Errno::EXIST.into()),
            Some(other) if other == number => return Ok(()),
            Some(other) if is_directory && !self.names.is_empty(other) => {
                return Err(Errno::NOTEMPTY.into());
            }
            _ => {}
        }
        let steps = [(from.0, from.1, None), (to.0, to.1, Some(number))];
        self.names.change(&steps);
        let path = format!("{above}/{}", to.1.to_string_lossy());
        let inode = self.inode(number)?;
        inode.zone = Zone::of(&path);
        inode.path = path;
        if is_directory {
            self.find_zones();
        }
        self.collect();
        Ok(())
    }

    /// Gives a file one more name.
    ///
    /// # Errors
    /// When there is none, or the name is taken.
    pub fn link(&mut self, number: u64, parent: u64, name: &OsStr) -> io::Result<Attributes> {
        self.inode(number)?;
        if self.names.get(parent, name).is_some() {
            return Err(Errno::EXIST.into());
        }
        self.names.change(&[(parent, name, Some(number))]);
        self.attributes(number)
    }

    /// Somebody has opened a file.
    ///
    /// # Errors
    /// When there is none, or its bytes underneath cannot be opened.
    pub fn open(&mut self, number: u64) -> io::Result<()> {
        self.inode(number)?.opened += 1;
        self.file(number).map(|_| ())
    }

    /// Somebody is done with a file.
    pub fn close(&mut self, number: u64) {
        if let Some(inode) = self.inodes.get_mut(&number) {
            inode.opened = inode.opened.saturating_sub(1);
            if inode.opened == 0 {
                inode.file = None;
                self.collect();
            }
        }
    }

    /// Reads up to so many bytes at an offset.
    ///
    /// # Errors
    /// Of a read that fails by command.
    pub fn read(&mut self, number: u64, at: u64, size: usize) -> io::Result<Vec<u8>> {
        let zone = self.inode(number)?.zone;
        if self.faults.read_fails.contains(&zone) {
            return Err(Errno::IO.into());
        }
        let (file, content) = self.file(number)?;
        let size = content.length.saturating_sub(at).min(size as u64);
        let mut bytes = vec![0; size as usize];
        file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }

    /// Writes bytes at an offset; how many have found room.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write(&mut self, number: u64, at: u64, bytes: &[u8]) -> io::Result<usize> {
        let free = self.free();
        let (file, content) = self.file(number)?;
        let end = at + bytes.len() as u64;
        let missing = end.saturating_sub(content.length).saturating_sub(free);
        let fits = (bytes.len() as u64).saturating_sub(missing) as usize;
        if fits == 0 && !bytes.is_empty() {
            return Err(Errno::NOSPC.into());
        }
        content.write(&file, at, &bytes[..fits])?;
        self.inode(number)?.modified = SystemTime::now();
        Ok(fits)
    }

    /// Makes a file longer or shorter.
    ///
    /// # Errors
    /// When there is none.
    pub fn resize(&mut self, number: u64, length: u64) -> io::Result<()> {
        let (file, content) = self.file(number)?;
        content.resize(&file, length)?;
        self.inode(number)?.modified = SystemTime::now();
        Ok(())
    }

    /// Sets room aside for a range; a hole is not counted as free again.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn allocate(&mut self, number: u64, end: u64, keeps_length: bool) -> io::Result<()> {
        let free = self.free();
        let (file, content) = self.file(number)?;
        let more = end.saturating_sub(content.length);
        if more > free {
            return Err(Errno::NOSPC.into());
        }
        if more > 0 && !keeps_length {
            content.resize(&file, end)?;
        }
        Ok(())
    }

    /// Writes zeros over a range inside the file.
    ///
    /// # Errors
    /// When there is none.
    pub fn zero(&mut self, number: u64, from: u64, to: u64) -> io::Result<()> {
        let (file, content) = self.file(number)?;
        let mut at = from;
        let to = to.min(content.length);
        while at < to {
            let size = (to - at).min(1 << 20);
            content.write(&file, at, &vec![0; size as usize])?;
            at += size;
        }
        Ok(())
    }

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
                return Err(Errno::IO.into());
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

    /// Bytes there are, and bytes that are free.
    #[must_use]
    pub fn room(&self) -> (u64, u64) {
        let capacity = self.faults.full.map_or(ROOMY, |full| full.capacity);
        (ROOMY, capacity.saturating_sub(self.used()))
    }

    fn free(&self) -> u64 {
        self.room().1
    }

    /// Bytes of all files.
    #[must_use]
    pub fn used(&self) -> u64 {
        let contents = self.inodes.values().filter_map(|it| it.content.as_ref());
        contents
            .map(|content| content.length.next_multiple_of(BLOCK))
            .sum()
    }

    /// What it does wrong from now on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// From now on, for good, syncs of files of a zone do nothing and say that all is well: for those who test the tests.
    pub fn lie_about(&mut self, zone: Zone) {
        self.lies_about = Some(zone);
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

    /// Forgets what nothing leads to and nobody has open.
    fn collect(&mut self) {
        let reachable = self.names.reachable(ROOT);
        let objects = &self.objects;
        self.inodes.retain(|number, inode| {
            let stays = inode.opened > 0 || reachable.contains(number);
            if !stays && inode.content.is_some() {
                // Left behind it only takes room until the run's folder goes.
                let _ = fs::remove_file(objects.join(number.to_string()));
            }
            stays
        });
        self.names.keep(&reachable);
    }

    fn find_zones(&mut self) {
        let inodes = &mut self.inodes;
        self.names.walk(ROOT, |path, number| {
            if let Some(inode) = inodes.get_mut(&number) {
                inode.path = format!("/{}", path.display());
                inode.zone = Zone::of(&inode.path);
            }
        });
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
