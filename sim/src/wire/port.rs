//! One host's end of the network.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http_body::Frame as BodyFrame;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use turmoil::net::UdpSocket;
use xxhash_rust::xxh3::xxh3_64;

use super::body;
use super::call::{Call, Calls, Key};
use super::message::{CallId, Datagram, Frame, Side};
use super::server::Service;
use crate::trace;

/// Where every host listens.
const PORT: u16 = 7_000;
/// Between two looks at all calls.
const LOOK: Duration = Duration::from_millis(100);
/// Between two signs of life of a call.
const ALIVE: Duration = Duration::from_millis(500);

thread_local! {
    static CLOSED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the network of this thread is gone: what is dropped after the last step says nothing more.
pub fn set_closed(closed: bool) {
    CLOSED.set(closed);
}

struct Inner {
    host: u64,
    socket: UdpSocket,
    alive: Arc<AtomicBool>,
    service: Option<Service>,
    calls: Mutex<Calls>,
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Port(Arc<Inner>);

impl Port {
    /// Binds this host's port. `start` is how often the host was started; `alive` is false once its power is off.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn open(
        host: u64,
        start: u64,
        alive: Arc<AtomicBool>,
        service: Option<Service>,
    ) -> std::io::Result<Self> {
        let socket = UdpSocket::bind(("0.0.0.0", PORT)).await?;
        let port = Self(Arc::new(Inner {
            host,
            socket,
            alive,
            service,
            calls: Mutex::new(Calls::new((host << 48) | (start << 28))),
        }));
        tokio::spawn(port.clone().receive());
        tokio::spawn(port.clone().look());
        Ok(port)
    }

    pub(super) fn calls(&self) -> MutexGuard<'_, Calls> {
        self.0.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn service(&self) -> Option<&Service> {
        self.0.service.as_ref()
    }

    pub(super) fn is_alive(&self) -> bool {
        self.0.alive.load(Ordering::Relaxed)
    }

    async fn receive(self) {
        let mut buffer = vec![0; 4 << 20];
        while let Ok((length, from)) = self.0.socket.recv_from(&mut buffer).await {
            if let Some(datagram) = Datagram::decode(&buffer[..length]) {
                self.take(datagram, from);
            }
        }
    }

    /// Watches over the calls: sends signs of life, breaks those that are stuck.
    async fn look(self) {
        let mut rounds = 0_u32;
        loop {
            tokio::time::sleep(LOOK).await;
            rounds += 1;
            let now = Instant::now();
            let mut broken = Vec::new();
            let mut calls = self.calls();
            for (key, call) in &mut calls.open {
                if let Some(why) = call.stuck(now) {
                    broken.push((*key, why));
                } else if rounds.is_multiple_of((ALIVE.as_millis() / LOOK.as_millis()) as u32) {
                    self.send_frame(call, *key, 0, Frame::Alive(call.sent));
                }
            }
            drop(calls);
            for (key, why) in broken {
                self.end(key, Some(why), true);
            }
        }
    }

    fn send_frame(&self, call: &Call, (id, side): Key, sequence: u32, frame: Frame) {
        self.send(call.peer, call.quiet, id, side, sequence, frame);
    }

    fn send(
        &self,
        to: SocketAddr,
        quiet: bool,
        call: CallId,
        from: Side,
        sequence: u32,
        frame: Frame,
    ) {
        if CLOSED.get() || !self.is_alive() {
            return;
        }
        let name = frame.name();
        let datagram = Datagram {
            call,
            from,
            sequence,
            frame,
        };
        let bytes = datagram.encode();
        let digest = if quiet { 0 } else { xxh3_64(&bytes) };
        trace!(
            "n{} send {to} {call:x}/{from:?}/{sequence} {name} {digest:x}",
            self.0.host
        );
        let _ = self.0.socket.try_send_to(&bytes, to);
    }

    /// Sends the next frame of a call; false when the call is over.
    pub(super) fn push(&self, key: Key, frame: Frame) -> bool {
        let mut calls = self.calls();
        let Some(call) = calls.open.get_mut(&key) else {
            return false;
        };
        let sequence = call.sent;
        call.sent += 1;
        self.send_frame(call, key, sequence, frame);
        true
    }

    fn take(&self, datagram: Datagram, from: SocketAddr) {
        let Datagram {
            call: id,
            from: sender,
            sequence,
            frame,
        } = datagram;
        trace!(
            "n{} take {from} {id:x}/{sender:?}/{sequence} {}",
            self.0.host,
            frame.name()
        );
        let key = (id, sender.other());
        if matches!(frame, Frame::Reset) {
            return self.end(key, Some("the peer has reset the call"), false);
        }
        let mut calls = self.calls();
        if !calls.open.contains_key(&key) {
            let begins = key.1 == Side::Callee && !calls.has_ended(key);
            if !begins || self.0.service.is_none() {
                drop(calls);
                self.send(from, false, id, key.1, 0, Frame::Reset);
                return;
            }
            calls.open.insert(key, Call::new(from));
        }
        let Some(call) = calls.open.get_mut(&key) else {
            return;
        };
        call.hear(sequence, frame);
        let mut over = false;
        while let Some(frame) = call.next_frame() {
            over |= self.accept(key, call, frame);
        }
        drop(calls);
        if over {
            self.end(key, None, false);
        }
    }

    /// Takes the next frame in order; true when it was the last of a response.
    fn accept(&self, key: Key, call: &mut Call, frame: Frame) -> bool {
        match frame {
            Frame::Head(line, headers) if key.1 == Side::Callee => {
                self.answer(key, call, &line, headers);
            }
            Frame::Head(status, headers) => {
                if let Some(head) = call.head.take() {
                    let _ = head.send(Ok((status.parse().unwrap_or(500), headers)));
                }
            }
            Frame::Data(data) => {
                if let Some(body) = &call.body {
                    let _ = body.send(Ok(BodyFrame::data(data)));
                }
            }
            Frame::End(trailers) => {
                if let Some(body) = call.body.take()
                    && !trailers.is_empty()
                {
                    let _ = body.send(Ok(BodyFrame::trailers(trailers)));
                }
                return key.1 == Side::Caller;
            }
            Frame::Reset | Frame::Alive(_) => {}
        }
        false
    }

    /// Forgets a call of which everything was sent, without ending the task that says so.
    pub(super) fn finish(&self, key: Key) {
        let mut calls = self.calls();
        calls.open.remove(&key);
        calls.remember(key);
    }

    /// Sends a body, frame by frame.
    pub(super) async fn pump(&self, key: Key, mut body: Body) {
        let mut trailers = HeaderMap::new();
        while let Some(frame) = body::next_frame(&mut body).await {
            match frame.map(BodyFrame::into_data) {
                Ok(Ok(data)) => {
                    if !self.push(key, Frame::Data(data)) {
                        return;
                    }
                }
                Ok(Err(frame)) => trailers = frame.into_trailers().unwrap_or_default(),
                Err(_) => return self.end(key, Some("the body broke off"), true),
            }
        }
        self.push(key, Frame::End(trailers));
    }

    /// Ends a call: whoever waits for it hears why; the peer hears of it if `tell`.
    pub(super) fn end(&self, key: Key, why: Option<&str>, tell: bool) {
        let mut calls = self.calls();
        let Some(call) = calls.open.remove(&key) else {
            return;
        };
        calls.remember(key);
        drop(calls);
        if tell {
            self.send_frame(&call, key, 0, Frame::Reset);
        }
        if let Some(why) = why {
            trace!("n{} ends {:x}/{:?}: {why}", self.0.host, key.0, key.1);
            let status = || Status::unavailable(why.to_owned());
            if let Some(head) = call.head {
                let _ = head.send(Err(status()));
            }
            if let Some(body) = call.body {
                let _ = body.send(Err(status()));
            }
        }
        if let Some(task) = call.task {
            task.abort();
        }
    }
}

/// Where a host listens.
pub(super) fn address(host: &str) -> SocketAddr {
    SocketAddr::new(turmoil::lookup(host), PORT)
}

/// What nodes tell each other of their condition holds times measured on the real machine.
pub(super) fn is_quiet(path: &str) -> bool {
    path.ends_with("/Exchange")
}
