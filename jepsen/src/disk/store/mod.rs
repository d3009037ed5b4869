//! What a disk holds: bytes of files in a folder underneath, names and what of all of it is durable in memory.
//!
//! What can be done with it is in `tree` (names), `bytes` (of files) and `durable` (syncs, and loss of power).

mod bytes;
mod durable;
mod tree;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustix::io::Errno;

use super::content::{BLOCK, Content};
use super::names::Names;
use super::{Faults, Zone};

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

impl Inode {
    /// Just made, under its first name.
    fn new(content: Option<Content>, mode: u16, path: String) -> Self {
        Self {
            content,
            mode,
            modified: SystemTime::now(),
            zone: Zone::of(&path),
            path,
            opened: 0,
            file: None,
        }
    }
}

/// What a disk holds.
#[derive(Debug)]
pub struct Store {
    objects: PathBuf,
    names: Names,
    inodes: HashMap<u64, Inode>,
    last: u64,
    faults: Faults,
    /// Calls that failed by command.
    refusals: u64,
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
        let root = Inode::new(None, 0o755, String::new());
        Ok(Self {
            objects: objects.to_owned(),
            names: Names::default(),
            inodes: HashMap::from([(ROOT, root)]),
            last: ROOT,
            faults: Faults::default(),
            refusals: 0,
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

    /// Calls that failed by command so far.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.refusals
    }

    fn refused(&mut self, errno: Errno) -> io::Error {
        self.refusals += 1;
        errno.into()
    }

    /// What it does wrong from now on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// From now on, for good, syncs of files of a zone do nothing and say that all is well: for those who test the tests.
    pub fn lie_about(&mut self, zone: Zone) {
        self.lies_about = Some(zone);
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

    /// Looks at what everything is called now.
    fn find_zones(&mut self) {
        let inodes = &mut self.inodes;
        self.names.walk(ROOT, |path, number| {
            if let Some(inode) = inodes.get_mut(&number) {
                inode.path = format!("/{}", path.display());
                inode.zone = Zone::of(&inode.path);
            }
        });
    }
}
