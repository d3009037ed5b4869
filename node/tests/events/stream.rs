//! A subscriber of the tests, and something to subscribe to.

use std::collections::HashMap;
use std::time::Duration;

use farthing_ledger::{Balances, TransferRow};
use farthing_proofs::Change;
use farthing_proto::v1::{self, SubscribeReply, SubscribeRequest};
use tonic::{Status, Streaming};

use crate::support::{
    Client, Cluster, account, fresh_id, fresh_ledger, ledger, pending, post, record, transfer,
    uuid, void,
};

/// Everything from the first event on, as bytes.
pub(crate) fn packed() -> SubscribeRequest {
    SubscribeRequest {
        packed: true,
        ..SubscribeRequest::default()
    }
}

/// A subscription that is never given more than `PATIENCE` to say something.
pub(crate) struct Stream(Streaming<SubscribeReply>);

impl Stream {
    pub(crate) async fn open(client: &Client, request: SubscribeRequest) -> Result<Self, Status> {
        let stream = client.events().subscribe(request).await?.into_inner();
        Ok(Self(stream))
    }

    pub(crate) async fn next(&mut self) -> Option<Result<SubscribeReply, Status>> {
        let next = tokio::time::timeout(crate::support::PATIENCE, self.0.message());
        next.await.expect("a sign of life").transpose()
    }

    /// The packed events up to a sequence.
    pub(crate) async fn up_to(&mut self, sequence: u64) -> Vec<Vec<u8>> {
        let mut events = vec![];
        loop {
            let reply = self.next().await.expect("more").unwrap();
            let mut rest = reply.packed.as_ref();
            while let Some((length, more)) = rest.split_first_chunk() {
                let (event, more) = more.split_at(u32::from_le_bytes(*length) as usize);
                events.push(event.to_vec());
                rest = more;
            }
            if reply.last_sequence >= sequence {
                return events;
            }
        }
    }
}

/// What happened on a cluster.
pub(crate) struct World {
    pub(crate) usd: u32,
    pub(crate) a: u128,
    pub(crate) b: u128,
    /// The last sequence.
    pub(crate) last: u64,
}

impl World {
    /// Something of every kind.
    pub(crate) async fn make(cluster: &Cluster) -> Self {
        let client = cluster.leader_client().await;
        let (usd, a, b) = (fresh_ledger(), fresh_id(), fresh_id());
        client
            .create_ledgers(&[ledger(usd, "USD", 2)])
            .await
            .unwrap();
        client
            .create_accounts(&[account(a, usd), account(b, usd)])
            .await
            .unwrap();
        let (posted, voided, expired) = (fresh_id(), fresh_id(), fresh_id());
        let short = v1::Transfer {
            timeout_s: 1,
            ..pending(expired, a, b, "0.07", usd)
        };
        let refused = transfer(a, fresh_id(), "1.00", usd);
        let items = [
            transfer(a, b, "2.50", usd),
            refused,
            pending(posted, a, b, "1.00", usd),
            pending(voided, a, b, "3.00", usd),
            short,
            post(posted),
            void(voided),
            v1::Transfer {
                code: 9,
                ..transfer(b, a, "0.20", usd)
            },
        ];
        let results = client.create_transfers(&items).await.unwrap();
        let refused = results.iter().filter(|result| result.status != 0).count();
        assert_eq!(refused, 1, "{results:?}");
        client
            .write_records(&[record(1_234, b"key", b"value")])
            .await
            .unwrap();
        let mut world = Self { usd, a, b, last: 0 };
        world
            .wait_for(
                &client,
                |change| matches!(change, Change::Event(event) if event.kind() == 4),
            )
            .await;
        world
    }

    /// Follows until an event that is wanted.
    pub(crate) async fn wait_for(&mut self, client: &Client, wanted: impl Fn(&Change) -> bool) {
        let request = SubscribeRequest {
            from_sequence: self.last + 1,
            ..packed()
        };
        let mut stream = Stream::open(client, request).await.unwrap();
        loop {
            for bytes in stream.up_to(self.last + 1).await {
                let change = Change::from_bytes(&bytes).unwrap();
                self.last = change.sequence();
                if wanted(&change) {
                    return;
                }
            }
        }
    }
}

/// Balances recomputed from the transfers and expiries of a stream, by account.
#[derive(Default)]
pub(crate) struct Books(HashMap<u128, Balances>);

impl Books {
    /// Carries out a transfer and checks the balances that its event says.
    pub(crate) fn carry_out(&mut self, row: &TransferRow, reserved: &HashMap<u128, u128>) {
        let transfer = &row.transfer;
        let pending = reserved
            .get(&transfer.pending_id.0)
            .copied()
            .unwrap_or_default();
        let flags = transfer.flags;
        use farthing_ledger::TransferFlags as Flags;
        for (id, after, debit) in [
            (transfer.debit_account_id, &row.debit_after, true),
            (transfer.credit_account_id, &row.credit_after, false),
        ] {
            let balances = self.0.entry(id.0).or_default();
            let (reserved, posted) = if debit {
                (&mut balances.debits_pending, &mut balances.debits_posted)
            } else {
                (&mut balances.credits_pending, &mut balances.credits_posted)
            };
            if flags.contains(Flags::PENDING) {
                *reserved += transfer.amount;
            } else {
                *reserved -= pending;
                if !flags.contains(Flags::VOID_PENDING_TRANSFER) {
                    *posted += transfer.amount;
                }
            }
            assert_eq!(balances, after, "{transfer:?}");
        }
    }

    /// Releases what a pending transfer reserved, when it expires.
    pub(crate) fn expire(
        &mut self,
        debit: u128,
        credit: u128,
        amount: u128,
    ) -> (Balances, Balances) {
        let balances = self.0.entry(debit).or_default();
        balances.debits_pending -= amount;
        let debit = *balances;
        let balances = self.0.entry(credit).or_default();
        balances.credits_pending -= amount;
        (debit, *balances)
    }

    pub(crate) fn of(&self, account: u128) -> Balances {
        self.0.get(&account).copied().unwrap_or_default()
    }
}

/// A moment, for what must not happen.
pub(crate) const MOMENT: Duration = Duration::from_millis(1_500);

/// The text of an id.
pub(crate) fn id(id: u128) -> String {
    uuid(id)
}
