//! Addresses that nobody else uses.
//!
//! A node's address is known to its peers before it starts and is free while it is down, so nobody may take it
//! meanwhile. Each test process has a host of its own in 127.0.0.0/8, where no other process listens and no outgoing
//! connection begins, and gives out each of its ports once. Where there is only 127.0.0.1, ports come from below the
//! range that the system gives to outgoing connections.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Process ids have at most 22 bits: each has its own.
fn own_host() -> Ipv4Addr {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    // The upper half of 127.0.0.0/8, and no host 0 or 255.
    Ipv4Addr::new(
        127,
        128 | (high << 1) | (low >> 7),
        middle,
        64 + (low & 127),
    )
}

/// `host:port` on loopback, not given out before in this process and not in use now.
pub(crate) fn free_address() -> String {
    let shared = Ipv4Addr::LOCALHOST;
    let is_alone = TcpListener::bind((own_host(), 0)).is_ok();
    let host = if is_alone { own_host() } else { shared };
    // Processes that have to share a host begin at different places.
    let begin = std::process::id().wrapping_mul(7_919) % COUNT;
    let _ = NEXT.compare_exchange(0, begin, Ordering::Relaxed, Ordering::Relaxed);
    for _ in 0..COUNT {
        let port = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = u16::try_from(port).unwrap();
        if TcpListener::bind((host, port)).is_ok() {
            return format!("{host}:{port}");
        }
    }
    panic!("no free port on {host}");
}
