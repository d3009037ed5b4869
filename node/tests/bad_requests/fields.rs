//! Fields that cannot be read: every one is named by its path.

use farthing_proto::v1::{
    Account, Ledger, LookupAccountsRequest, LookupLedgersRequest, LookupRecordsRequest,
    LookupTransfersRequest, RecordItem, RecordKey, Transfer, TransferFlag,
};

use crate::support::{Refusal, account, fresh_id, fresh_ledger, ledger, record, uuid};
use crate::world::World;

/// Text that is no id.
const BAD_IDS: [&str; 9] = [
    "1",
    "0189-0a5d",
    "01890a5dac96774bbcceb302099a805",
    "01890a5dac96774bbcceb302099a80577",
    "01890a5d-ac96-774b-bcce-b302099a805g",
    "01890a5d-ac96-774b-bcceb-302099a8057",
    "{01890a5d-ac96-774b-bcce-b302099a8057}",
    " 01890a5dac96774bbcceb302099a805",
    "+1890a5dac96774bbcceb302099a8057",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_that_is_no_id() {
    type Set<T> = fn(&mut T, String);
    let world = World::start().await;
    let (client, usd) = (&world.client, world.usd);
    let of_transfers: [(&str, Set<Transfer>); 5] = [
        ("transfers[0].id", |item, text| item.id = text),
        ("transfers[0].debit_account_id", |item, text| {
            item.debit_account_id = text
        }),
        ("transfers[0].credit_account_id", |item, text| {
            item.credit_account_id = text
        }),
        ("transfers[0].pending_id", |item, text| {
            item.pending_id = text
        }),
        ("transfers[0].user_data_128", |item, text| {
            item.user_data_128 = text
        }),
    ];
    let of_accounts: [(&str, Set<Account>); 2] = [
        ("accounts[0].id", |item, text| item.id = text),
        ("accounts[0].user_data_128", |item, text| {
            item.user_data_128 = text
        }),
    ];
    for text in BAD_IDS {
        for (path, set) in of_transfers {
            let mut item = world.good();
            set(&mut item, text.into());
            Refusal::expect_fields(
                &client.create_transfers(&[item]).await.expect_err(text),
                &[path],
            );
        }
        for (path, set) in of_accounts {
            let mut item = account(fresh_id(), usd);
            set(&mut item, text.into());
            Refusal::expect_fields(
                &client.create_accounts(&[item]).await.expect_err(text),
                &[path],
            );
        }
        let item = RecordItem {
            operation_id: text.into(),
            ..record(1, b"key", b"")
        };
        Refusal::expect_fields(
            &client.write_records(&[item]).await.expect_err(text),
            &["records[0].operation_id"],
        );
        let ids = vec![uuid(1), text.to_owned(), String::new()];
        let request = LookupAccountsRequest {
            ids: ids.clone(),
            consistency: None,
        };
        let status = client
            .accounts()
            .lookup_accounts(client.request(request))
            .await
            .expect_err(text);
        Refusal::expect_fields(&status, &["ids[1]", "ids[2]"]);
        let request = LookupTransfersRequest {
            ids,
            consistency: None,
        };
        let status = client
            .transfers()
            .lookup_transfers(client.request(request))
            .await
            .expect_err(text);
        Refusal::expect_fields(&status, &["ids[1]", "ids[2]"]);
    }
    // Where an id is required, no text is none. Accounts are inherited by posts and voids only.
    for (path, set) in &of_transfers[..3] {
        let mut item = world.good();
        set(&mut item, String::new());
        Refusal::expect_fields(
            &client.create_transfers(&[item]).await.unwrap_err(),
            &[*path],
        );
    }
    world.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_that_nothing_has_are_absent_and_no_error() {
    let world = World::start().await;
    let client = &world.client;
    let ids = [0, 1, fresh_id(), u128::MAX, world.a];
    let found: Vec<bool> = client
        .lookup_accounts(&ids)
        .await
        .unwrap()
        .iter()
        .map(Option::is_some)
        .collect();
    assert_eq!(found, [false, false, false, false, true]);
    assert_eq!(client.lookup_transfers(&ids).await.unwrap(), [None; 5]);
    let request = LookupAccountsRequest {
        ids: ids.map(uuid).to_vec(),
        consistency: None,
    };
    let reply = client
        .accounts()
        .lookup_accounts(client.request(request))
        .await
        .unwrap()
        .into_inner();
    let found: Vec<bool> = reply
        .accounts
        .iter()
        .map(|found| found.account.is_some())
        .collect();
    assert_eq!(found, [false, false, false, false, true]);
    let request = LookupLedgersRequest {
        numbers: vec![0, u32::MAX, world.usd],
        ..Default::default()
    };
    let reply = client
        .ledgers()
        .lookup_ledgers(client.request(request))
        .await
        .unwrap()
        .into_inner();
    let found: Vec<bool> = reply
        .ledgers
        .iter()
        .map(|found| found.ledger.is_some())
        .collect();
    assert_eq!(found, [false, false, true]);
    world.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_no_enum_has_and_codes_out_of_range() {
    let world = World::start().await;
    let client = &world.client;
    for number in [-1, 0, 99, i32::MAX, i32::MIN] {
        let item = Transfer {
            flags: vec![TransferFlag::Linked.into(), number],
            ..world.good()
        };
        Refusal::expect_fields(
            &client.create_transfers(&[item]).await.unwrap_err(),
            &["transfers[0].flags"],
        );
        let item = Account {
            flags: vec![number],
            ..account(fresh_id(), world.usd)
        };
        Refusal::expect_fields(
            &client.create_accounts(&[item]).await.unwrap_err(),
            &["accounts[0].flags"],
        );
        let item = Ledger {
            flags: vec![number],
            ..ledger(fresh_ledger(), "USD", 2)
        };
        Refusal::expect_fields(
            &client.create_ledgers(&[item]).await.unwrap_err(),
            &["ledgers[0].flags"],
        );
        let item = RecordItem {
            flags: vec![number],
            ..record(1, b"key", b"")
        };
        Refusal::expect_fields(
            &client.write_records(&[item]).await.unwrap_err(),
            &["records[0].flags"],
        );
    }
    let item = Transfer {
        code: 65_536,
        ..world.good()
    };
    Refusal::expect_fields(
        &client.create_transfers(&[item]).await.unwrap_err(),
        &["transfers[0].code"],
    );
    let item = Account {
        code: u32::MAX,
        ..account(fresh_id(), world.usd)
    };
    Refusal::expect_fields(
        &client.create_accounts(&[item]).await.unwrap_err(),
        &["accounts[0].code"],
    );
    let item = Ledger {
        scale: 256,
        ..ledger(fresh_ledger(), "USD", 2)
    };
    Refusal::expect_fields(
        &client.create_ledgers(&[item]).await.unwrap_err(),
        &["ledgers[0].scale"],
    );
    let item = Ledger {
        registered: true,
        ..ledger(fresh_ledger(), "USD", 2)
    };
    Refusal::expect_fields(
        &client.create_ledgers(&[item]).await.unwrap_err(),
        &["ledgers[0].registered"],
    );
    world.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_paging_tokens_of_somebody_elses_making() {
    let world = World::start().await;
    let client = &world.client;
    for (length, fields) in [(0, &["keys[1].key"][..]), (65, &["keys[1].key"][..])] {
        let key = |length| RecordKey {
            namespace: 1,
            key: vec![7; length].into(),
        };
        let request = LookupRecordsRequest {
            keys: vec![key(64), key(length)],
            consistency: None,
        };
        let status = client
            .records()
            .lookup_records(client.request(request))
            .await
            .unwrap_err();
        Refusal::expect_fields(&status, fields);
    }
    let page = |token: &str, page_size| LookupLedgersRequest {
        page_token: token.into(),
        page_size,
        ..Default::default()
    };
    for token in [
        "x",
        "-1",
        " 1",
        "4294967296",
        "99999999999999999999999999",
        "\u{0663}",
        "1;drop table",
    ] {
        let status = client
            .ledgers()
            .lookup_ledgers(client.request(page(token, 1)))
            .await
            .expect_err(token);
        Refusal::expect_fields(&status, &["page_token"]);
    }
    // A page is never larger than the server allows, whatever is asked for.
    let reply = client
        .ledgers()
        .lookup_ledgers(client.request(page("", u32::MAX)))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (reply.ledgers.len(), reply.next_page_token.as_str()),
        (1, "")
    );
    world.is_unchanged().await;
}
