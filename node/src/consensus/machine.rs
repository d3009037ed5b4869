//! Raft's state machine on our apply thread: decodes, calls, answers.
//!
//! Towards openraft this is the *transient* mode: while running, the applied state is what is applied in memory; after a
//! restart it is the commit record of the last run, and the log replays the rest.

use std::io;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use openraft::entry::RaftEntry as _;
use openraft::storage::{EntryResponder, RaftSnapshotBuilder, RaftStateMachine};
use tokio::sync::oneshot;

use super::blocking;
use super::snapshot::{RaftSnapshot, SnapshotFiles, describe};
use super::types::{
    RaftLogId, Response, StoredMembership, TypeConfig, decode_membership, encode_membership,
    from_log_id,
};
use crate::log;
use crate::state::{self, Input, Item};
use crate::storage::{self, Store};

/// Entries in one job of the apply thread: small ones travel together, and no more bytes than one read returns.
const ENTRIES_PER_JOB: usize = 256;

/// The state machine as openraft wants it.
#[derive(Clone)]
pub(crate) struct Machine {
    state: state::Handle,
    storage: Arc<dyn Store>,
    log: log::Log,
}

impl Machine {
    pub(crate) fn new(state: state::Handle, storage: Arc<dyn Store>, log: log::Log) -> Self {
        Self {
            state,
            storage,
            log,
        }
    }

    /// Whether entries lie between the newest snapshot and the log. It comes of a log that was cut before what the
    /// state holds: Raft then lets it begin after the state, which is newer than the snapshot.
    fn has_gap(&self, snapshot: storage::LogId) -> bool {
        let purged = self.log.state().last_purged;
        purged.is_some_and(|purged| purged.index > snapshot.index)
    }
}

#[cfg(test)]
impl Machine {
    pub(super) fn storage(&self) -> &dyn Store {
        &*self.storage
    }
}

fn stopped(error: &state::Error) -> io::Error {
    io::Error::other(error.to_string())
}

fn storage_id(id: &RaftLogId) -> storage::LogId {
    storage::LogId {
        term: id.leader_id.term,
        node: 0,
        index: id.index,
    }
}

fn raft_id(id: &storage::LogId) -> RaftLogId {
    from_log_id(&log::LogId {
        term: id.term,
        node: id.node,
        index: id.index,
    })
}

fn item((entry, responder): EntryResponder<TypeConfig>) -> io::Result<Item> {
    use openraft::EntryPayload::{Blank, Membership, Normal};
    let log_id = storage_id(&entry.log_id());
    let input = match entry.payload {
        Blank => Input::Blank,
        Normal(command) => Input::Command(command.0),
        Membership(membership) => Input::Membership(encode_membership(&membership)?),
    };
    let respond = responder.map(|responder| -> state::Respond {
        Box::new(move |outcome| responder.send(Response(outcome)))
    });
    Ok(Item {
        log_id,
        input,
        respond,
    })
}

impl RaftStateMachine<TypeConfig> for Machine {
    type SnapshotData = SnapshotFiles;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> io::Result<(Option<RaftLogId>, StoredMembership)> {
        let applied = self.storage.applied();
        let membership = match &applied.membership {
            Some((log_id, bytes)) => {
                StoredMembership::new(Some(raft_id(log_id)), decode_membership(bytes)?)
            }
            None => StoredMembership::default(),
        };
        let mut applied = applied.log_id.as_ref().map(raft_id);
        if crate::planted::is("replay-skips-one")
            && let Some(applied) = &mut applied
        {
            applied.index += 1;
        }
        Ok((applied, membership))
    }

    async fn apply<Strm>(&mut self, entries: Strm) -> io::Result<()>
    where
        Strm: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + Send,
    {
        // While one job is applied the next is read: two in flight, in order.
        let mut chunks = entries.ready_chunks(ENTRIES_PER_JOB);
        let mut running: Option<oneshot::Receiver<Result<(), state::Error>>> = None;
        while let Some(chunk) = chunks.next().await {
            let items = chunk
                .into_iter()
                .map(|entry| entry.and_then(item))
                .collect::<io::Result<Vec<_>>>()?;
            let state = self.state.clone();
            let (tx, rx) = oneshot::channel();
            if let Some(before) = running.replace(rx) {
                finished(before).await?;
            }
            tokio::spawn(async move {
                let _ = tx.send(state.apply(items).await);
            });
        }
        match running {
            Some(last) => finished(last).await,
            None => Ok(()),
        }
    }

    async fn try_create_snapshot_builder(&mut self, _force: bool) -> Option<Builder> {
        Some(self.get_snapshot_builder().await)
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        if self.storage.applied().log_id.is_none() {
            return Builder {
                sealed: None,
                storage: self.storage.clone(),
            };
        }
        // The seal belongs to this moment: entries applied later must not be in the snapshot's log id.
        Builder {
            sealed: Some(self.state.seal().await),
            storage: self.storage.clone(),
        }
    }

    async fn install_snapshot(
        &mut self,
        _meta: &openraft::alias::SnapshotMetaOf<TypeConfig>,
        snapshot: SnapshotFiles,
    ) -> io::Result<()> {
        match snapshot {
            SnapshotFiles::Received { dir, manifest } => {
                self.state
                    .install(dir, manifest)
                    .await
                    .map_err(|error| stopped(&error))?;
                // Raft takes for granted that this node can now send what it has received.
                self.get_snapshot_builder()
                    .await
                    .build_snapshot()
                    .await
                    .map(|_| ())
            }
            SnapshotFiles::Nothing => Err(io::Error::other(
                "a snapshot of nothing cannot be installed",
            )),
            // Our own checkpoint is part of the state it was taken from: installing it would only go back.
            SnapshotFiles::Own(checkpoint) => {
                let applied = self.storage.applied().log_id.map(|id| id.index);
                if applied >= Some(checkpoint.manifest().log_id.index) {
                    Ok(())
                } else {
                    Err(io::Error::other("the state is behind its own checkpoint"))
                }
            }
        }
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<RaftSnapshot>> {
        let checkpoint = self.storage.current_checkpoint();
        let is_useless = match &checkpoint {
            Some(found) => self.has_gap(found.manifest().log_id),
            None => self.storage.lacks_checkpoint(),
        };
        if is_useless {
            // Raft asks for it to send it: without a right one the follower would wait for ever.
            let mut builder = self.get_snapshot_builder().await;
            return builder.build_snapshot().await.map(Some);
        }
        checkpoint
            .map(|found| describe(SnapshotFiles::Own(found)))
            .transpose()
    }
}

async fn finished(job: oneshot::Receiver<Result<(), state::Error>>) -> io::Result<()> {
    match job.await {
        Ok(result) => result.map_err(|error| stopped(&error)),
        Err(_) => Err(io::Error::other("the state machine has stopped")),
    }
}

/// Builds one snapshot from the window sealed when it was made; of nothing when nothing was applied then.
pub(crate) struct Builder {
    sealed: Option<Result<storage::SealTicket, state::Error>>,
    storage: Arc<dyn Store>,
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    type SnapshotData = SnapshotFiles;

    async fn build_snapshot(&mut self) -> io::Result<RaftSnapshot> {
        let ticket = match self.sealed.take() {
            Some(Ok(ticket)) => ticket,
            Some(Err(error)) => return Err(stopped(&error)),
            None => return describe(SnapshotFiles::Nothing),
        };
        let storage = self.storage.clone();
        let checkpoint = blocking::run(move || storage.build_checkpoint(&ticket))
            .await?
            .map_err(|error| io::Error::other(error.to_string()))?;
        describe(SnapshotFiles::Own(checkpoint))
    }
}
