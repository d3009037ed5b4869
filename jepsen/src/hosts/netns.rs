//! Hosts as network namespaces: each node has a network stack of its own, joined by veth pairs and a bridge.
//!
//! Nodes serve loopback addresses only, so their interfaces carry addresses of 127.0.0.0/8, which the kernel lets pass
//! inside these namespaces and nowhere else. A direction is cut by a `blackhole` route (no packet filter is needed);
//! bytes between clients and nodes go through the proxy, so that their side can be worsened in all ways.

use std::io;
use std::net::Ipv4Addr;
use std::process::Command;

/// The network inside the namespaces: nobody outside sees it.
pub(super) const NET: [u8; 3] = [127, 77, 0];
/// The harness's own address on the bridge.
const HARNESS: u8 = 254;

/// The namespaces of one run. Dropping it removes them, and the interfaces with them.
#[derive(Debug)]
pub struct Namespaces {
    prefix: String,
    names: Vec<String>,
}

impl Namespaces {
    /// Makes a namespace for the harness, with the bridge, and one for each node.
    ///
    /// # Errors
    /// Without the right to, or without `ip` (iproute2).
    pub fn make(nodes: u64) -> io::Result<Self> {
        let mut made = Self {
            prefix: format!("fj{}", std::process::id()),
            names: Vec::new(),
        };
        let harness = made.harness();
        made.add(&harness)?;
        let inside = |words: &str| ip(&format!("-n {harness} {words}"));
        inside("link add br0 type bridge")?;
        inside("link set br0 up")?;
        // Its own addresses are reached through lo, but the rest of 127.0.0.0/8 is not local here.
        inside("link set lo up")?;
        inside("addr del 127.0.0.1/8 dev lo")?;
        let_loopback_pass(&harness, "br0")?;
        inside(&format!("addr add {}/24 dev br0", address(HARNESS)))?;
        for id in 1..=nodes as u8 {
            let name = host(&made.prefix, u64::from(id));
            made.add(&name)?;
            inside(&format!(
                "link add v{id} type veth peer name eth0 netns {name}"
            ))?;
            inside(&format!("link set v{id} master br0"))?;
            inside(&format!("link set v{id} up"))?;
            let proxy = address(super::layout::PROXY_HOST + id);
            inside(&format!("addr add {proxy}/24 dev br0"))?;
            let_loopback_pass(&name, "eth0")?;
            ip(&format!("-n {name} link set eth0 up"))?;
            ip(&format!("-n {name} addr add {}/24 dev eth0", address(id)))?;
        }
        Ok(made)
    }

    fn add(&mut self, name: &str) -> io::Result<()> {
        ip(&format!("netns add {name}"))?;
        self.names.push(name.to_owned());
        Ok(())
    }

    /// What the names of all of them begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The namespace in which the harness has to run.
    #[must_use]
    pub fn harness(&self) -> String {
        format!("{}-h", self.prefix)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in &self.names {
            // There is nobody left to tell.
            let _ = ip(&format!("netns del {name}"));
        }
    }
}

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(NET[0], NET[1], NET[2], last)
}

/// The namespace of a node.
pub(super) fn host(prefix: &str, node: u64) -> String {
    format!("{prefix}-{node}")
}

/// Cuts one direction between two nodes, or mends it.
///
/// # Errors
/// When the route cannot be changed; one that is there (or gone) already is no error.
pub(super) fn cut(prefix: &str, from: u64, to: u64, broken: bool) -> io::Result<()> {
    let change = if broken { "replace" } else { "del" };
    let route = format!("route {change} blackhole {}/32", address(to as u8));
    match ip(&format!("-n {} {route}", host(prefix, from))) {
        Err(error) if !broken && error.to_string().contains("No such process") => Ok(()),
        done => done,
    }
}

fn let_loopback_pass(name: &str, device: &str) -> io::Result<()> {
    let file = format!("/proc/sys/net/ipv4/conf/{device}/route_localnet");
    ip(&format!("netns exec {name} sh -c $echo 1 > {file}"))
}

/// Runs `ip` with these words; what follows a `$` is one word.
fn ip(words: &str) -> io::Result<()> {
    let (words, last) = match words.split_once('$') {
        Some((words, last)) => (words, Some(last)),
        None => (words, None),
    };
    let mut command = Command::new("ip");
    command.args(words.split_whitespace()).args(last);
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("ip {words}: {}", said.trim())))
}
