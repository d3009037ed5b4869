//! One node: where it is, and what can be done to its process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::process::{Exit, NodeProcess};
use crate::disk::Disk;

/// One node: where it is, and its process while there is one.
#[derive(Debug)]
pub struct Node {
    /// Its place in the cluster, from 1: whoever takes it over has another id as a member.
    pub id: u64,
    /// Where it serves clients, without anything in between: for the harness's own questions.
    pub direct: SocketAddr,
    /// Where clients reach it.
    pub through: SocketAddr,
    /// Where the other nodes reach it.
    pub peer_through: SocketAddr,
    /// Its data.
    pub dir: PathBuf,
    /// Its words.
    pub log: PathBuf,
    /// Where it reads its clock's error, if it does.
    pub clock: Option<PathBuf>,
    pub(super) arguments: Vec<String>,
    pub(super) state: Mutex<State>,
    /// What its data lies on, if that can be broken. Last: a process must be gone before its disk is.
    pub disk: Option<Disk>,
}

/// What changes about a node while it is used.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Its id as a member, when that is not its place.
    member: Option<u64>,
    pub(super) process: Option<NodeProcess>,
    /// Flags for the next start, beside its own.
    more: Vec<String>,
    /// The nemesis has ended it or let it end: that it is not there says nothing.
    pub(super) excuse: Option<Excuse>,
}

/// How long a node may end by itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Excuse {
    /// Until the nemesis says otherwise.
    UntilTold,
    /// Until then.
    Until(Instant),
}

/// What was expected of a node that ended by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// To run.
    ToRun,
    /// To end: whoever breaks it starts it again.
    ToEnd,
    /// It may still end of a fault that is over; nobody waits for it.
    MayEnd,
}

impl Node {
    /// Its id as a member.
    #[must_use]
    pub fn member(&self) -> u64 {
        self.state().member.unwrap_or(self.id)
    }

    /// From its next start on it is another member, which joins.
    pub fn joins_as(&self, member: u64) {
        self.state().member = Some(member);
    }

    /// Where clients and the other nodes reach it, as members are listed.
    #[must_use]
    pub fn addresses(&self) -> (String, String) {
        (self.through.to_string(), self.peer_through.to_string())
    }

    /// What the harness has done to its files is not undone by a loss of power.
    pub fn settle(&self) {
        if let Some(disk) = &self.disk {
            disk.store().sync_everything();
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its command line, as it is now.
    pub(super) fn arguments(&self, state: &State) -> Vec<String> {
        let mut arguments = match state.member {
            None => self.arguments.clone(),
            Some(member) => joining(&self.arguments, member),
        };
        arguments.extend(state.more.iter().cloned());
        arguments
    }

    /// Flags for its next starts, beside its own; empty again: none.
    pub fn set_flags(&self, more: Vec<String>) {
        self.state().more = more;
    }

    /// True when it has flags beside its own.
    #[must_use]
    pub fn has_flags(&self) -> bool {
        !self.state().more.is_empty()
    }

    /// `kill -9`, if it runs.
    pub fn kill(&self) {
        let process = self.state().process.take();
        if let Some(process) = process {
            process.kill();
        }
    }

    /// That it ends by itself is what the nemesis wants.
    pub fn excuse(&self) {
        self.state().excuse = Some(Excuse::UntilTold);
    }

    /// From now on it must not end by itself.
    pub fn expect(&self) {
        self.state().excuse = None;
    }

    /// From then on it must not end by itself: what the nemesis did may take that long to be felt.
    pub fn expect_after(&self, time: Duration) {
        self.state().excuse = Some(Excuse::Until(Instant::now() + time));
    }

    /// Sends a signal, if it runs.
    pub fn signal(&self, signal: Signal) {
        if let Some(process) = &self.state().process {
            process.signal(signal);
        }
    }

    /// Its process, if it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.state().process.as_ref().map(NodeProcess::pid)
    }

    /// How it ended by itself, once, and what was expected of it.
    pub fn ended(&self) -> Option<(Exit, Expected)> {
        let mut state = self.state();
        let exit = state.process.as_mut()?.ended()?;
        state.process = None;
        let expected = match state.excuse {
            Some(Excuse::UntilTold) => Expected::ToEnd,
            Some(Excuse::Until(end)) if Instant::now() < end => Expected::MayEnd,
            None | Some(Excuse::Until(_)) => Expected::ToRun,
        };
        Some((exit, expected))
    }

    /// Its directory of data.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// The same node as one that takes its place under another id: the leader tells it who the others are.
fn joining(founder: &[String], member: u64) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut given = founder.iter();
    while let Some(name) = given.next() {
        match name.as_str() {
            "--member" => {
                given.next();
            }
            "--node-id" => {
                given.next();
                arguments.extend([name.clone(), member.to_string()]);
            }
            _ => arguments.push(name.clone()),
        }
    }
    arguments.push("--join".to_owned());
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_takes_a_place_joins_under_its_own_id() {
        let given = [
            "--dir",
            "d",
            "--node-id",
            "2",
            "--member",
            "1=a,b",
            "--member",
            "2=c,d",
        ];
        let given = given.map(str::to_owned);
        assert_eq!(
            joining(&given, 7),
            ["--dir", "d", "--node-id", "7", "--join"]
        );
    }
}
