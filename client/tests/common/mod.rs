//! The other end of the wire, in this process: real gRPC servers over a real ledger.
//!
//! The servers of a [`Cluster`] share one [`MemoryState`]; one of them leads. Every request
//! becomes an entry and goes through the ledger's `apply`, so chains, ids and statuses are
//! the true ones. What is pretended is only trouble: see [`Fault`].

#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

pub mod bank;
pub mod services;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use farthing_client::{Builder, Client};
use farthing_ledger::{EntryBuilder, EntryReader, MemoryState, RequestResults, View, apply};
use farthing_proto::error::Refused;
use farthing_proto::limits::MESSAGE_BYTES_MAX;
use farthing_proto::packed;
use farthing_proto::v1::admin_server::AdminServer;
use farthing_proto::v1::events_server::EventsServer;
use farthing_proto::v1::ledgers_server::LedgersServer;
use farthing_proto::v1::packed_server::PackedServer;
use farthing_proto::v1::records_server::RecordsServer;
use farthing_proto::v1::{LookupRequest, SubmitReply, SubmitRequest};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_stream::wrappers::TcpListenerStream;

pub const CLUSTER_ID: u128 = 0x0189_0a5d_ac96_774b_bcce_b302_099a_8057;

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is applied; then the stream breaks before the answer.
    LoseReply,
    /// It is applied and never answered; the stream stays.
    HangAfterApply,
    /// It is neither applied nor answered; the stream stays.
    Hang,
    /// It is refused with this.
    Refuse(Refused),
    /// It is applied and answered with this refusal.
    ApplyAndRefuse(Refused),
    /// It is applied and the answer is one result short.
    GarbleReply,
    /// It is applied and the first status is one of a newer server.
    NewerStatus,
}

/// Runs calls at the same time, each in a task of its own, and returns what they came to in their order.
pub async fn at_once<F>(calls: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let running: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    let mut outputs = Vec::new();
    for call in running {
        outputs.push(call.await.unwrap());
    }
    outputs
}

/// What the servers share.
pub struct Shared {
    pub state: MemoryState,
    pub log_index: u64,
    /// Node number of the leader; 0 = none.
    pub leader: usize,
    pub term: u64,
    /// Applied to the next requests that reach the leader, one each.
    pub faults: VecDeque<Fault>,
    /// Every request that reached the leader.
    pub requests: Vec<SubmitRequest>,
    pub lookups: Vec<LookupRequest>,
    /// Client addresses by node number - 1.
    pub addresses: Vec<String>,
    /// How long each request takes.
    pub delay: Duration,
    pub refuse_lookups: VecDeque<Refused>,
    /// What the last call that was not on a stream said of its time, in the form of gRPC.
    pub unary_timeout: Option<String>,
    pub cluster_id: u128,
    /// It does not look at the cluster id of calls.
    pub careless: bool,
    /// What becomes of the next event streams, one each.
    pub event_streams: VecDeque<services::events::Stream>,
    /// Streams for which nothing is said are of what truly happened.
    pub true_events: bool,
    /// Every subscription: the node's number and the first sequence.
    pub subscribed: Vec<(usize, u64)>,
}

impl Shared {
    pub fn apply(&mut self, request: &SubmitRequest) -> Result<SubmitReply, Refused> {
        let sections = packed::entry_sections(request)?;
        let mut entry = EntryBuilder::new(1);
        entry.push_sections(b"", &sections).unwrap();
        let bytes = entry.finish();
        let applied = apply(&self.state, &EntryReader::new(&bytes).unwrap()).unwrap();
        self.state.absorb(&applied.changes);
        self.log_index += 1;
        Ok(self.reply(request.request_number, &applied.results[0]))
    }

    fn reply(&self, request_number: u64, results: &RequestResults) -> SubmitReply {
        SubmitReply {
            request_number,
            results: results
                .sections
                .iter()
                .map(|section| packed::write_results(section))
                .collect(),
            log_index: self.log_index,
            refusal: None,
        }
    }

    pub fn leader_address(&self) -> String {
        match self.leader {
            0 => String::new(),
            node => self.addresses[node - 1].clone(),
        }
    }
}

/// Servers of one cluster on free ports.
pub struct Cluster {
    pub shared: Arc<Mutex<Shared>>,
    pub streams: Arc<AtomicUsize>,
    stops: Vec<Option<oneshot::Sender<()>>>,
}

impl Cluster {
    /// `nodes` servers; the first leads.
    pub async fn start(nodes: usize) -> Cluster {
        let shared = Arc::new(Mutex::new(Shared {
            state: MemoryState::new(),
            log_index: 0,
            leader: 1,
            term: 1,
            faults: VecDeque::new(),
            requests: Vec::new(),
            lookups: Vec::new(),
            addresses: Vec::new(),
            delay: Duration::ZERO,
            refuse_lookups: VecDeque::new(),
            unary_timeout: None,
            cluster_id: CLUSTER_ID,
            careless: false,
            event_streams: VecDeque::new(),
            true_events: false,
            subscribed: Vec::new(),
        }));
        let mut cluster = Cluster {
            shared,
            streams: Arc::new(AtomicUsize::new(0)),
            stops: Vec::new(),
        };
        for number in 1..=nodes {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            cluster.lock().addresses.push(address);
            let stop = cluster.serve(number, listener);
            cluster.stops.push(Some(stop));
        }
        cluster
    }

    fn serve(&self, number: usize, listener: TcpListener) -> oneshot::Sender<()> {
        let node = services::Node {
            number,
            shared: Arc::clone(&self.shared),
            streams: Arc::clone(&self.streams),
        };
        let (stop, stopped) = oneshot::channel();
        let packed = PackedServer::new(node.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let server = tonic::transport::Server::builder()
            .tcp_nodelay(true)
            .add_service(packed)
            .add_service(LedgersServer::new(node.clone()))
            .add_service(RecordsServer::new(node.clone()))
            .add_service(EventsServer::new(node.clone()))
            .add_service(AdminServer::new(node))
            .serve_with_incoming(TcpListenerStream::new(listener));
        // Each server has a runtime of its own, so that stopping it cuts its connections
        // like the death of a process.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::select! {
                    _ = server => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        stop
    }

    pub fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    /// Cuts a node off as if its process had died.
    pub async fn kill(&mut self, number: usize) {
        let address: SocketAddr = self.lock().addresses[number - 1].parse().unwrap();
        self.stops[number - 1].take().unwrap().send(()).unwrap();
        // The port is closed once nobody accepts there.
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub fn set_leader(&self, number: usize) {
        let mut shared = self.lock();
        shared.leader = number;
        shared.term += 1;
    }

    pub fn fault(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    pub fn address(&self, number: usize) -> String {
        self.lock().addresses[number - 1].clone()
    }

    /// Settings of a client that knows every node, impatient for the tests' sake.
    pub fn builder(&self) -> Builder {
        Client::builder()
            .endpoints(self.lock().addresses.clone())
            .backoff(Duration::from_millis(1), Duration::from_millis(20))
    }

    pub async fn client(&self) -> Client {
        self.builder().connect().await.unwrap()
    }

    /// How often requests reached the leader.
    pub fn request_count(&self) -> usize {
        self.lock().requests.len()
    }

    pub fn streams(&self) -> usize {
        self.streams.load(Ordering::SeqCst)
    }

    pub fn account(&self, id: farthing_ledger::AccountId) -> farthing_ledger::Account {
        self.lock().state.account(id).unwrap()
    }
}
