//! The kernel's questions, answered by a [`Store`].
//!
//! Nothing is cached by the kernel (no time to live, no page cache), so that a fault and a loss of power are seen at
//! once. Locks of files are the kernel's own.

use std::ffi::OsStr;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::content::BLOCK;
use super::store::{Attributes, Store};

const KEEP_SIZE: i32 = 1;
const PUNCH_HOLE: i32 = 2;
const ZERO_RANGE: i32 = 16;
const LIFE: Duration = Duration::ZERO;
/// `O_DSYNC`, which `O_SYNC` includes.
const SYNCED_WRITES: i32 = 0o10000;

/// Shared with whoever breaks the disk.
pub(super) type Shared = Arc<Mutex<Store>>;

pub(super) fn lock(store: &Shared) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The file system of one disk.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) store: Shared,
}

fn of(found: &Attributes) -> FileAttr {
    let kind = if found.is_directory {
        FileType::Directory
    } else {
        FileType::RegularFile
    };
    FileAttr {
        ino: INodeNo(found.number),
        size: found.length,
        blocks: found.length.div_ceil(512),
        atime: found.modified,
        mtime: found.modified,
        ctime: found.modified,
        crtime: found.modified,
        kind,
        perm: found.mode,
        nlink: found.links,
        uid: rustix::process::getuid().as_raw(),
        gid: rustix::process::getgid().as_raw(),
        rdev: 0,
        blksize: BLOCK as u32,
        flags: 0,
    }
}

fn entry(found: io::Result<Attributes>, reply: ReplyEntry) {
    match found {
        Ok(found) => reply.entry(&LIFE, &of(&found), Generation(0)),
        Err(error) => reply.error(error.into()),
    }
}

fn empty(done: io::Result<()>, reply: ReplyEmpty) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error.into()),
    }
}

impl Server {
    fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    /// A sync that takes long must not keep others from being answered.
    fn sync(&self, number: u64, reply: ReplyEmpty) {
        let delay = self.store().delay(number);
        let Some(delay) = delay else {
            return empty(self.store().sync(number), reply);
        };
        let store = Arc::clone(&self.store);
        std::thread::spawn(move || {
            std::thread::sleep(delay);
            let done = lock(&store).sync(number);
            empty(done, reply);
        });
    }
}

impl Filesystem for Server {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        entry(self.store().look_up(parent.0, name), reply);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.store().attributes(ino.0) {
            Ok(found) => reply.attr(&LIFE, &of(&found)),
            Err(error) => reply.error(error.into()),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        // Of permissions, owners and times nothing here depends.
        let mut store = self.store();
        let resized = size.map_or(Ok(()), |size| store.resize(ino.0, size));
        match resized.and_then(|()| store.attributes(ino.0)) {
            Ok(found) => reply.attr(&LIFE, &of(&found)),
            Err(error) => reply.error(error.into()),
        }
    }

    fn mkdir(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let mode = (mode & !umask & 0o7777) as u16;
        entry(self.store().make(parent.0, name, mode, true), reply);
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let mode = (mode & !umask & 0o7777) as u16;
        let mut store = self.store();
        let made = store.make(parent.0, name, mode, false);
        let opened = made.and_then(|made| store.open(made.number).map(|()| made));
        match opened {
            Ok(found) => reply.created(
                &LIFE,
                &of(&found),
                Generation(0),
                FileHandle(0),
                FopenFlags::FOPEN_DIRECT_IO,
            ),
            Err(error) => reply.error(error.into()),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.store().remove(parent.0, name, false), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.store().remove(parent.0, name, true), reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let no_replace = RenameFlags::RENAME_NOREPLACE;
        if !(flags & !no_replace).is_empty() {
            return reply.error(Errno::EINVAL);
        }
        let (from, to) = ((parent.0, name), (newparent.0, newname));
        let replaces = !flags.contains(no_replace);
        empty(self.store().rename(from, to, replaces), reply);
    }

    fn link(
        &self,
        _: &Request,
        ino: INodeNo,
        newparent: INodeNo,
        newname: &OsStr,
        reply: ReplyEntry,
    ) {
        entry(self.store().link(ino.0, newparent.0, newname), reply);
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.store().open(ino.0) {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO),
            Err(error) => reply.error(error.into()),
        }
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.store().close(ino.0);
        reply.ok();
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let read = self.store().read(ino.0, offset, size as usize);
        match read {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error.into()),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        flags: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut store = self.store();
        let mut written = store.write(ino.0, offset, data);
        if flags.0 & SYNCED_WRITES != 0 && written.is_ok() {
            written = store.sync(ino.0).and(written);
        }
        match written {
            Ok(count) => reply.written(count as u32),
            Err(error) => reply.error(error.into()),
        }
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.sync(ino.0, reply);
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.sync(ino.0, reply);
    }

    fn fallocate(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let end = offset.saturating_add(length);
        let keeps_length = mode & KEEP_SIZE != 0;
        let mut store = self.store();
        let done = match mode & !KEEP_SIZE {
            0 => store.allocate(ino.0, end, keeps_length),
            PUNCH_HOLE | ZERO_RANGE => store.zero(ino.0, offset, end).and_then(|()| {
                let grows = !keeps_length && mode & ZERO_RANGE != 0;
                if grows {
                    store.allocate(ino.0, end, false)
                } else {
                    Ok(())
                }
            }),
            _ => return reply.error(Errno::EOPNOTSUPP),
        };
        empty(done, reply);
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listed = match self.store().list(ino.0) {
            Ok(listed) => listed,
            Err(error) => return reply.error(error.into()),
        };
        // Positions are numbers of files, so that a name that goes meanwhile hides no other.
        let mut entries: Vec<(u64, &OsStr, FileType)> = vec![
            (1, OsStr::new("."), FileType::Directory),
            (2, OsStr::new(".."), FileType::Directory),
        ];
        let kind = |is_directory| match is_directory {
            true => FileType::Directory,
            false => FileType::RegularFile,
        };
        let named = listed.iter();
        entries.extend(named.map(|(name, number, is)| (number + 2, name.as_os_str(), kind(*is))));
        entries.sort_by_key(|(position, name, _)| (*position, *name));
        for (position, name, kind) in entries {
            let number = if position <= 2 { ino.0 } else { position - 2 };
            if position > offset && reply.add(INodeNo(number), position, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let (all, free) = self.store().room();
        let (all, free) = (all / BLOCK, free / BLOCK);
        reply.statfs(
            all,
            free,
            free,
            1 << 20,
            1 << 20,
            BLOCK as u32,
            255,
            BLOCK as u32,
        );
    }
}
