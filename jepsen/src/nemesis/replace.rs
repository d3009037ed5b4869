//! The one hand: an empty node under a new id takes the place of one that cannot come back, as `farthing cluster
//! replace` would do it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use farthing_proto::v1::admin_client::AdminClient;
use farthing_proto::v1::{AddLearnerRequest, AllotNodeIdRequest, ChangeVotersRequest};
use tokio::time::{Instant, sleep, timeout};
use tonic::Status;
use tonic::transport::Channel;

use super::field::Field;
use crate::history::Phase;

/// Longest wait for one command.
const COMMAND: Duration = Duration::from_secs(5);
/// All commands together: an election and a snapshot fit in.
const ALL: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(200);

/// Replaces the node in this place; counted as a hand. Nothing happens when that is under way already.
pub async fn replace(field: Arc<Field>, place: u64, why: String) {
    if !field.begins_replacing(place) {
        return;
    }
    field.note("hand", Phase::Blow, &[place], format!("replaced: {why}"));
    let node = field.cluster.node(place);
    node.kill();
    if let Err(error) = field.cluster.set_aside(place) {
        field.trouble(format!(
            "node {place}: its data cannot be set aside: {error}"
        ));
    }
    let until = Instant::now() + ALL;
    match member(&field, place, until).await {
        Ok(()) => field.reached("hand.replaced"),
        Err(status) => field.trouble(format!("node {place} cannot be replaced: {status}")),
    }
    field.replaced(place);
}

async fn member(field: &Field, place: u64, until: Instant) -> Result<(), Status> {
    let before = field.cluster.node(place).member();
    let id = join(field, place, until).await?;
    change(field, vec![id], vec![before], until).await
}

/// A new node in a place whose directory is empty: it gets an id, the leader is told, and it starts.
pub(super) async fn join(field: &Field, place: u64, until: Instant) -> Result<u64, Status> {
    let node = field.cluster.node(place);
    let allotted = leader(field, until, |mut admin| async move {
        admin.allot_node_id(AllotNodeIdRequest {}).await
    });
    let id = allotted.await?.node_id;
    let (client_address, peer_address) = node.addresses();
    let learner = AddLearnerRequest {
        node_id: id,
        client_address,
        peer_address,
    };
    leader(field, until, |mut admin| {
        let learner = learner.clone();
        async move { admin.add_learner(learner).await }
    })
    .await?;
    // A fault may have started it again meanwhile.
    node.kill();
    node.joins_as(id);
    field.start(place);
    Ok(id)
}

/// One change of voters, insisted on: a learner that has not caught up yet will have in a while.
pub(super) async fn change(
    field: &Field,
    add: Vec<u64>,
    remove: Vec<u64>,
    until: Instant,
) -> Result<(), Status> {
    let voters = ChangeVotersRequest { add, remove };
    leader(field, until, |mut admin| {
        let voters = voters.clone();
        async move { admin.change_voters(voters).await }
    })
    .await
    .map(|_| ())
}

/// Asks whoever leads until it is done. The commands change nothing when they come twice.
pub(super) async fn leader<T, F>(
    field: &Field,
    until: Instant,
    call: impl Fn(AdminClient<Channel>) -> F,
) -> Result<T, Status>
where
    F: Future<Output = Result<tonic::Response<T>, Status>>,
{
    let mut last = Status::unavailable("nobody leads");
    while Instant::now() < until {
        let leader = field.leader.load(Ordering::Relaxed);
        if leader != 0 {
            let address = format!("http://{}", field.cluster.node(leader).direct);
            let run = async {
                let admin = AdminClient::connect(address)
                    .await
                    .map_err(|error| Status::unavailable(error.to_string()))?;
                call(admin).await
            };
            match timeout(COMMAND, run).await {
                Ok(Ok(reply)) => return Ok(reply.into_inner()),
                Ok(Err(status)) => last = status,
                Err(_) => last = Status::deadline_exceeded("no answer"),
            }
        }
        sleep(PAUSE).await;
    }
    Err(last)
}
