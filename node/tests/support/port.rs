//! Addresses that nobody uses.
//!
//! A node's address is known to its peers before it starts and is free while it is down, so it must not be one that
//! the system gives to outgoing connections meanwhile: ports come from below that range.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// `host:port` on loopback, not given out before in this process and not in use now.
pub(crate) fn free_address() -> String {
    // Test processes that run at the same time begin at different places.
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .subsec_nanos();
    let begin = std::process::id().wrapping_mul(7_919).wrapping_add(nanos) % COUNT;
    let _ = NEXT.compare_exchange(0, begin, Ordering::Relaxed, Ordering::Relaxed);
    for _ in 0..COUNT {
        let port = FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = u16::try_from(port).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return format!("127.0.0.1:{port}");
        }
    }
    panic!("no free port on loopback");
}
