//! File descriptors of this process: as many as it may have, and how many of them connections may take.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are not for connections, beside what the state keeps open: segments of the log, a snapshot on its
/// way in or out, listeners, timers.
const OTHERS: u64 = 256;
/// Fewer clients than this are no service.
const CONNECTIONS_MIN: u64 = 16;

/// The process may open too few files to serve anybody.
#[derive(Debug, thiserror::Error)]
#[error(
    "this process may open only {limit} files, and needs at least {needed}: raise its limit (`ulimit -Hn`, or LimitNOFILE= of its service)"
)]
pub struct TooFewFiles {
    /// What it may open.
    limit: u64,
    /// What it must be able to open.
    needed: u64,
}

/// Raises this process's limit of open files to the most it may have, and gives how many of `wanted` connections fit
/// beside `files` that the state keeps open and connections of peers.
///
/// # Errors
/// When next to none do.
pub fn room_for_connections(wanted: usize, files: u64, peers: usize) -> Result<usize, TooFewFiles> {
    let limit = raised();
    room(limit, wanted, files.saturating_add(peers as u64))
}

fn room(limit: u64, wanted: usize, others: u64) -> Result<usize, TooFewFiles> {
    let others = others.saturating_add(OTHERS);
    let room = limit.saturating_sub(others);
    if room < CONNECTIONS_MIN {
        let needed = others.saturating_add(CONNECTIONS_MIN);
        return Err(TooFewFiles { limit, needed });
    }
    Ok(usize::try_from(room).map_or(wanted, |room| room.min(wanted)))
}

fn raised() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let open = match setrlimit(Resource::Nofile, most) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    open.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn connections_get_what_the_state_and_the_peers_leave() {
        assert_eq!(room(20_000, 10_000, 1_280).unwrap(), 10_000);
        assert_eq!(room(2_000, 10_000, 1_280).unwrap(), 2_000 - 1_280 - 256);
        assert_eq!(
            room(u64::MAX, 10_000, u64::MAX).unwrap_err().limit,
            u64::MAX
        );
        let error = room(1_024, 10, 1_280).unwrap_err().to_string();
        assert!(
            error.contains("only 1024 files") && error.contains("at least 1552"),
            "{error}"
        );
    }
}
