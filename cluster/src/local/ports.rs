//! Free ports on loopback.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::failure::{Code, Failure};

/// Finds that many different free loopback addresses. All are held until the last is found, so that none comes twice;
/// another program may still take one before a node does, which the node then reports when it starts.
///
/// # Errors
/// [`Code::Process`] when the machine gives out no more ports.
pub(crate) fn free_addresses(wanted: usize) -> Result<Vec<SocketAddr>, Failure> {
    let mut held = Vec::with_capacity(wanted);
    let mut addresses = Vec::with_capacity(wanted);
    for _ in 0..wanted {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let address = listener.and_then(|listener| {
            let address = listener.local_addr()?;
            held.push(listener);
            Ok(address)
        });
        addresses.push(address.map_err(|error| {
            Failure::new(Code::Process, "cannot find a free port on 127.0.0.1").because(error)
        })?);
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_loopback_and_different() {
        let addresses = free_addresses(16).unwrap();
        let different: std::collections::BTreeSet<_> = addresses.iter().collect();
        assert_eq!(different.len(), 16);
        assert!(addresses.iter().all(|address| address.ip().is_loopback()));
    }
}
