//! What holds are made on, and how it is looked at.

use std::sync::{Mutex, Weak};

use farthing_proto::v1::{self, CreateTransferStatus as Status, Transfer};

use crate::support::{Client, Cluster, Shared, Slot, pending};

static SLOT: Slot = Mutex::new(Weak::new());

/// Two accounts on a ledger with two decimals.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) usd: u32,
    pub(crate) a: u128,
    pub(crate) b: u128,
    _cluster: Shared,
}

impl World {
    pub(crate) async fn new() -> Self {
        let cluster = Shared::get(&SLOT, || Cluster::start(1));
        let client = cluster.leader_client().await;
        let (usd, a, b) = client.two_accounts().await;
        Self {
            client,
            usd,
            a,
            b,
            _cluster: cluster,
        }
    }

    pub(crate) fn held(&self, id: u128, amount: &str) -> Transfer {
        pending(id, self.a, self.b, amount, self.usd)
    }

    pub(crate) async fn statuses(&self, items: &[Transfer]) -> Vec<Status> {
        let results = self.client.create_transfers(items).await.unwrap();
        results
            .iter()
            .map(v1::CreateTransferResult::status)
            .collect()
    }

    /// Debits of `a`: pending and posted; those of `b`'s credits must be the same.
    pub(crate) async fn held_and_paid(&self) -> (u128, u128) {
        let rows = self
            .client
            .lookup_accounts(&[self.a, self.b])
            .await
            .unwrap();
        let (a, b) = (rows[0].unwrap(), rows[1].unwrap());
        assert_eq!(
            (a.debits_pending, a.debits_posted),
            (b.credits_pending, b.credits_posted)
        );
        assert_eq!(
            (
                a.credits_pending,
                a.credits_posted,
                b.debits_pending,
                b.debits_posted
            ),
            (0, 0, 0, 0)
        );
        (a.debits_pending, a.debits_posted)
    }
}
