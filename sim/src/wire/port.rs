//! One host's end of the network.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use farthing_node::consensus::channel::{CallError, Channel, Dial};
use http::{HeaderMap, Request, Response};
use http_body::{Body as _, Frame as BodyFrame};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tower::Service as _;
use tower::util::BoxCloneSyncService;
use turmoil::net::UdpSocket;
use xxhash_rust::xxh3::xxh3_64;

use super::body::Arriving;
use super::message::{CallId, Datagram, Frame, Side};
use crate::trace;

/// Where every host listens.
const PORT: u16 = 7_000;
/// Between two looks at all calls.
const LOOK: Duration = Duration::from_millis(100);
/// Between two signs of life of a call.
const ALIVE: Duration = Duration::from_millis(500);
/// A frame missing for longer breaks its call.
const GAP_MAX: Duration = Duration::from_millis(400);
/// Silence for longer breaks a call: what keepalive does to a connection.
const SILENCE_MAX: Duration = Duration::from_millis(2_500);
/// Ended calls remembered, so that late frames do not begin them again.
const ENDED_MAX: usize = 4_096;

/// What a host answers calls with.
pub type Service = Arc<dyn Fn(Request<Body>) -> ServiceFuture + Send + Sync>;

thread_local! {
    static CLOSED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the network of this thread is gone: what is dropped after the last step says nothing more.
pub fn set_closed(closed: bool) {
    CLOSED.set(closed);
}

type ServiceFuture = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;
type Frames = mpsc::UnboundedSender<Result<BodyFrame<Bytes>, Status>>;
type Key = (CallId, Side);

struct Call {
    peer: SocketAddr,
    /// Frames sent.
    sent: u32,
    /// Frames taken, in order.
    taken: u32,
    /// The most frames the other end is known to have sent.
    announced: u32,
    early: BTreeMap<u32, Frame>,
    behind_since: Option<Instant>,
    heard: Instant,
    /// The caller waits for it.
    head: Option<oneshot::Sender<Result<(u16, HeaderMap), Status>>>,
    body: Option<Frames>,
    /// What sends this end's frames.
    task: Option<AbortHandle>,
    /// Digests of what is said in it do not belong in the trace: they hold measured times.
    quiet: bool,
}

struct Inner {
    host: u64,
    socket: UdpSocket,
    alive: Arc<AtomicBool>,
    service: Option<Service>,
    state: Mutex<State>,
}

struct State {
    next_call: CallId,
    calls: BTreeMap<Key, Call>,
    ended: VecDeque<Key>,
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
            state: Mutex::new(State {
                next_call: (host << 48) | (start << 28),
                calls: BTreeMap::new(),
                ended: VecDeque::new(),
            }),
        }));
        tokio::spawn(port.clone().receive());
        tokio::spawn(port.clone().look());
        Ok(port)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
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
            let mut state = self.lock();
            for (key, call) in &mut state.calls {
                if call.announced > call.taken || !call.early.is_empty() {
                    let since = *call.behind_since.get_or_insert(now);
                    if now - since > GAP_MAX {
                        broken.push((*key, "a frame is missing"));
                        continue;
                    }
                } else {
                    call.behind_since = None;
                }
                if now - call.heard > SILENCE_MAX {
                    broken.push((*key, "the peer is silent"));
                } else if rounds.is_multiple_of((ALIVE.as_millis() / LOOK.as_millis()) as u32) {
                    self.send_frame(call, *key, 0, Frame::Alive(call.sent));
                }
            }
            drop(state);
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
        if CLOSED.get() || !self.0.alive.load(Ordering::Relaxed) {
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
    fn push(&self, key: Key, frame: Frame) -> bool {
        let mut state = self.lock();
        let Some(call) = state.calls.get_mut(&key) else {
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
        let mut state = self.lock();
        if !state.calls.contains_key(&key) {
            let known = key.1 == Side::Callee && !state.ended.contains(&key);
            if !known || self.0.service.is_none() {
                drop(state);
                self.send(from, false, id, key.1, 0, Frame::Reset);
                return;
            }
            state.calls.insert(key, Call::new(from));
        }
        let Some(call) = state.calls.get_mut(&key) else {
            return;
        };
        call.heard = Instant::now();
        match frame {
            Frame::Alive(count) => call.announced = call.announced.max(count),
            frame if sequence >= call.taken => {
                call.early.insert(sequence, frame);
            }
            _ => {}
        }
        let mut over = false;
        while let Some(frame) = call.early.remove(&call.taken) {
            call.taken += 1;
            over |= self.accept(key, call, frame);
        }
        drop(state);
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

    fn answer(&self, key: Key, call: &mut Call, path: &str, headers: HeaderMap) {
        let Some(service) = self.0.service.clone() else {
            return;
        };
        call.quiet = is_quiet(path);
        let (body, frames) = frame_queue();
        call.body = Some(body);
        let arriving = Arriving {
            frames,
            _cancel: None,
        };
        let mut request = Request::new(Body::new(arriving));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = path.parse().unwrap_or_default();
        *request.headers_mut() = headers;
        let port = self.clone();
        let task = tokio::spawn(async move {
            let response = match service(request).await {
                Ok(response) => response,
                Err(status) => status.into_http(),
            };
            let (parts, body) = response.into_parts();
            let status = parts.status.as_u16().to_string();
            if port.push(key, Frame::Head(status, parts.headers)) {
                port.pump(key, body).await;
            }
            port.finish(key);
        });
        call.task = Some(task.abort_handle());
    }

    /// Forgets a call of which everything was sent, without ending the task that says so.
    fn finish(&self, key: Key) {
        let mut state = self.lock();
        state.calls.remove(&key);
        state.remember(key);
    }

    /// Sends a body, frame by frame.
    async fn pump(&self, key: Key, mut body: Body) {
        let mut trailers = HeaderMap::new();
        while let Some(frame) =
            std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
        {
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
    fn end(&self, key: Key, why: Option<&str>, tell: bool) {
        let mut state = self.lock();
        let Some(call) = state.calls.remove(&key) else {
            return;
        };
        state.remember(key);
        drop(state);
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

    /// Calls another host.
    ///
    /// # Errors
    /// When the call breaks before it is answered.
    pub async fn call(&self, host: &str, request: Request<Body>) -> Result<Response<Body>, Status> {
        let peer = SocketAddr::new(turmoil::lookup(host), PORT);
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let (head, headed) = oneshot::channel();
        let (frames, arriving) = frame_queue();
        let call = Call {
            head: Some(head),
            body: Some(frames),
            quiet: is_quiet(&path),
            ..Call::new(peer)
        };
        let key = self.lock().begin(call);
        let cancel = Cancel {
            port: self.clone(),
            key,
        };
        self.push(key, Frame::Head(path, parts.headers));
        let port = self.clone();
        let task = tokio::spawn(async move { port.pump(key, body).await });
        if let Some(call) = self.lock().calls.get_mut(&key) {
            call.task = Some(task.abort_handle());
        }
        let gone = || Err(Status::unavailable("the call is over"));
        let (status, headers) = headed.await.unwrap_or_else(|_| gone())?;
        let arriving = Arriving {
            frames: arriving,
            _cancel: Some(cancel),
        };
        let mut response = Response::new(Body::new(arriving));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        *response.headers_mut() = headers;
        Ok(response)
    }

    /// Calls with one message and waits for one, for what is not gRPC.
    ///
    /// # Errors
    /// When the call breaks before it is answered.
    pub async fn ask(&self, host: &str, path: &str, message: Bytes) -> Result<Bytes, Status> {
        let (frames, arriving) = frame_queue();
        let _ = frames.send(Ok(BodyFrame::data(message)));
        drop(frames);
        let body = Arriving {
            frames: arriving,
            _cancel: None,
        };
        let mut request = Request::new(Body::new(body));
        *request.uri_mut() = path.parse().unwrap_or_default();
        let response = self.call(host, request).await?;
        read_all(response.into_body()).await
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a run ends, and a peer that sends without end is what it looks for"
)]
fn frame_queue() -> (
    Frames,
    mpsc::UnboundedReceiver<Result<BodyFrame<Bytes>, Status>>,
) {
    mpsc::unbounded_channel()
}

/// All bytes of a body.
///
/// # Errors
/// When it breaks off.
pub(crate) async fn read_all(mut body: Body) -> Result<Bytes, Status> {
    let mut bytes = Vec::new();
    while let Some(frame) =
        std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(Bytes::from(bytes))
}

/// A response of one message.
pub(crate) fn whole(message: Vec<u8>) -> Response<Body> {
    let (frames, arriving) = frame_queue();
    let _ = frames.send(Ok(BodyFrame::data(Bytes::from(message))));
    Response::new(Body::new(Arriving {
        frames: arriving,
        _cancel: None,
    }))
}

/// What nodes tell each other of their condition holds times measured on the real machine.
fn is_quiet(path: &str) -> bool {
    path.ends_with("/Exchange")
}

impl Call {
    fn new(peer: SocketAddr) -> Self {
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
}

impl State {
    fn begin(&mut self, call: Call) -> Key {
        let key = (self.next_call, Side::Caller);
        self.next_call += 1;
        self.calls.insert(key, call);
        key
    }

    fn remember(&mut self, key: Key) {
        if self.ended.len() == ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(key);
    }
}

/// Resets a call whose caller has lost interest.
pub(super) struct Cancel {
    port: Port,
    key: Key,
}

impl Drop for Cancel {
    fn drop(&mut self) {
        if self.port.0.alive.load(Ordering::Relaxed) {
            self.port.end(self.key, None, true);
        }
    }
}

impl Dial for Port {
    fn dial(&self, address: &str) -> Result<Channel, String> {
        let host = address.to_owned();
        let port = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (port, host) = (port.clone(), host.clone());
            async move {
                let answered = port.call(&host, request).await;
                answered.map_err(|status| CallError(Box::new(status)))
            }
        });
        Ok(BoxCloneSyncService::new(service))
    }
}

/// The service of a channel.
pub(crate) fn through(channel: Channel) -> Service {
    Arc::new(move |request| {
        let mut channel = channel.clone();
        Box::pin(async move {
            let ready = std::future::poll_fn(|context| channel.poll_ready(context)).await;
            let result = match ready {
                Ok(()) => channel.call(request).await,
                Err(error) => Err(error),
            };
            result.map_err(|error| Status::from_error(error.0))
        })
    })
}
