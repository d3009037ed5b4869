//! Money on a cluster, and a record of everything that was acknowledged.

use farthing_ledger::{CreateTransferStatus, Transfer};
use farthing_proto::packed::transfers_section;

use crate::support::{Client, Cluster, account, fresh_id, fresh_ledger, packed_transfer};

/// Two accounts; every transfer moves 1 from the first to the second.
pub(crate) struct Bank {
    pub(crate) ledger: u32,
    pub(crate) from: u128,
    pub(crate) to: u128,
    /// Ids of acknowledged transfers.
    pub(crate) acknowledged: Vec<u128>,
}

impl Bank {
    pub(crate) async fn open(cluster: &Cluster) -> Self {
        let (ledger, from, to) = (fresh_ledger(), fresh_id(), fresh_id());
        let accounts = [account(from, ledger), account(to, ledger)];
        cluster
            .leader_client()
            .await
            .create_accounts(&accounts)
            .await
            .unwrap();
        Self {
            ledger,
            from,
            to,
            acknowledged: Vec::new(),
        }
    }

    pub(crate) fn transfer(&self) -> Transfer {
        packed_transfer(self.from, self.to, 1, self.ledger)
    }

    /// Sends transfers one by one, each with the same id until a node acknowledges it.
    pub(crate) async fn pay(&mut self, cluster: &Cluster, count: usize) {
        for _ in 0..count {
            let transfer = self.transfer();
            self.settle(cluster, transfer).await;
        }
    }

    /// Sends one transfer until it is acknowledged; it may have been sent before.
    pub(crate) async fn settle(&mut self, cluster: &Cluster, transfer: Transfer) {
        let call = |client: Client| async move {
            client.submit(vec![transfers_section(&[transfer])]).await
        };
        let (results, _) = cluster.until_answered(call).await;
        let status = CreateTransferStatus::from_code(results[0][0].status);
        let settled = matches!(
            status,
            Some(CreateTransferStatus::Created | CreateTransferStatus::Exists)
        );
        assert!(settled, "{status:?}");
        self.acknowledged.push(transfer.id.0);
    }

    /// Everything acknowledged is there, and counted once.
    pub(crate) async fn check(&self, client: &Client) {
        let found = client.lookup_transfers(&self.acknowledged).await.unwrap();
        let lost: Vec<usize> = (0..found.len())
            .filter(|number| found[*number].is_none())
            .collect();
        assert!(
            lost.is_empty(),
            "acknowledged and lost: {lost:?} of {}",
            found.len()
        );
        let count = self.acknowledged.len() as u128;
        assert_eq!(client.balances(self.from).await, [0, count, 0, 0]);
        assert_eq!(client.balances(self.to).await, [0, 0, 0, count]);
    }
}
