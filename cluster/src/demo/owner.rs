//! Which node a connection comes from. On one machine all come from 127.0.0.1; the kernel knows the process, and tells
//! whoever may look at its own children by `/proc` (proc(5)).

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use crate::local::Layout;

/// The node that holds the end `source` of a connection; `None` when none of these does.
pub(super) fn owner(layout: &Layout, nodes: &[u64], source: SocketAddr) -> Option<u64> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let socket = format!("socket:[{}]", inode(&table, source)?);
    let is_its = |pid: i32| {
        let open = fs::read_dir(format!("/proc/{pid}/fd"));
        let mut links = open.into_iter().flatten().flatten();
        links.any(|entry| {
            fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == socket.as_str())
        })
    };
    let mut nodes = nodes.iter().copied();
    nodes.find(|id| layout.pid(*id).is_some_and(is_its))
}

/// Whether this system tells.
pub(super) fn is_known() -> bool {
    fs::metadata("/proc/net/tcp").is_ok()
}

/// Inode of the socket bound to an address: the tenth column of the row whose second is the address, hexadecimal in
/// host order.
fn inode(table: &str, source: SocketAddr) -> Option<u64> {
    let SocketAddr::V4(source) = source else {
        return None;
    };
    let octets: Ipv4Addr = *source.ip();
    let wanted = format!(
        "{:08X}:{:04X}",
        u32::from_ne_bytes(octets.octets()),
        source.port()
    );
    let mut rows = table
        .lines()
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row.get(1) == Some(&wanted.as_str()))?;
    row.get(9)?.parse().ok().filter(|inode| *inode != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_of_an_address_names_its_socket() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:0FA1 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 811 1\n\
             1: 0100007F:D431 0100007F:0FA1 01 00000000:00000000 00:00000000 00000000  1000        0 9112 1\n";
        assert_eq!(inode(table, "127.0.0.1:54321".parse().unwrap()), Some(9112));
        assert_eq!(inode(table, "127.0.0.1:54322".parse().unwrap()), None);
    }
}
