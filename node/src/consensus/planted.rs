//! A bug on purpose (see `crate::planted`): replication that counts a peer as having what was only sent to it.

use std::time::Duration;

use farthing_proto::peer::v1::peer_client::PeerClient;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use openraft::errors::RPCError;
use openraft::raft::{AppendEntriesRequest, StreamAppendResult};

use super::channel::Channel;
use super::convert;
use super::network::Network;
use super::types::TypeConfig;

/// An append is answered as accepted within 20 ms, whatever the peer says.
pub(super) fn unheard<S>(
    network: Network,
    target: u64,
    client: PeerClient<Channel>,
    input: S,
) -> BoxStream<'static, Result<StreamAppendResult<TypeConfig>, RPCError<TypeConfig>>>
where
    S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + 'static,
{
    let replies = input.then(move |request| {
        let (network, mut client) = (network.clone(), client.clone());
        async move {
            let last = request.entries.last().map(|entry| entry.log_id);
            let last = last.or(request.prev_log_id);
            if let Ok(message) = convert::append_to_wire(&request) {
                let call = client.append(network.request(target, message));
                let _ = tokio::time::timeout(Duration::from_millis(20), call).await;
            }
            Ok(Ok(last))
        }
    });
    replies.boxed()
}
