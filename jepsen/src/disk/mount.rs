//! A disk with a place in the tree of directories, from mount to unmount.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};

use fuser::{BackgroundSession, Config, MountOption};

use super::serve::{Server, lock};
use super::{Store, Survival};

/// What the sources of our mounts begin with; the number of the process follows.
const SOURCE: &str = "jepsen-disk-";
/// Threads that answer the kernel, for each disk.
const THREADS: usize = 2;

/// A disk that is mounted. Dropping it unmounts it and lays its files out where they can be looked at.
#[derive(Debug)]
pub struct Disk {
    store: Arc<Mutex<Store>>,
    at: PathBuf,
    lay_out: PathBuf,
    session: Option<BackgroundSession>,
}

impl Disk {
    /// Mounts an empty disk at `at`; its bytes are kept in `objects`, and at the end its files are put into `lay_out`.
    ///
    /// # Errors
    /// Without the right to mount: root, or the program `fusermount3`; or without `/dev/fuse`.
    pub fn mount(at: &Path, objects: &Path, lay_out: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(at)?;
        let store = Arc::new(Mutex::new(Store::new(objects)?));
        let mut config = Config::default();
        config.mount_options = vec![
            MountOption::FSName(format!("{SOURCE}{}", std::process::id())),
            MountOption::Subtype("jepsen".into()),
            MountOption::DefaultPermissions,
        ];
        config.n_threads = Some(THREADS);
        let server = Server {
            store: Arc::clone(&store),
        };
        let session = fuser::spawn_mount(server, at, &config)?;
        Ok(Self {
            store,
            at: at.to_owned(),
            lay_out: lay_out.to_owned(),
            session: Some(session),
        })
    }

    /// What is on it.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    /// Power is back; what was not durable is gone.
    ///
    /// # Errors
    /// When the bytes underneath cannot be changed.
    pub fn restore_power(&self, how: &mut Survival<'_>) -> io::Result<()> {
        self.store().restore_power(how)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(session) = self.session.take()
            && let Err(error) = session.umount_and_join()
        {
            eprintln!("jepsen: {} stays mounted: {error}", self.at.display());
            return;
        }
        let store = self.store();
        if let Err(error) = store.lay_out(&self.lay_out) {
            let at = self.lay_out.display();
            eprintln!("jepsen: the files of a disk cannot be put into {at}: {error}");
        }
        drop(store);
        // Only a place to mount at; empty now.
        let _ = std::fs::remove_dir(&self.at);
    }
}

/// Whether disks can be mounted here: why not, otherwise.
///
/// # Errors
/// What is missing, in words.
pub fn available() -> io::Result<()> {
    let missing = |what: &str| Err(io::Error::new(io::ErrorKind::Unsupported, what));
    if !Path::new("/dev/fuse").exists() {
        return missing("there is no /dev/fuse: load the kernel's module fuse");
    }
    let is_root = rustix::process::geteuid().is_root();
    let has_helper = || {
        Command::new("fusermount3")
            .arg("--version")
            .output()
            .is_ok()
    };
    if !is_root && !has_helper() {
        return missing("only root mounts without the program fusermount3: install fuse3");
    }
    Ok(())
}

/// Unmounts what runs that were ended by force have left behind: mounts of ours whose process is gone.
pub fn sweep() {
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mounts") else {
        return;
    };
    for line in mounts.lines() {
        let mut words = line.split(' ');
        let (Some(source), Some(at)) = (words.next(), words.next()) else {
            continue;
        };
        let Some(process) = source.strip_prefix(SOURCE) else {
            continue;
        };
        if Path::new("/proc").join(process).exists() {
            continue;
        }
        let unmount = |program: &str, flags: &[&str]| {
            let done = Command::new(program).args(flags).arg(at).output();
            done.is_ok_and(|output| output.status.success())
        };
        let _ = unmount("umount", &["-l"]) || unmount("fusermount3", &["-u", "-z"]);
    }
}
