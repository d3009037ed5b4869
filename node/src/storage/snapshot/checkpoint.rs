//! Taking a checkpoint and making a snapshot of it.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::manifest::{MANIFEST_NAME, Manifest, ManifestFile};
use crate::cold;
use crate::storage::config::Config;
use crate::storage::error::{Error, step};
use crate::storage::files;
use crate::storage::generation::Layout;
use crate::storage::shared::{Shared, lock};
use crate::storage::{AppliedState, LogId};

const BUILDING: &str = "building-";

/// A window sealed for a snapshot; its checkpoint is taken when its run is committed.
#[derive(Clone)]
pub struct SealTicket {
    inner: Arc<Ticket>,
}

struct Ticket {
    applied: AppliedState,
    state: Mutex<TicketState>,
    changed: Condvar,
}

enum TicketState {
    Waiting,
    /// Linked into a directory, nothing else.
    Taken(PathBuf),
    Cancelled(String),
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        // Not there any more when a snapshot was made of it.
        if let TicketState::Taken(dir) = state
            && let Err(error) = files::remove_dir(dir)
        {
            tracing::warn!(%error, "an unused checkpoint stays until the next start");
        }
    }
}

impl SealTicket {
    /// A ticket for the snapshot of exactly what is applied now.
    pub fn new(applied: AppliedState) -> Self {
        let inner = Ticket {
            applied,
            state: Mutex::new(TicketState::Waiting),
            changed: Condvar::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// What the snapshot will contain.
    pub fn applied(&self) -> &AppliedState {
        &self.inner.applied
    }

    fn settle(&self, state: TicketState) {
        *lock(&self.inner.state) = state;
        self.inner.changed.notify_all();
    }

    pub(crate) fn cancel(&self, why: &str) {
        self.settle(TicketState::Cancelled(why.into()));
    }

    fn wait(&self, shared: &Shared) -> Result<PathBuf, Error> {
        let mut state = lock(&self.inner.state);
        loop {
            match &*state {
                TicketState::Taken(dir) => return Ok(dir.clone()),
                TicketState::Cancelled(why) => return Err(Error::Snapshot(why.clone())),
                TicketState::Waiting => {}
            }
            shared.check()?;
            if lock(&shared.queue).stopping {
                return Err(Error::Cancelled("storage is shutting down"));
            }
            let pause = std::time::Duration::from_millis(50);
            state = self
                .inner
                .changed
                .wait_timeout(state, pause)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// A complete snapshot on disk. Its directory goes when a newer one has replaced it and nobody holds this any more.
#[derive(Debug)]
pub struct Checkpoint {
    dir: PathBuf,
    manifest: Manifest,
    doomed: AtomicBool,
    condemned: AtomicBool,
}

impl Checkpoint {
    fn new(dir: PathBuf, manifest: Manifest) -> Self {
        Self {
            dir,
            manifest,
            doomed: AtomicBool::new(false),
            condemned: AtomicBool::new(false),
        }
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What it is.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its files are not what its manifest says: it is not to be used again, and a new one takes its place.
    pub fn condemn(&self) {
        self.condemned.store(true, Ordering::Release);
    }

    pub(crate) fn is_condemned(&self) -> bool {
        self.condemned.load(Ordering::Acquire)
    }

    /// Opens the file at a position of [`Manifest::files`], for sending it.
    ///
    /// # Errors
    /// When there is no such position or the disk refuses.
    pub fn open(&self, position: usize) -> Result<File, Error> {
        let file = self.manifest.files.get(position);
        let file =
            file.ok_or_else(|| Error::Snapshot(format!("no file {position} in this snapshot")))?;
        let path = self.dir.join(&file.name);
        File::open(&path).map_err(|error| Error::io("open", &path, error))
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        if self.doomed.load(Ordering::Acquire)
            && let Err(error) = files::remove_dir(&self.dir)
        {
            tracing::warn!(%error, "an old snapshot stays until the next start");
        }
    }
}

fn name(id: LogId) -> String {
    format!("{}-{}", id.term, id.index)
}

/// Links the state as it is after the last commit. Run writer only, so no run is half in.
pub(crate) fn take(shared: &Shared, ticket: &SealTicket) -> Result<(), Error> {
    if Arc::strong_count(&ticket.inner) == 1 {
        return Ok(());
    }
    let published = shared.published();
    let Some(log_id) = ticket
        .inner
        .applied
        .log_id
        .filter(|id| published.committed == Some(*id))
    else {
        ticket.cancel("its run was abandoned");
        return Ok(());
    };
    // A name of its own: another ticket for the same entry may be dropped meanwhile, and takes its directory along.
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    let number = TAKEN.fetch_add(1, Ordering::Relaxed);
    let dir = shared
        .layout
        .snapshots()
        .join(format!("{BUILDING}{}-{number}", name(log_id)));
    files::remove_dir(&dir)?;
    step("storage.checkpoint.begin")?;
    published.database.checkpoint(&dir)?;
    step("storage.checkpoint.linked")?;
    ticket.settle(TicketState::Taken(dir));
    Ok(())
}

/// Waits for the checkpoint of `ticket` and makes it the current snapshot. The caller's thread reads the files that
/// are new since the last one, for their checksums.
pub(crate) fn build(shared: &Shared, ticket: &SealTicket) -> Result<Arc<Checkpoint>, Error> {
    let dir = ticket.wait(shared)?;
    finish(shared, &dir, &ticket.inner.applied, &[])
}

/// Gives a linked directory its manifest and its name.
pub(super) fn finish(
    shared: &Shared,
    dir: &Path,
    applied: &AppliedState,
    known: &[ManifestFile],
) -> Result<Arc<Checkpoint>, Error> {
    let _one_at_a_time = lock(&shared.building);
    // Not held while files are read: others ask for the current snapshot meanwhile.
    let current = lock(&shared.checkpoint).clone();
    let log_id = applied
        .log_id
        .ok_or_else(|| Error::Broken("a snapshot of nothing".into()))?;
    if let Some(current) = current
        .as_ref()
        .filter(|current| current.manifest.log_id == log_id && !current.is_condemned())
    {
        files::remove_dir(dir)?;
        return Ok(Arc::clone(current));
    }
    let generation = shared.published().generation;
    let mut checksums: HashMap<&str, &ManifestFile> = known
        .iter()
        .map(|file| (file.name.as_str(), file))
        .collect();
    // Sorted files never change within a generation, so what the last snapshot found still holds.
    if let Some(last) = current
        .as_ref()
        .filter(|last| last.manifest.generation == generation)
    {
        checksums.extend(
            last.manifest
                .files
                .iter()
                .map(|file| (file.name.as_str(), file)),
        );
    }
    let mut list = vec![];
    for (name, path) in files::list(dir)? {
        let length = std::fs::metadata(&path)
            .map_err(|error| Error::io("look at", &path, error))?
            .len();
        let known = checksums
            .get(name.as_str())
            .filter(|file| name.ends_with(".sst") && file.length == length);
        let (length, crc32c) = match known {
            Some(file) => (file.length, file.crc32c),
            None => files::checksum(&path)?,
        };
        list.push(ManifestFile {
            name,
            length,
            crc32c,
        });
    }
    let manifest = Manifest {
        cluster_id: shared.config.cluster_id,
        log_id,
        membership: applied.membership.clone(),
        digest: applied.digest,
        generation,
        files: list,
    };
    step("storage.checkpoint.summed")?;
    files::replace(&dir.join(MANIFEST_NAME), &manifest.to_bytes()?)?;
    step("storage.checkpoint.manifest")?;
    let place = shared.layout.snapshots().join(name(log_id));
    files::remove_dir(&place)?;
    files::rename(dir, &place)?;
    step("storage.checkpoint.named")?;
    let checkpoint = Arc::new(Checkpoint::new(place, manifest));
    let old = lock(&shared.checkpoint).replace(Arc::clone(&checkpoint));
    // A condemned one may have had the same name.
    if let Some(old) = old.filter(|old| old.dir != checkpoint.dir) {
        old.doomed.store(true, Ordering::Release);
    }
    Ok(checkpoint)
}

/// The newest complete snapshot on disk; the others and unfinished ones go.
pub(crate) fn newest(layout: &Layout, config: &Config) -> Result<Option<Checkpoint>, Error> {
    let mut found: Vec<Checkpoint> = vec![];
    for (name, path) in files::list(&layout.snapshots())? {
        let bytes_max = (cold::HEADER_BYTES + cold::PAYLOAD_BYTES_MAX) as u64;
        let bytes = match name.starts_with(BUILDING) {
            true => None,
            false => files::read_small(&path.join(MANIFEST_NAME), bytes_max).transpose(),
        };
        match bytes.map(|bytes| bytes.and_then(|bytes| Manifest::from_bytes(&bytes))) {
            Some(Ok(manifest)) if manifest.cluster_id == config.cluster_id => {
                found.push(Checkpoint::new(path, manifest));
            }
            Some(Err(error)) => {
                tracing::warn!(%error, snapshot = name, "not a snapshot, removed");
                files::remove_dir(&path)?;
            }
            _ => files::remove_dir(&path)?,
        }
    }
    found.sort_by_key(|checkpoint| checkpoint.manifest.log_id.index);
    let newest = found.pop();
    for old in found {
        old.doomed.store(true, Ordering::Release);
    }
    Ok(newest)
}
