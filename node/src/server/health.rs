//! grpc.health.v1: the write services serve on the leader only, reads wherever a leader is known.

use std::time::Duration;

use tokio::task::JoinHandle;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::HealthReporter;

use super::context::Context;
use crate::consensus::Role;

/// How often the state is looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// Services that change something: clients find the leader by them.
const WRITE_SERVICES: [&str; 1] = ["farthing.v1.Write"];
const READ_SERVICES: [&str; 8] = [
    "",
    "farthing.v1.Packed",
    "farthing.v1.Ledgers",
    "farthing.v1.Accounts",
    "farthing.v1.Transfers",
    "farthing.v1.Queries",
    "farthing.v1.Records",
    "farthing.v1.Admin",
];

pub(super) async fn start(context: Context) -> (HealthServer<impl Health>, JoinHandle<()>) {
    let (reporter, server) = tonic_health::server::health_reporter();
    report(&reporter, &context).await;
    let task = tokio::spawn(async move {
        loop {
            tokio::time::sleep(PAUSE).await;
            report(&reporter, &context).await;
        }
    });
    (server, task)
}

async fn report(reporter: &HealthReporter, context: &Context) {
    let status = context.consensus().status();
    let serving = |yes: bool| {
        if yes {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        }
    };
    let outvoted = !context.consensus().verdict().serves();
    for service in WRITE_SERVICES {
        reporter
            .set_service_status(service, serving(status.role == Role::Leader && !outvoted))
            .await;
    }
    for service in READ_SERVICES {
        reporter
            .set_service_status(service, serving(status.leader.is_some() && !outvoted))
            .await;
    }
}
