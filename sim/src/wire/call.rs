//! The calls of a host: what has come of each and what has gone, and whether it is stuck.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tonic::Status;

use super::body::Frames;
use super::message::{CallId, Frame, Side};

/// A frame missing for longer breaks its call.
const GAP_MAX: Duration = Duration::from_millis(400);
/// Silence for longer breaks a call: what keepalive does to a connection.
const SILENCE_MAX: Duration = Duration::from_millis(2_500);
/// Ended calls remembered, so that late frames do not begin them again.
const ENDED_MAX: usize = 4_096;

/// A call, and which end of it this host is.
pub(super) type Key = (CallId, Side);

/// One end of a call.
pub(super) struct Call {
    pub(super) peer: SocketAddr,
    /// Frames sent.
    pub(super) sent: u32,
    /// Frames taken, in order.
    taken: u32,
    /// The most frames the other end is known to have sent.
    announced: u32,
    early: BTreeMap<u32, Frame>,
    behind_since: Option<Instant>,
    heard: Instant,
    /// The caller waits for it.
    pub(super) head: Option<oneshot::Sender<Result<(u16, HeaderMap), Status>>>,
    pub(super) body: Option<Frames>,
    /// What sends this end's frames.
    pub(super) task: Option<AbortHandle>,
    /// Digests of what is said in it do not belong in the trace: they hold measured times.
    pub(super) quiet: bool,
}

impl Call {
    pub(super) fn new(peer: SocketAddr) -> Self {
        Self {
            peer,
            sent: 0,
            taken: 0,
            announced: 0,
            early: BTreeMap::new(),
            behind_since: None,
            heard: Instant::now(),
            head: None,
            body: None,
            task: None,
            quiet: false,
        }
    }

    /// Keeps a frame until its turn; see [`Call::next_frame`].
    pub(super) fn hear(&mut self, sequence: u32, frame: Frame) {
        self.heard = Instant::now();
        match frame {
            Frame::Alive(count) => self.announced = self.announced.max(count),
            frame if sequence >= self.taken => {
                self.early.insert(sequence, frame);
            }
            _ => {}
        }
    }

    /// The frame whose turn it is, if it has come.
    pub(super) fn next_frame(&mut self) -> Option<Frame> {
        let frame = self.early.remove(&self.taken)?;
        self.taken += 1;
        Some(frame)
    }

    /// Why the call cannot go on.
    pub(super) fn stuck(&mut self, now: Instant) -> Option<&'static str> {
        if self.announced > self.taken || !self.early.is_empty() {
            let since = *self.behind_since.get_or_insert(now);
            if now - since > GAP_MAX {
                return Some("a frame is missing");
            }
        } else {
            self.behind_since = None;
        }
        (now - self.heard > SILENCE_MAX).then_some("the peer is silent")
    }
}

/// All calls of a host.
pub(super) struct Calls {
    next: CallId,
    /// Those under way.
    pub(super) open: BTreeMap<Key, Call>,
    ended: VecDeque<Key>,
}

impl Calls {
    /// None yet; the first that begins here has this number.
    pub(super) fn new(first: CallId) -> Self {
        Self {
            next: first,
            open: BTreeMap::new(),
            ended: VecDeque::new(),
        }
    }

    /// A call that begins here.
    pub(super) fn begin(&mut self, call: Call) -> Key {
        let key = (self.next, Side::Caller);
        self.next += 1;
        self.open.insert(key, call);
        key
    }

    /// Whether the call was here and is over, as far as is remembered.
    pub(super) fn has_ended(&self, key: Key) -> bool {
        self.ended.contains(&key)
    }

    /// Late frames of it do not begin it again.
    pub(super) fn remember(&mut self, key: Key) {
        if self.ended.len() == ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(key);
    }
}
