//! Changing who belongs to a cluster.

use farthing_proto::v1::admin_client::AdminClient;
use farthing_proto::v1::{
    AddLearnerRequest, AllotNodeIdRequest, ChangeVotersRequest, Member, MembersReply,
};

use crate::client::Client;
use crate::error::Error;
use crate::unary::Repeat;

impl Client {
    /// A node id that no node of the cluster had or will have. Asked twice, it gives out two.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn allot_node_id(&self) -> Result<u64, Error> {
        let reply = self
            .ask_leader(
                Repeat::Always, // an id that nobody takes is no loss
                AllotNodeIdRequest {},
                |channel, request| async move {
                    AdminClient::new(channel).allot_node_id(request).await
                },
            )
            .await?;
        Ok(reply.node_id)
    }

    /// Makes a node a learner: it gets the log and does not vote yet. The id is one that
    /// [`allot_node_id`](Client::allot_node_id) gave; the addresses are `host:port`. Answers
    /// with the members. Asked again with the same addresses, it changes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] with [`Reason::InvalidField`](crate::Reason::InvalidField) when the id
    /// was not given out or belongs to another node, with
    /// [`Reason::MembersChanging`](crate::Reason::MembersChanging) while another change is under
    /// way.
    pub async fn add_learner(
        &self,
        node_id: u64,
        client_address: &str,
        peer_address: &str,
    ) -> Result<Vec<Member>, Error> {
        let request = AddLearnerRequest {
            node_id,
            client_address: client_address.to_owned(),
            peer_address: peer_address.to_owned(),
        };
        let reply: MembersReply = self
            .ask_leader(Repeat::Always, request, |channel, request| async move {
                AdminClient::new(channel).add_learner(request).await
            })
            .await?;
        Ok(reply.members)
    }

    /// Makes learners voters and removes members, as one change, so that a replacement never
    /// leaves fewer voters than before. A leader that is to be removed hands over first.
    /// Answers with the members when the change is complete. Asked again, it changes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] with [`Reason::MemberBehind`](crate::Reason::MemberBehind) when a
    /// learner has not caught up, with [`Reason::MembersUnsafe`](crate::Reason::MembersUnsafe)
    /// when no majority of the new voters answers, with
    /// [`Reason::MembersChanging`](crate::Reason::MembersChanging) while another change is under
    /// way.
    pub async fn change_voters(&self, add: &[u64], remove: &[u64]) -> Result<Vec<Member>, Error> {
        let request = ChangeVotersRequest {
            add: add.to_vec(),
            remove: remove.to_vec(),
        };
        let reply: MembersReply = self
            .ask_leader(Repeat::Always, request, |channel, request| async move {
                AdminClient::new(channel).change_voters(request).await
            })
            .await?;
        Ok(reply.members)
    }
}
