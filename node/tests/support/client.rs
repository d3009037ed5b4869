//! Calls to one node by the generated clients, each with a deadline.

use std::time::Duration;

use farthing_ledger::{Account, ItemResult, Pending, Transfer};
use farthing_proto::limits::MESSAGE_BYTES_MAX;
use farthing_proto::packed::{LookedUp, read_lookup, read_results, write_ids};
use farthing_proto::v1::accounts_client::AccountsClient;
use farthing_proto::v1::admin_client::AdminClient;
use farthing_proto::v1::consistency::Level;
use farthing_proto::v1::events_client::EventsClient;
use farthing_proto::v1::ledgers_client::LedgersClient;
use farthing_proto::v1::packed_client::PackedClient;
use farthing_proto::v1::queries_client::QueriesClient;
use farthing_proto::v1::records_client::RecordsClient;
use farthing_proto::v1::transfers_client::TransfersClient;
use farthing_proto::v1::{self, Consistency, LookupKind};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::{account, fresh_id, fresh_ledger, ledger, uuid};

type Answer<T> = Result<T, Status>;

/// Calls to one address. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    channel: Channel,
    deadline: Duration,
    /// What packed messages say themselves; 0 = nothing.
    message_deadline_ms: u32,
    consistency: Option<Consistency>,
}

macro_rules! services {
    ($($name:ident: $client:ident;)+) => {
        $(
            pub(crate) fn $name(&self) -> $client<Channel> {
                $client::new(self.channel.clone())
                    .max_decoding_message_size(MESSAGE_BYTES_MAX)
                    .max_encoding_message_size(usize::MAX)
            }
        )+
    };
}

macro_rules! creations {
    ($($name:ident($service:ident, $request:ident { $field:ident: $item:ident }) -> $result:ident;)+) => {
        $(
            pub(crate) async fn $name(&self, items: &[v1::$item]) -> Answer<Vec<v1::$result>> {
                let request = self.request(v1::$request { $field: items.to_vec() });
                let results = self.$service().$name(request).await?.into_inner().results;
                assert_eq!(results.len(), items.len(), "one result for each item");
                Ok(results)
            }
        )+
    };
}

impl Client {
    /// Connects when the first call needs it.
    pub(crate) fn new(address: &str) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let channel = endpoint
            .connect_timeout(Duration::from_secs(2))
            .tcp_nodelay(true)
            .connect_lazy();
        Self {
            channel,
            deadline: Duration::from_secs(10),
            message_deadline_ms: 0,
            consistency: None,
        }
    }

    pub(crate) fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Packed messages carry the deadline, and the connection has more time: what is answered then is the node's answer
    /// and not that of the caller's own clock, which a busy machine may read first.
    pub(crate) fn with_message_deadline(mut self, deadline: Duration) -> Self {
        self.message_deadline_ms = deadline.as_millis().try_into().unwrap();
        self
    }

    /// Lookups read whatever the node has applied.
    pub(crate) fn stale(mut self) -> Self {
        self.consistency = Some(Consistency {
            level: Some(Level::Stale(true)),
        });
        self
    }

    /// Lookups see at least this log index.
    pub(crate) fn at_least(mut self, index: u64) -> Self {
        self.consistency = Some(Consistency {
            level: Some(Level::MinLogIndex(index)),
        });
        self
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A message with this client's deadline.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.deadline);
        request
    }

    services! {
        accounts: AccountsClient;
        admin: AdminClient;
        events: EventsClient;
        ledgers: LedgersClient;
        packed: PackedClient;
        queries: QueriesClient;
        records: RecordsClient;
        transfers: TransfersClient;
    }

    creations! {
        create_accounts(accounts, CreateAccountsRequest { accounts: Account }) -> CreateAccountResult;
        create_transfers(transfers, CreateTransfersRequest { transfers: Transfer }) -> CreateTransferResult;
        create_ledgers(ledgers, CreateLedgersRequest { ledgers: Ledger }) -> CreateLedgerResult;
        write_records(records, WriteRecordsRequest { records: RecordItem }) -> WriteRecordResult;
    }

    /// One packed request; the results of each of its sections and the log index.
    pub(crate) async fn submit(
        &self,
        sections: Vec<v1::Section>,
    ) -> Answer<(Vec<Vec<ItemResult>>, u64)> {
        let counts: Vec<usize> = sections
            .iter()
            .map(|section| section.count as usize)
            .collect();
        let message = v1::SubmitRequest {
            request_number: 7,
            sections,
            deadline_ms: self.message_deadline_ms,
        };
        let reply = self
            .packed()
            .submit(self.request(message))
            .await?
            .into_inner();
        assert_eq!(reply.request_number, 7);
        assert_eq!(reply.refusal, None);
        let results: Vec<Vec<ItemResult>> = reply
            .results
            .iter()
            .map(|bytes| read_results(bytes).expect("whole results"))
            .collect();
        assert_eq!(
            results.iter().map(Vec::len).collect::<Vec<_>>(),
            counts,
            "one result for each item"
        );
        Ok((results, reply.log_index))
    }

    async fn lookup(&self, kind: LookupKind, ids: &[u128]) -> Answer<v1::LookupReply> {
        let message = v1::LookupRequest {
            request_number: 9,
            kind: kind.into(),
            ids: write_ids(ids.iter().copied()),
            consistency: self.consistency,
            deadline_ms: self.message_deadline_ms,
        };
        Ok(self
            .packed()
            .lookup(self.request(message))
            .await?
            .into_inner())
    }

    async fn lookup_rows<T, const BYTES: usize>(
        &self,
        kind: LookupKind,
        ids: &[u128],
        decode: impl Fn(&[u8; BYTES]) -> T,
    ) -> Answer<Vec<Option<T>>> {
        let reply = self.lookup(kind, ids).await?;
        let rows = read_lookup(&reply, kind, ids.len()).expect("an answer for each id");
        let row = |row: LookedUp<'_>| match row {
            LookedUp::Found(bytes) => Some(decode(bytes.try_into().expect("a whole record"))),
            LookedUp::NotFound | LookedUp::Refused => None,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Accounts by id, in the smallest unit.
    pub(crate) async fn lookup_accounts(&self, ids: &[u128]) -> Answer<Vec<Option<Account>>> {
        self.lookup_rows(LookupKind::Accounts, ids, Account::from_bytes)
            .await
    }

    /// An account that exists.
    pub(crate) async fn account(&self, id: u128) -> Account {
        let found = self
            .lookup_accounts(&[id])
            .await
            .unwrap_or_else(|status| panic!("{status:?}"));
        found[0].unwrap_or_else(|| panic!("no account {}", uuid(id)))
    }

    /// Debits pending, debits posted, credits pending, credits posted.
    pub(crate) async fn balances(&self, id: u128) -> [u128; 4] {
        let balances = self.account(id).await.balances();
        [
            balances.debits_pending,
            balances.debits_posted,
            balances.credits_pending,
            balances.credits_posted,
        ]
    }

    /// Transfers by id; a refused id counts as absent.
    pub(crate) async fn lookup_transfers(&self, ids: &[u128]) -> Answer<Vec<Option<Transfer>>> {
        self.lookup_rows(LookupKind::Transfers, ids, Transfer::from_bytes)
            .await
    }

    /// The row of a pending transfer; `None` when there is none.
    pub(crate) async fn pending(&self, id: u128) -> Option<Pending> {
        let rows = self
            .lookup_rows(LookupKind::Pendings, &[id], Pending::from_bytes)
            .await;
        rows.unwrap_or_else(|status| panic!("{status:?}"))[0].map(|row| row.expect("a valid row"))
    }

    /// Whether transfer ids are used up by a refusal.
    pub(crate) async fn is_refused(&self, id: u128) -> bool {
        let reply = self
            .lookup(LookupKind::Transfers, &[id])
            .await
            .unwrap_or_else(|status| panic!("{status:?}"));
        read_lookup(&reply, LookupKind::Transfers, 1).unwrap()[0] == LookedUp::Refused
    }

    /// Records by namespace and key.
    pub(crate) async fn lookup_records(
        &self,
        keys: &[(u32, &[u8])],
    ) -> Answer<Vec<v1::LookedUpRecord>> {
        let keys = keys.iter().map(|(namespace, key)| v1::RecordKey {
            namespace: *namespace,
            key: key.to_vec().into(),
        });
        let message = v1::LookupRecordsRequest {
            keys: keys.collect(),
            consistency: self.consistency,
        };
        Ok(self
            .records()
            .lookup_records(self.request(message))
            .await?
            .into_inner()
            .records)
    }

    /// One record; its `record` is `None` when there is none.
    pub(crate) async fn record(&self, namespace: u32, key: &[u8]) -> v1::LookedUpRecord {
        let found = self
            .lookup_records(&[(namespace, key)])
            .await
            .unwrap_or_else(|status| panic!("{status:?}"));
        found.into_iter().next().expect("an answer for each key")
    }

    pub(crate) async fn status(&self) -> Answer<v1::StatusReply> {
        Ok(self
            .admin()
            .status(self.request(v1::StatusRequest {}))
            .await?
            .into_inner())
    }

    /// Applied index and the digest there.
    pub(crate) async fn digest(&self) -> Answer<(u64, Vec<u8>)> {
        let reply = self
            .admin()
            .digest(self.request(v1::DigestRequest { at_index: 0 }))
            .await?
            .into_inner();
        assert_eq!(reply.digest.len(), 16);
        Ok((reply.index, reply.digest.to_vec()))
    }

    /// A new ledger of dollars and two accounts in it.
    pub(crate) async fn two_accounts(&self) -> (u32, u128, u128) {
        let (usd, a, b) = (fresh_ledger(), fresh_id(), fresh_id());
        self.create_ledgers(&[ledger(usd, "USD", 2)]).await.unwrap();
        self.create_accounts(&[account(a, usd), account(b, usd)])
            .await
            .unwrap();
        (usd, a, b)
    }

    /// Last entry in the snapshot that was made.
    pub(crate) async fn snapshot(&self) -> Answer<u64> {
        let request = self.request(v1::SnapshotRequest {});
        Ok(self.admin().snapshot(request).await?.into_inner().index)
    }

    pub(crate) async fn transfer_leader(&self, to: u64) -> Answer<v1::TransferLeaderReply> {
        let request = self.request(v1::TransferLeaderRequest { to });
        Ok(self.admin().transfer_leader(request).await?.into_inner())
    }
}
