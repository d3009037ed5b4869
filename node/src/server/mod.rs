//! The clients' listener: gRPC in, decoded requests to admission, lookups to query, answers out.
//!
//! It checks shapes and identity and translates; it decides nothing about money. One file per service. Limits are
//! explicit: message sizes, streams per connection, requests under way on one stream.

mod accounts;
mod admin;
mod context;
mod events;
mod health;
mod keys;
mod ledgers;
mod members;
mod own_records;
mod packed;
mod queries;
mod records;
mod scales;
mod status;
mod transfers;
mod verify;

use std::time::Duration;

use farthing_proto::error::{Reason, Refused};
use farthing_proto::limits::MESSAGE_BYTES_MAX;
use farthing_proto::v1;
use tonic::service::interceptor::InterceptedService;
use tonic::{Request, Status};

pub use self::context::{Context, Doors, Identity, Layers};
pub(crate) use self::ledgers::parse_token as parse_page_token;
use crate::listener::{self, HeldMax, Limits, Listener, Weigh};

/// Flow control of client connections: small, because ten thousand idle ones must not cost memory.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 2 << 20;
/// Calls and streams under way on one connection.
const CONCURRENT_STREAMS_MAX: u32 = 1_024;
/// Bytes of one frame of a client.
const FRAME_BYTES: u32 = 16 << 10;

/// What clients may make the node hold: a connection as many requests of the largest size as the door lets in.
pub const HELD_MAX: HeldMax = HeldMax {
    connection_bytes: 64 << 20,
    all_bytes: 256 << 20,
};

/// What one connection of a client may do, asked for signs of life as the settings say.
#[must_use]
pub fn limits(keepalive_interval: Duration, keepalive_timeout: Duration) -> Limits {
    Limits {
        stream_window_bytes: STREAM_WINDOW_BYTES,
        connection_window_bytes: CONNECTION_WINDOW_BYTES,
        frame_bytes: FRAME_BYTES,
        streams_max: CONCURRENT_STREAMS_MAX,
        keepalive_interval,
        keepalive_timeout,
    }
}

/// Refuses callers that know another cluster.
fn check_cluster(context: Context) -> impl Fn(Request<()>) -> Result<Request<()>, Status> + Clone {
    move |request| context.check_cluster(request.metadata()).map(|()| request)
}

macro_rules! service {
    ($server:path, $implementation:expr, $context:expr) => {{
        let server = <$server>::new($implementation)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        InterceptedService::new(server, check_cluster($context.clone()))
    }};
}

/// When a caller that made the node hold too much may come back.
const HELD_RETRY_AFTER: Duration = Duration::from_millis(500);

/// What a caller is told that makes the node hold too much.
fn overloaded(message: String) -> Status {
    let refused = Refused::new(Reason::Overloaded, message);
    refused.with_retry_after(HELD_RETRY_AFTER).into()
}

/// Serves until `stop` resolves; calls under way then get a few seconds to end.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: Listener,
    limits: &Limits,
    context: Context,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    use farthing_proto::v1::{
        accounts_server::AccountsServer, admin_server::AdminServer, events_server::EventsServer,
        ledgers_server::LedgersServer, packed_server::PackedServer, queries_server::QueriesServer,
        records_server::RecordsServer, transfers_server::TransfersServer,
    };
    let ending = context.clone();
    let stop = async move {
        stop.await;
        ending.stop();
    };
    let address = listener.local_addr()?;
    let incoming = listener.accept()?;
    let (health, health_task) = health::start(context.clone()).await;
    let keys_task = tokio::spawn(keys::keep_written(context.clone()));
    let reflection_v1 = reflection().build_v1()?;
    let reflection_alpha = reflection().build_v1alpha()?;
    tracing::info!(%address, "serving clients");
    let result = listener::server(limits)
        .layer(Weigh { refuse: overloaded })
        .add_service(health)
        .add_service(reflection_v1)
        .add_service(reflection_alpha)
        .add_service(service!(
            PackedServer<packed::Service>,
            packed::Service(context.clone()),
            context
        ))
        .add_service(service!(
            LedgersServer<ledgers::Service>,
            ledgers::Service(context.clone()),
            context
        ))
        .add_service(service!(
            AccountsServer<accounts::Service>,
            accounts::Service(context.clone()),
            context
        ))
        .add_service(service!(
            TransfersServer<transfers::Service>,
            transfers::Service(context.clone()),
            context
        ))
        .add_service(service!(
            QueriesServer<queries::Service>,
            queries::Service(context.clone()),
            context
        ))
        .add_service(service!(
            RecordsServer<records::Service>,
            records::Service(context.clone()),
            context
        ))
        .add_service(service!(
            EventsServer<events::Service>,
            events::Service(context.clone()),
            context
        ))
        .add_service(service!(
            AdminServer<admin::Service>,
            admin::Service(context.clone()),
            context
        ))
        .serve_with_incoming_shutdown(incoming, stop)
        .await;
    health_task.abort();
    keys_task.abort();
    Ok(result?)
}

/// Describes what this listener serves, and not the peers' service, which is on another.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    let builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(farthing_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("grpc.health.v1.Health");
    [
        "Packed",
        "Ledgers",
        "Accounts",
        "Transfers",
        "Queries",
        "Events",
        "Records",
        "Admin",
    ]
    .iter()
    .fold(builder, |builder, service| {
        builder.with_service_name(format!("farthing.v1.{service}"))
    })
}

/// Results of one section, which a request of one section always has.
fn only_section(answer: crate::admission::Answer) -> (Vec<farthing_ledger::ItemResult>, u64) {
    (
        answer
            .results
            .sections
            .into_iter()
            .next()
            .unwrap_or_default(),
        answer.log_index,
    )
}

/// The role as the wire has it.
fn role(role: crate::consensus::Role) -> v1::Role {
    use crate::consensus::Role;
    match role {
        Role::Leader => v1::Role::Leader,
        Role::Follower => v1::Role::Follower,
        Role::Candidate => v1::Role::Candidate,
        Role::Learner => v1::Role::Learner,
        Role::Stopping => v1::Role::Unspecified,
    }
}
