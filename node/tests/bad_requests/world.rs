//! One node with a little money on it, and the proof that nothing happened to it.

use std::time::Duration;

use farthing_proto::v1::{CreateTransferStatus, Transfer};

use crate::support::{Client, Cluster, eventually, transfer};

/// A node with two accounts on a ledger with two decimals, and its state before the bad requests.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) client: Client,
    pub(crate) usd: u32,
    pub(crate) a: u128,
    pub(crate) b: u128,
    before: (u64, Vec<u8>),
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(flags: &[(&str, &str)]) -> Self {
        let cluster = Cluster::start_with(1, flags);
        let client = cluster.leader_client().await;
        let (usd, a, b) = client.two_accounts().await;
        let results = client
            .create_transfers(&[transfer(a, b, "12.34", usd)])
            .await
            .unwrap();
        assert_eq!(results[0].status(), CreateTransferStatus::Created);
        // The leader writes its own key, once, soon after it began to lead.
        eventually("the node's key in the log", || async {
            client.record(3, b"node-key/1").await.record
        })
        .await;
        let before = settled(&client).await;
        Self {
            cluster,
            client,
            usd,
            a,
            b,
            before,
        }
    }

    /// A transfer that would be created.
    pub(crate) fn good(&self) -> Transfer {
        transfer(self.a, self.b, "0.01", self.usd)
    }

    /// Nothing was written since the start, and the next honest request is served.
    pub(crate) async fn is_unchanged(&self) {
        assert_eq!(
            self.client.digest().await.unwrap(),
            self.before,
            "a bad request was written"
        );
        assert_eq!(self.client.balances(self.a).await, [0, 1_234, 0, 0]);
        let results = self.client.create_transfers(&[self.good()]).await.unwrap();
        assert_eq!(results[0].status(), CreateTransferStatus::Created);
        assert_eq!(self.client.balances(self.a).await, [0, 1_235, 0, 0]);
    }
}

/// Index and digest once a new leader has looked for what is due, which takes an entry of its own.
async fn settled(client: &Client) -> (u64, Vec<u8>) {
    let mut last = client.digest().await.unwrap();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = client.digest().await.unwrap();
        if now == last {
            return now;
        }
        last = now;
    }
}
