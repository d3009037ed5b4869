//! Names: what is looked up, listed, made, removed and renamed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;

use rustix::io::Errno;

use super::{Attributes, Inode, Store};
use crate::disk::Zone;
use crate::disk::content::{BLOCK, Content};

impl Store {
    fn child(&self, parent: u64, name: &OsStr) -> io::Result<u64> {
        if !self.is_powered {
            return Err(Errno::IO.into());
        }
        Ok(self.names.get(parent, name).ok_or(Errno::NOENT)?)
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
            return Err(self.refused(Errno::NOSPC));
        }
        self.last += 1;
        let number = self.last;
        if !is_directory {
            File::create_new(self.object(number))?;
        }
        let path = format!("{above}/{}", name.to_string_lossy());
        let content = (!is_directory).then(Content::default);
        let inode = Inode::new(content, mode, path);
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
}
