//! Whose connection it is: on one machine every connection comes from 127.0.0.1, but the kernel knows which process
//! holds it. It tells by `/proc`, without any right beyond reading one's own children.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// The process among `pids` that opened the connection from `source`.
pub(super) fn owner(source: SocketAddr, pids: &[(u64, u32)]) -> Option<u64> {
    let SocketAddr::V4(source) = source else {
        return None;
    };
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let link = format!("socket:[{}]", inode(&table, source)?);
    pids.iter()
        .find(|(_, pid)| holds(*pid, &link))
        .map(|(node, _)| *node)
}

/// Local address and inode are the second and the tenth column (proc(5)); addresses are hexadecimal, host order.
fn inode(table: &str, source: SocketAddrV4) -> Option<u64> {
    let wanted = column(*source.ip(), source.port());
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_whitespace();
        (columns.nth(1)? == wanted).then_some(())?;
        columns
            .nth(7)?
            .parse()
            .ok()
            .filter(|inode: &u64| *inode != 0)
    })
}

fn column(ip: Ipv4Addr, port: u16) -> String {
    format!("{:08X}:{port:04X}", u32::from_ne_bytes(ip.octets()))
}

fn holds(pid: u32, link: &str) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false; // it has ended
    };
    files
        .flatten()
        .any(|file| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == link))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failure is a panic here

    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_connection_is_its_process_s() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let source = stream.local_addr().unwrap();
        let own = std::process::id();
        assert_eq!(owner(source, &[(3, 1), (7, own)]), Some(7));
        assert_eq!(owner(source, &[]), None);
        drop(stream);
    }
}
