//! A received snapshot becomes the state.
//!
//! First it is opened where it lies and must be the state its manifest speaks of; until then nothing is given up.
//! Then the run writer is stopped, the windows are dropped, the directory becomes the next generation, and a synced
//! rename of `CURRENT` switches to it. Killed before the rename, the old state starts; after it, the new one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint;
use super::incoming::Incoming;
use super::manifest::Manifest;
use crate::storage::config::Config;
use crate::storage::database::Database;
use crate::storage::error::{Error, step};
use crate::storage::families::Resources;
use crate::storage::files;
use crate::storage::generation::Layout;
use crate::storage::reader::Reader;
use crate::storage::run::Job;
use crate::storage::shared::Shared;
use crate::storage::window::KeyHash;
use crate::storage::{AppliedState, load, verify};

/// Replaces the running state. Apply thread only.
pub(crate) fn install(
    shared: &Shared,
    incoming: &Path,
    manifest: &Manifest,
) -> Result<AppliedState, Error> {
    check(&shared.config, &shared.resources, incoming, manifest)?;
    step("storage.install.checked")?;
    // From here on the windows are given up: without the new state there is none to go on with.
    let replaced = replace(shared, incoming, manifest);
    if let Err(error) = &replaced {
        shared.fail(error);
    }
    replaced
}

fn replace(shared: &Shared, incoming: &Path, manifest: &Manifest) -> Result<AppliedState, Error> {
    stop_runs(shared)?;
    step("storage.install.runs_stopped")?;
    let old = shared.published();
    let generation = adopt(&shared.layout, old.generation, incoming)?;
    let database = Arc::new(Database::open(
        &shared.layout.generation(generation),
        &shared.resources,
        false,
    )?);
    let new = load(database, generation)?;
    let applied = new.applied.clone();
    shared.publish(|published| *published = new);
    old.database.doom();
    step("storage.install.published")?;

    // Whoever asks for the current snapshot from here on shall get this one.
    let dir = shared.layout.snapshots().join("building-installed");
    files::remove_dir(&dir)?;
    shared.published().database.checkpoint(&dir)?;
    checkpoint::finish(shared, &dir, &applied, &manifest.files)?;
    Ok(applied)
}

/// Opens a received snapshot where it lies and compares it with its manifest.
fn check(
    config: &Config,
    resources: &Resources,
    incoming: &Path,
    manifest: &Manifest,
) -> Result<(), Error> {
    if manifest.cluster_id != config.cluster_id {
        return Err(Error::Snapshot("it is of another cluster".into()));
    }
    let database = Arc::new(Database::open(incoming, resources, false)?);
    let published = load(database, manifest.generation)?;
    if !manifest.describes(&published.applied) {
        return Err(Error::Snapshot(
            "its commit record is not what its manifest says".into(),
        ));
    }
    if config.verify_snapshots {
        let reader = Reader::of(Arc::new(published), KeyHash::random())?;
        let digest = verify::digest(&reader, &mut |_| Ok(()))?;
        if digest != manifest.digest {
            return Err(Error::Snapshot(
                "its rows do not have the digest of its manifest".into(),
            ));
        }
    }
    Ok(())
}

/// Makes a checked directory the generation in use and returns its number.
fn adopt(layout: &Layout, current: u32, incoming: &Path) -> Result<u32, Error> {
    let next = current
        .checked_add(1)
        .ok_or_else(|| Error::Broken("generations are used up".into()))?;
    let target = layout.generation(next);
    files::remove_dir(&target)?;
    files::rename(incoming, &target)?;
    step("storage.install.moved")?;
    layout.switch_to(next)?;
    Ok(next)
}

/// Forgets what the run writer was to do and waits until it does nothing.
fn stop_runs(shared: &Shared) -> Result<(), Error> {
    shared.cancel();
    shared.wait(|queue| {
        for job in queue.jobs.drain(..) {
            match job {
                Job::Run(_) => queue.unwritten -= 1,
                Job::Checkpoint(ticket) => ticket.cancel("a snapshot was installed meanwhile"),
            }
        }
        !queue.busy
    })
}

/// Repairs a state that cannot be opened: before consensus starts, a peer's snapshot takes its place. The log and
/// the vote are not touched; the caller replays the log from the snapshot on, or resets it to the snapshot first.
pub struct Repair {
    config: Config,
    layout: Layout,
    generation: u32,
}

impl Repair {
    /// Looks at the directories only, not at the state. No storage may be open in them.
    ///
    /// # Errors
    /// When the disk refuses or it is unclear which generation is in use.
    pub fn open(config: Config) -> Result<Self, Error> {
        let (layout, generation, _) = Layout::open(&config.dir)?;
        Ok(Self {
            config,
            layout,
            generation,
        })
    }

    /// Begins to receive a snapshot.
    ///
    /// # Errors
    /// When it is of another cluster or the disk refuses.
    pub fn receive(&self, manifest: Manifest) -> Result<Incoming, Error> {
        Incoming::create(&self.layout.incoming(), self.config.cluster_id, manifest)
    }

    /// Checks what [`Incoming::finish`] returned and puts it in the place of the state.
    ///
    /// # Errors
    /// When it is not what its manifest says, or the disk refuses. The old state is untouched then.
    pub fn install(self, incoming: PathBuf, manifest: &Manifest) -> Result<(), Error> {
        let resources = Resources::new(&self.config)?;
        check(&self.config, &resources, &incoming, manifest)?;
        adopt(&self.layout, self.generation, &incoming)?;
        files::remove_dir(&self.layout.generation(self.generation))
    }
}
