//! What a cluster is made of, and where each part of it is.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::netns;
use crate::disk::Disk;

const CLIENT_PORT: u16 = 3001;
const PEER_PORT: u16 = 4001;
/// A node's proxies listen at an address so much above its own.
pub(super) const PROXY_HOST: u8 = 100;

/// What a cluster is made of.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Number of nodes, 1 to 9.
    pub nodes: u64,
    /// The node program.
    pub program: PathBuf,
    /// Folder for directories and logs of the nodes.
    pub dir: PathBuf,
    /// Flags for every node.
    pub flags: Vec<String>,
    /// Prefix of the namespaces that hold the nodes; without, a proxy stands between them.
    pub namespaces: Option<String>,
    /// Every node's directory lies on a disk of its own that can be broken.
    pub has_disks: bool,
    /// One host more, for a node that is added later.
    pub has_spare: bool,
    /// Every node reads its clock's error from a file.
    pub has_clocks: bool,
    /// Nothing of ours stands between anybody: for figures. Without namespaces only.
    pub is_direct: bool,
}

/// Where one node listens, and where others reach it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    pub(super) client: SocketAddr,
    pub(super) peer: SocketAddr,
    /// Where clients reach it.
    pub(super) through: SocketAddr,
    /// Where the other nodes reach it.
    pub(super) peer_through: SocketAddr,
}

impl Layout {
    /// Numbers of all hosts, the spare one's included.
    pub(super) fn hosts(&self) -> RangeInclusive<u64> {
        1..=self.nodes + u64::from(self.has_spare)
    }

    /// Whether something of ours stands between clients and nodes.
    pub(super) fn has_client_proxies(&self) -> bool {
        !self.is_direct
    }

    /// Between namespaces peers meet without anything of ours in between.
    pub(super) fn has_peer_proxies(&self) -> bool {
        !self.is_direct && self.namespaces.is_none()
    }

    /// Where a node is.
    pub(super) fn addresses(&self, id: u64) -> Addresses {
        // A network of 127.0.0.0/8 for each harness process: several can run at a time.
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let [a, b, c] = match self.namespaces {
            None => [127, 64 + high % 128, low],
            Some(_) => netns::NET,
        };
        let own = id as u8;
        let at = |host, port| SocketAddr::from((Ipv4Addr::new(a, b, c, host), port));
        let in_front = |has_proxies| if has_proxies { PROXY_HOST + own } else { own };
        Addresses {
            client: at(own, CLIENT_PORT),
            peer: at(own, PEER_PORT),
            through: at(in_front(self.has_client_proxies()), CLIENT_PORT),
            peer_through: at(in_front(self.has_peer_proxies()), PEER_PORT),
        }
    }

    /// The founding members, as flags of every node.
    pub(super) fn members(&self) -> Vec<String> {
        let flags = (1..=self.nodes).flat_map(|id| {
            let Addresses {
                through,
                peer_through,
                ..
            } = self.addresses(id);
            [
                "--member".to_owned(),
                format!("{id}={through},{peer_through}"),
            ]
        });
        flags.collect()
    }

    /// Where a node's data is: in the run's folder, or on a disk that is mounted there.
    pub(super) fn place(&self, id: u64) -> io::Result<(PathBuf, Option<Disk>)> {
        let plain = self.dir.join(format!("node-{id}"));
        if !self.has_disks {
            std::fs::create_dir_all(&plain)?;
            return Ok((plain, None));
        }
        let at = self.dir.join(format!("disk-{id}"));
        let disk = Disk::mount(&at, &self.dir.join(format!("objects-{id}")), &plain)?;
        let dir = at.join("data");
        std::fs::create_dir_all(&dir)?;
        disk.store().sync_everything();
        Ok((dir, Some(disk)))
    }
}
