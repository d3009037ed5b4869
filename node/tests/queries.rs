//! Queries as a user sees them through gRPC: pages that reach everything once, statements, sums, and clear refusals.
//! That answers equal a full scan, whatever is asked, is tested where they are found, in storage.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::collections::HashSet;
use std::sync::{Mutex, Weak};

use farthing_proto::v1::{
    self, AccountBalancesRequest, AccountSide, BalanceAtRequest, PageRequest, QueryAccountsRequest,
    QueryTransfersRequest, SumTransfersRequest, TransferFilter,
};
use support::{Client, Cluster, Refusal, Shared, Slot, fresh_id, pending, post, transfer, uuid};
use tonic::Code;

static SLOT: Slot = Mutex::new(Weak::new());

struct World {
    client: Client,
    usd: u32,
    a: u128,
    b: u128,
    cluster: Shared,
}

impl World {
    async fn new() -> Self {
        let cluster = Shared::get(&SLOT, || Cluster::start(3));
        let client = cluster.leader_client().await;
        let (usd, a, b) = client.two_accounts().await;
        Self {
            client,
            usd,
            a,
            b,
            cluster,
        }
    }

    /// So many transfers of 0.01, 0.02 ... from `a` to `b`, with codes 1 and 2 in turn; the last log index.
    async fn pay(&self, count: u32) -> u64 {
        let items: Vec<_> = (1..=count)
            .map(|number| v1::Transfer {
                code: 1 + number % 2,
                user_data_64: u64::from(number % 3),
                ..transfer(self.a, self.b, &format!("0.{number:02}"), self.usd)
            })
            .collect();
        let results = self.client.create_transfers(&items).await.unwrap();
        assert!(results.iter().all(|result| result.status == 0));
        results[0].log_index
    }

    fn of_a(&self) -> TransferFilter {
        TransferFilter {
            account_id: uuid(self.a),
            ..TransferFilter::default()
        }
    }
}

fn page(size: u32, token: &str, reversed: bool) -> Option<PageRequest> {
    Some(PageRequest {
        size,
        token: token.to_owned(),
        reversed,
    })
}

async fn transfers(
    client: &Client,
    filter: &TransferFilter,
    size: u32,
    reversed: bool,
    consistency: Option<v1::Consistency>,
) -> Vec<v1::Transfer> {
    let (mut all, mut token) = (vec![], String::new());
    loop {
        let request = client.request(QueryTransfersRequest {
            filter: Some(filter.clone()),
            page: page(size, &token, reversed),
            consistency,
        });
        let reply = client
            .queries()
            .query_transfers(request)
            .await
            .unwrap()
            .into_inner();
        assert!(reply.transfers.len() <= size as usize && reply.applied_index > 0);
        all.extend(reply.transfers);
        token = reply.next_page_token;
        if token.is_empty() {
            return all;
        }
    }
}

fn ids(rows: &[v1::Transfer]) -> Vec<&str> {
    rows.iter().map(|row| row.id.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_reach_every_transfer_once_on_every_node() {
    let world = World::new().await;
    let index = world.pay(25).await;
    let all = transfers(&world.client, &world.of_a(), 1_000, false, None).await;
    assert_eq!(all.len(), 25);
    assert_eq!(ids(&all).iter().collect::<HashSet<_>>().len(), 25);
    assert!(
        all.windows(2)
            .all(|pair| pair[0].timestamp < pair[1].timestamp)
    );
    let level = v1::consistency::Level::MinLogIndex(index);
    let at_least = Some(v1::Consistency { level: Some(level) });
    for node in world.cluster.nodes() {
        for (size, consistency) in [(7, None), (25, at_least), (1, at_least)] {
            let forward = transfers(&node.client(), &world.of_a(), size, false, consistency).await;
            assert_eq!(ids(&forward), ids(&all));
            let mut reversed =
                transfers(&node.client(), &world.of_a(), size, true, consistency).await;
            reversed.reverse();
            assert_eq!(ids(&reversed), ids(&all));
        }
    }
    let some = TransferFilter {
        code: 2,
        user_data_64: Some(0),
        side: AccountSide::Debit.into(),
        timestamp_min: all[3].timestamp,
        timestamp_max: all[20].timestamp,
        ..world.of_a()
    };
    let found = transfers(&world.client, &some, 2, false, None).await;
    let matching = all[3..=20]
        .iter()
        .filter(|row| row.code == 2 && row.user_data_64 == 0);
    assert_eq!(
        ids(&found),
        matching.map(|row| row.id.as_str()).collect::<Vec<_>>()
    );
    assert_eq!(found.len(), 3);
    let credits = TransferFilter {
        side: AccountSide::Credit.into(),
        ..world.of_a()
    };
    assert!(
        transfers(&world.client, &credits, 5, false, None)
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_found_by_what_they_carry() {
    let world = World::new().await;
    let mark = fresh_id();
    let accounts: Vec<_> = (0..5)
        .map(|_| v1::Account {
            user_data_128: uuid(mark),
            ..support::account(fresh_id(), world.usd)
        })
        .collect();
    world.client.create_accounts(&accounts).await.unwrap();
    let debit = transfer(world.a, 0, "1.00", world.usd);
    let paid = v1::Transfer {
        credit_account_id: accounts[2].id.clone(),
        ..debit
    };
    world.client.create_transfers(&[paid]).await.unwrap();
    let request = world.client.request(QueryAccountsRequest {
        filter: Some(v1::AccountFilter {
            user_data_128: Some(uuid(mark)),
            ..v1::AccountFilter::default()
        }),
        page: page(10, "", false),
        consistency: None,
    });
    let reply = world
        .client
        .queries()
        .query_accounts(request)
        .await
        .unwrap()
        .into_inner();
    let found: Vec<_> = reply
        .accounts
        .iter()
        .map(|account| account.id.as_str())
        .collect();
    assert_eq!(
        found,
        accounts
            .iter()
            .map(|account| account.id.as_str())
            .collect::<Vec<_>>()
    );
    assert_eq!(
        reply.accounts[2].credits_posted, "1",
        "balances are of the cut"
    );
    assert_eq!(reply.next_page_token, "");
    // By ledger alone there is no index: the accounts are scanned, the two of the world with them.
    let request = world.client.request(QueryAccountsRequest {
        filter: Some(v1::AccountFilter {
            ledger: world.usd,
            ..v1::AccountFilter::default()
        }),
        page: page(100, "", true),
        consistency: None,
    });
    let reply = world
        .client
        .queries()
        .query_accounts(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(reply.accounts.len(), 7);
    assert_eq!(reply.accounts[6].id, uuid(world.a), "newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_goes_on_where_the_page_before_ended() {
    let world = World::new().await;
    world.pay(9).await;
    let held = pending(fresh_id(), world.a, world.b, "5.00", world.usd);
    world
        .client
        .create_transfers(std::slice::from_ref(&held))
        .await
        .unwrap();
    let posted = post(farthing_proto::convert::id::parse_id(&held.id).unwrap());
    world.client.create_transfers(&[posted]).await.unwrap();

    let (mut rows, mut token, mut openings) = (vec![], String::new(), vec![]);
    loop {
        let request = world.client.request(AccountBalancesRequest {
            account_id: uuid(world.a),
            page: page(4, &token, false),
            ..AccountBalancesRequest::default()
        });
        let reply = world
            .client
            .queries()
            .account_balances(request)
            .await
            .unwrap()
            .into_inner();
        assert!(reply.account_exists);
        openings.push((rows.len(), reply.opening.unwrap()));
        rows.extend(reply.rows);
        token = reply.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(rows.len(), 11);
    let debits = |row: &v1::BalanceRow| {
        let balances = row.balances.clone().unwrap();
        (balances.debits_pending, balances.debits_posted)
    };
    assert_eq!(debits(&rows[8]), ("0".into(), "0.45".into()));
    assert_eq!(debits(&rows[9]), ("5".into(), "0.45".into()));
    assert_eq!(debits(&rows[10]), ("0".into(), "5.45".into()));
    assert_eq!(openings[0].1.debits_posted, "0", "the opening row");
    for (at, opening) in &openings[1..] {
        assert_eq!(rows[at - 1].balances.as_ref(), Some(opening));
    }
    for (time, posted) in [
        (rows[4].timestamp, "0.15"),
        (rows[5].timestamp - 1, "0.15"),
        (rows[10].timestamp, "5.45"),
        (0, "5.45"),
    ] {
        let request = world.client.request(BalanceAtRequest {
            account_id: uuid(world.a),
            timestamp: time,
            consistency: None,
        });
        let reply = world
            .client
            .queries()
            .balance_at(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(reply.balances.unwrap().debits_posted, posted, "at {time}");
    }
    let request = world.client.request(BalanceAtRequest {
        account_id: uuid(world.a),
        timestamp: 1,
        consistency: None,
    });
    let reply = world
        .client
        .queries()
        .balance_at(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(reply.balances, None, "before it was created");
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_are_by_code_and_leave_holds_out() {
    let world = World::new().await;
    world.pay(10).await;
    let held = pending(fresh_id(), world.a, world.b, "5.00", world.usd);
    world.client.create_transfers(&[held]).await.unwrap();
    let request = world.client.request(SumTransfersRequest {
        filter: Some(world.of_a()),
        by_code: true,
        ..SumTransfersRequest::default()
    });
    let reply = world
        .client
        .queries()
        .sum_transfers(request)
        .await
        .unwrap()
        .into_inner();
    let found: Vec<_> = reply
        .rows
        .iter()
        .map(|row| {
            (
                row.code,
                row.debit_count,
                row.debits_posted.as_str(),
                row.credit_count,
            )
        })
        .collect();
    assert_eq!(found, [(1, 5, "0.3", 0), (2, 5, "0.25", 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_belongs_to_its_question() {
    let world = World::new().await;
    world.pay(5).await;
    let ask = async |filter: TransferFilter, token: &str, reversed: bool| {
        let request = world.client.request(QueryTransfersRequest {
            filter: Some(filter),
            page: page(2, token, reversed),
            consistency: None,
        });
        world.client.queries().query_transfers(request).await
    };
    let token = ask(world.of_a(), "", false)
        .await
        .unwrap()
        .into_inner()
        .next_page_token;
    assert!(ask(world.of_a(), &token, false).await.is_ok());
    let other = TransferFilter {
        code: 2,
        ..world.of_a()
    };
    for (filter, token, reversed) in [
        (other, token.as_str(), false),
        (world.of_a(), token.as_str(), true),
        (world.of_a(), "next", false),
        (world.of_a(), &token[1..], false),
    ] {
        let refused = ask(filter, token, reversed).await.unwrap_err();
        Refusal::expect_fields(&refused, &["page.token"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_by_name() {
    let world = World::new().await;
    let filter = TransferFilter {
        side: AccountSide::Debit.into(),
        code: 70_000,
        timestamp_min: 2,
        timestamp_max: 1,
        ..TransferFilter::default()
    };
    let request = world.client.request(QueryTransfersRequest {
        filter: Some(filter),
        page: None,
        consistency: None,
    });
    let refused = world
        .client
        .queries()
        .query_transfers(request)
        .await
        .unwrap_err();
    let fields = ["filter.side", "filter.code", "filter.timestamp_max"];
    Refusal::expect_fields(&refused, &fields);
    let request = world.client.request(SumTransfersRequest::default());
    let refused = world
        .client
        .queries()
        .sum_transfers(request)
        .await
        .unwrap_err();
    Refusal::expect_fields(&refused, &["filter.account_id"]);
    let request = world.client.request(AccountBalancesRequest {
        account_id: "me".into(),
        ..AccountBalancesRequest::default()
    });
    let refused = world
        .client
        .queries()
        .account_balances(request)
        .await
        .unwrap_err();
    Refusal::expect_fields(&refused, &["account_id"]);
    assert_eq!(refused.code(), Code::InvalidArgument);
    let request = world.client.request(AccountBalancesRequest {
        account_id: uuid(fresh_id()),
        ..AccountBalancesRequest::default()
    });
    let reply = world
        .client
        .queries()
        .account_balances(request)
        .await
        .unwrap()
        .into_inner();
    assert!(!reply.account_exists && reply.rows.is_empty());
}
