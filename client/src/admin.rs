//! What an operator asks.

use farthing_proto::v1::admin_client::AdminClient;
use farthing_proto::v1::{
    CompactReply, CompactRequest, DigestRequest, SnapshotRequest, StatusReply, TransferLeaderReply,
    TransferLeaderRequest, VerifyProgress, VerifyReport, VerifyRequest, verify_reply,
};
use futures::future::join_all;
use futures::stream::{Stream, StreamExt};

use crate::client::Client;
use crate::config::address;
use crate::error::Error;
use crate::transport::failure::Failure;
use crate::unary::Repeat;

/// The state digest of a node at a log index: equal indexes have equal digests everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// The log index.
    pub index: u64,
    /// The digest.
    pub digest: u128,
}

/// One message of a verification.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum VerifyStep {
    /// It goes on.
    Progress(VerifyProgress),
    /// It is done.
    Report(VerifyReport),
}

impl Client {
    /// What one node is and knows. Any node answers, in every state.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn status(&self, endpoint: &str) -> Result<StatusReply, Error> {
        let router = self.router();
        let endpoint = address(endpoint);
        let channel = router.channel(&endpoint).map_err(Failure::into_error)?;
        router
            .ask_on(&endpoint, channel, self.deadline())
            .await
            .map_err(Failure::into_error)
    }

    /// What every known node says of itself, given endpoints and learned members alike; a
    /// node that does not answer within a second is an error beside its address.
    pub async fn statuses(&self) -> Vec<(String, Result<StatusReply, Error>)> {
        let router = self.router();
        let mut answers: Vec<(String, Result<StatusReply, Error>)> = Vec::new();
        // Asking the first ones may teach the others; the list only grows and is bounded.
        loop {
            let unasked: Vec<String> = router
                .endpoints()
                .into_iter()
                .filter(|endpoint| !answers.iter().any(|(asked, _)| asked == endpoint))
                .collect();
            if unasked.is_empty() {
                return answers;
            }
            let said = join_all(unasked.iter().map(|endpoint| router.ask(endpoint))).await;
            answers.extend(
                unasked
                    .into_iter()
                    .zip(said)
                    .map(|(endpoint, said)| (endpoint, said.map_err(Failure::into_error))),
            );
        }
    }

    /// The state digest of one node; `at_index` 0 = at its applied index.
    ///
    /// # Errors
    /// [`Error::Refused`] with [`Reason::DigestNotKept`](crate::Reason::DigestNotKept) when
    /// the node does not keep it.
    pub async fn digest(&self, endpoint: &str, at_index: u64) -> Result<Digest, Error> {
        let endpoint = address(endpoint);
        let reply = self
            .ask_endpoint(
                &endpoint,
                DigestRequest { at_index },
                |channel, request| async move { AdminClient::new(channel).digest(request).await },
            )
            .await?;
        let digest =
            <[u8; 16]>::try_from(reply.digest.as_ref()).map_err(|_| Error::Unreadable {
                address: endpoint,
                message: format!("a digest has 16 bytes, not {}", reply.digest.len()),
            })?;
        Ok(Digest {
            index: reply.index,
            digest: u128::from_be_bytes(digest),
        })
    }

    /// Hands leadership to a node, or to any voter that is not behind. Answers when the
    /// other node leads. It is not asked for twice: after an error look at
    /// [`statuses`](Client::statuses).
    ///
    /// # Errors
    /// [`Error::Refused`] with
    /// [`Reason::LeaderTransferFailed`](crate::Reason::LeaderTransferFailed) when it did not
    /// move in time.
    pub async fn transfer_leader(&self, to: Option<u64>) -> Result<TransferLeaderReply, Error> {
        let request = TransferLeaderRequest {
            to: to.unwrap_or(0),
        };
        self.ask_leader(Repeat::WhenNotDone, request, |channel, request| async move {
            AdminClient::new(channel).transfer_leader(request).await
        })
        .await
    }

    /// Makes one node read its whole state and check the invariants. The stream ends with
    /// a report; it has no deadline of its own, since a large state takes its time.
    ///
    /// # Errors
    /// See [`Error`]; the stream gives errors too.
    pub async fn verify(
        &self,
        endpoint: &str,
    ) -> Result<impl Stream<Item = Result<VerifyStep, Error>> + Send + use<>, Error> {
        let endpoint = address(endpoint);
        let router = self.router();
        let channel = router.channel(&endpoint).map_err(Failure::into_error)?;
        let mut request = tonic::Request::new(VerifyRequest {});
        router.identity.stamp(request.metadata_mut());
        let mut client = AdminClient::new(channel);
        let response = tokio::time::timeout_at(self.ends_at(), client.verify(request))
            .await
            .map_err(|_| Error::Deadline {
                cause: format!("{endpoint}: verification did not begin"),
            })?
            .map_err(|status| Failure::from_status(&endpoint, &status).into_error())?;
        router
            .identity
            .check(&endpoint, response.metadata())
            .map_err(Failure::into_error)?;
        Ok(response.into_inner().filter_map(move |message| {
            let step = match message {
                Ok(reply) => reply.step.map(|step| {
                    Ok(match step {
                        verify_reply::Step::Progress(progress) => VerifyStep::Progress(progress),
                        verify_reply::Step::Report(report) => VerifyStep::Report(report),
                    })
                }),
                Err(status) => Some(Err(Failure::from_status(&endpoint, &status).into_error())),
            };
            std::future::ready(step)
        }))
    }

    /// Makes one node's state durable and takes a snapshot; answers with its log index.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn snapshot(&self, endpoint: &str) -> Result<u64, Error> {
        let reply = self
            .ask_endpoint(
                &address(endpoint),
                SnapshotRequest {},
                |channel, request| async move { AdminClient::new(channel).snapshot(request).await },
            )
            .await?;
        Ok(reply.index)
    }

    /// Makes one node's state durable and compacts it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn compact(&self, endpoint: &str) -> Result<CompactReply, Error> {
        self.ask_endpoint(
            &address(endpoint),
            CompactRequest {},
            |channel, request| async move { AdminClient::new(channel).compact(request).await },
        )
        .await
    }
}
