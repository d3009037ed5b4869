//! What both kinds of tests work on, and how they look at it.

use std::sync::{Mutex, Weak};

use farthing_ledger::{RecordFlags, RecordItem, Transfer, VERSION_ANY};
use farthing_proto::v1::{self, WriteRecordStatus};

use crate::support::{
    Client, Cluster, Shared, Slot, account, fresh_id, fresh_ledger, packed_transfer,
};

static SLOT: Slot = Mutex::new(Weak::new());

/// Two accounts on a ledger of their own, and a namespace.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) ledger: u32,
    pub(crate) namespace: u32,
    pub(crate) a: u128,
    pub(crate) b: u128,
    _cluster: Shared,
}

impl World {
    pub(crate) async fn new() -> Self {
        let cluster = Shared::get(&SLOT, || Cluster::start(1));
        let client = cluster.leader_client().await;
        let (ledger, a, b) = (fresh_ledger(), fresh_id(), fresh_id());
        client
            .create_accounts(&[account(a, ledger), account(b, ledger)])
            .await
            .unwrap();
        // A number of its own serves as the namespace too.
        Self {
            client,
            ledger,
            namespace: ledger,
            a,
            b,
            _cluster: cluster,
        }
    }

    pub(crate) fn pays(&self, amount: u128) -> Transfer {
        packed_transfer(self.a, self.b, amount, self.ledger)
    }

    pub(crate) fn writes<'a>(&self, key: &'a [u8], value: &'a [u8]) -> RecordItem<'a> {
        RecordItem {
            operation_id: fresh_id(),
            expected_version: VERSION_ANY,
            namespace: self.namespace,
            flags: RecordFlags::default(),
            reserved: 0,
            key,
            value,
        }
    }

    /// The statuses of each section.
    pub(crate) async fn submit(&self, sections: Vec<v1::Section>) -> Vec<Vec<u32>> {
        let (results, _) = self.client.submit(sections).await.unwrap();
        results
            .iter()
            .map(|section| section.iter().map(|result| result.status).collect())
            .collect()
    }

    pub(crate) async fn write(&self, item: &v1::RecordItem) -> (WriteRecordStatus, u64) {
        let results = self
            .client
            .write_records(std::slice::from_ref(item))
            .await
            .unwrap();
        (results[0].status(), results[0].timestamp)
    }

    pub(crate) async fn paid(&self) -> u128 {
        let [_, debits, ..] = self.client.balances(self.a).await;
        let [.., credits] = self.client.balances(self.b).await;
        assert_eq!(debits, credits);
        debits
    }

    pub(crate) async fn value(&self, key: &[u8]) -> Option<(Vec<u8>, u64)> {
        let found = self.client.record(self.namespace, key).await;
        found
            .record
            .map(|record| (record.value.to_vec(), record.version))
    }
}
