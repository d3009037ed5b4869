//! What tools find out without our files: services and their descriptors by reflection, who serves by health.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::BTreeSet;
use std::sync::{Mutex, Weak};

use prost::Message as _;
use prost_types::FileDescriptorProto;
use support::{Client, Cluster, Shared, Slot, eventually};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

static SLOT: Slot = Mutex::new(Weak::new());

fn cluster() -> Shared {
    Shared::get(&SLOT, || Cluster::start(3))
}

/// Every service of the clients' listener that reflection must list, with one method and its input.
const SERVICES: [(&str, &str, &str); 7] = [
    (
        "farthing.v1.Accounts",
        "CreateAccounts",
        ".farthing.v1.CreateAccountsRequest",
    ),
    (
        "farthing.v1.Admin",
        "TransferLeader",
        ".farthing.v1.TransferLeaderRequest",
    ),
    (
        "farthing.v1.Ledgers",
        "LookupLedgers",
        ".farthing.v1.LookupLedgersRequest",
    ),
    (
        "farthing.v1.Packed",
        "SubmitStream",
        ".farthing.v1.SubmitRequest",
    ),
    (
        "farthing.v1.Queries",
        "AccountBalances",
        ".farthing.v1.AccountBalancesRequest",
    ),
    (
        "farthing.v1.Records",
        "WriteRecords",
        ".farthing.v1.WriteRecordsRequest",
    ),
    (
        "farthing.v1.Transfers",
        "CreateTransfers",
        ".farthing.v1.CreateTransfersRequest",
    ),
];

/// A reflection client of one version: the two differ in nothing but their package.
macro_rules! reflection_client {
    ($module:ident, $version:ident) => {
        mod $module {
            use super::Client;
            use tonic_reflection::pb::$version::ServerReflectionRequest;
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;

            /// The answer, or the code of a refusal, which may be a message or end the stream.
            async fn ask(client: &Client, request: MessageRequest) -> Result<MessageResponse, i32> {
                let request = ServerReflectionRequest {
                    host: String::new(),
                    message_request: Some(request),
                };
                let mut reflection = ServerReflectionClient::new(client.channel());
                let answers = reflection
                    .server_reflection_info(tokio_stream::once(request))
                    .await
                    .unwrap();
                match answers.into_inner().message().await {
                    Ok(answer) => match answer
                        .expect("an answer")
                        .message_response
                        .expect("with content")
                    {
                        MessageResponse::ErrorResponse(error) => Err(error.error_code),
                        response => Ok(response),
                    },
                    Err(status) => Err(status.code().into()),
                }
            }

            /// Names of the services.
            pub(super) async fn list(client: &Client) -> Vec<String> {
                match ask(client, MessageRequest::ListServices(String::new())).await {
                    Ok(MessageResponse::ListServicesResponse(list)) => list
                        .service
                        .into_iter()
                        .map(|service| service.name)
                        .collect(),
                    other => panic!("{other:?}"),
                }
            }

            /// The files that define a symbol, or the code of the refusal.
            pub(super) async fn files(client: &Client, symbol: &str) -> Result<Vec<Vec<u8>>, i32> {
                match ask(client, MessageRequest::FileContainingSymbol(symbol.into())).await? {
                    MessageResponse::FileDescriptorResponse(files) => {
                        Ok(files.file_descriptor_proto)
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    };
}

reflection_client!(reflection_v1, v1);
reflection_client!(reflection_v1alpha, v1alpha);

fn check_list(names: Vec<String>) {
    let names: BTreeSet<String> = names.into_iter().collect();
    for (service, _, _) in SERVICES {
        assert!(
            names.contains(service),
            "{service} is not listed: {names:?}"
        );
    }
    assert!(names.contains("grpc.health.v1.Health"), "{names:?}");
    let peers: Vec<&String> = names.iter().filter(|name| name.contains("peer")).collect();
    assert!(
        peers.is_empty(),
        "the peers' services are not served here: {peers:?}"
    );
}

/// The method is in the files of its service, with its input and output described in files that come along or by name.
fn check_method(files: &[Vec<u8>], service: &str, method: &str, input: &str) {
    let files: Vec<FileDescriptorProto> = files
        .iter()
        .map(|bytes| FileDescriptorProto::decode(bytes.as_slice()).unwrap())
        .collect();
    let found = files
        .iter()
        .flat_map(|file| {
            file.service
                .iter()
                .map(move |found| (file.package(), found))
        })
        .find(|(package, found)| format!("{package}.{}", found.name()) == service)
        .and_then(|(_, found)| found.method.iter().find(|found| found.name() == method));
    assert_eq!(
        found
            .unwrap_or_else(|| panic!("no {service}/{method}"))
            .input_type(),
        input
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reflection_lists_services_and_describes_methods_in_both_versions() {
    let cluster = cluster();
    for node in cluster.nodes() {
        let client = node.client();
        check_list(reflection_v1::list(&client).await);
        check_list(reflection_v1alpha::list(&client).await);
        for (service, method, input) in SERVICES {
            check_method(
                &reflection_v1::files(&client, service).await.unwrap(),
                service,
                method,
                input,
            );
            check_method(
                &reflection_v1alpha::files(&client, service).await.unwrap(),
                service,
                method,
                input,
            );
            // By the method's own name too.
            let symbol = format!("{service}.{method}");
            check_method(
                &reflection_v1::files(&client, &symbol).await.unwrap(),
                service,
                method,
                input,
            );
        }
        let not_found = i32::from(Code::NotFound);
        assert_eq!(
            reflection_v1::files(&client, "farthing.v1.Nothing").await,
            Err(not_found)
        );
        assert_eq!(
            reflection_v1alpha::files(&client, "farthing.v1.Nothing").await,
            Err(not_found)
        );
    }
}

async fn health(client: &Client, service: &str) -> Result<ServingStatus, Code> {
    let request = client.request(HealthCheckRequest {
        service: service.into(),
    });
    let answer = HealthClient::new(client.channel()).check(request).await;
    answer
        .map(|answer| answer.into_inner().status())
        .map_err(|status| status.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_answers_for_each_service() {
    let cluster = cluster();
    cluster.leader().await;
    for node in cluster.nodes() {
        let client = node.client();
        let services = SERVICES.iter().map(|(service, _, _)| *service).chain([""]);
        for service in services {
            let what = format!("{service:?} serves on node {}", node.id);
            eventually(&what, || async {
                (health(&client, service).await == Ok(ServingStatus::Serving)).then_some(())
            })
            .await;
        }
        assert_eq!(
            health(&client, "farthing.v1.Nothing").await,
            Err(Code::NotFound)
        );
    }
}

/// Load balancers find the leader by it: writing is served there and nowhere else, also after leadership has moved.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writing_is_served_by_the_leader_alone() {
    // Leadership moves, which other tests of this file must not notice.
    let cluster = Cluster::start(3);
    let first = cluster.leader().await.id;
    serves_writes_alone(&cluster, first).await;
    // Watchers are told, without asking again.
    let request = HealthCheckRequest {
        service: "farthing.v1.Write".into(),
    };
    let watch = HealthClient::new(cluster.node(first).client().channel())
        .watch(request)
        .await
        .unwrap();
    let mut watch = watch.into_inner();
    assert_eq!(
        watch.message().await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    let second = cluster.others(first).next().unwrap().id;
    let moved = cluster
        .node(first)
        .client()
        .transfer_leader(second)
        .await
        .unwrap();
    assert_eq!(moved.leader_id, second);
    assert_eq!(
        watch.message().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    serves_writes_alone(&cluster, second).await;
}

async fn serves_writes_alone(cluster: &Cluster, leader: u64) {
    eventually("writing is served by the leader alone", || async {
        let mut serving = Vec::new();
        for node in cluster.nodes() {
            match health(&node.client(), "farthing.v1.Write").await {
                Ok(ServingStatus::Serving) => serving.push(node.id),
                Ok(ServingStatus::NotServing) => {}
                other => panic!("node {}: {other:?}", node.id),
            }
        }
        (serving == [leader]).then_some(())
    })
    .await;
}
