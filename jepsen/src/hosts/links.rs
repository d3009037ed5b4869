//! What happens to bytes on their way from one host to another: a table with a row for each direction of each pair.

use std::time::Duration;

use tokio::sync::watch;

use super::netns;

/// The host of all clients; nodes have their ids, from 1.
pub const CLIENTS: u64 = 0;

/// One direction between two hosts. The default does nothing.
///
/// TCP hides what a network does to packets: lost ones come later, doubled ones vanish, reordered ones wait for each
/// other. So loss is a pause here, and order changes only between connections, by `jitter`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Link {
    /// Nothing arrives, and nobody is told: bytes wait until it is healed, as TCP's do.
    pub cut: bool,
    /// How long bytes travel.
    pub delay: Duration,
    /// Up to so much more, another for each piece of up to 16 KiB.
    pub jitter: Duration,
    /// Bytes a second; 0 = no limit.
    pub bytes_per_s: u32,
    /// Pieces out of a thousand that are lost and come when TCP sends them again, 200 ms later.
    pub loss_per_mille: u16,
    /// Pieces out of a thousand at which the connection is reset.
    pub reset_per_mille: u16,
}

/// The table as it is at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Table {
    hosts: usize,
    links: Vec<Link>,
    /// Counts how often all connections of a pair were reset.
    resets: Vec<u64>,
}

impl Table {
    fn at(&self, from: u64, to: u64) -> usize {
        let last = self.hosts - 1;
        (from as usize).min(last) * self.hosts + (to as usize).min(last)
    }

    pub(super) fn link(&self, from: u64, to: u64) -> Link {
        self.links[self.at(from, to)]
    }

    pub(super) fn resets(&self, from: u64, to: u64) -> u64 {
        self.resets[self.at(from, to)]
    }
}

/// The table that all proxies obey. Changes count at once, for connections that are open as well.
#[derive(Debug)]
pub struct Links {
    table: watch::Sender<Table>,
    /// Prefix of the namespaces in which the nodes are, if they are: between them only the kernel can cut.
    namespaces: Option<String>,
}

impl Links {
    /// A network of so many nodes in which everything arrives.
    #[must_use]
    pub fn new(nodes: usize, namespaces: Option<String>) -> Self {
        let hosts = nodes + 1;
        let table = Table {
            hosts,
            links: vec![Link::default(); hosts * hosts],
            resets: vec![0; hosts * hosts],
        };
        Self {
            table: watch::Sender::new(table),
            namespaces,
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Table> {
        self.table.subscribe()
    }

    /// Changes one direction.
    pub fn change(&self, from: u64, to: u64, change: impl FnOnce(&mut Link)) {
        let mut cut = None;
        self.table.send_modify(|table| {
            let at = table.at(from, to);
            let link = &mut table.links[at];
            let before = link.cut;
            change(link);
            cut = (link.cut != before).then_some(link.cut);
        });
        if let Some(cut) = cut {
            self.route(from, to, cut);
        }
    }

    fn route(&self, from: u64, to: u64, cut: bool) {
        let Some(prefix) = &self.namespaces else {
            return;
        };
        // Clients' connections go through the proxy in either case.
        if from != CLIENTS
            && to != CLIENTS
            && let Err(error) = netns::cut(prefix, from, to, cut)
        {
            eprintln!("jepsen: {error}");
        }
    }

    /// Resets every connection between two hosts, whoever opened it.
    pub fn reset(&self, a: u64, b: u64) {
        self.table.send_modify(|table| {
            for at in [table.at(a, b), table.at(b, a)] {
                table.resets[at] += 1;
            }
        });
    }

    /// Everything arrives again, everywhere.
    pub fn heal(&self) {
        let hosts = self.table.borrow().hosts as u64;
        for from in 0..hosts {
            for to in (0..hosts).filter(|to| *to != from) {
                self.change(from, to, |link| *link = Link::default());
            }
        }
    }

    /// What one direction does now.
    #[must_use]
    pub fn link(&self, from: u64, to: u64) -> Link {
        self.table.borrow().link(from, to)
    }
}
