//! The packed form with sections that do not add up.

use bytes::Bytes;
use farthing_proto::packed::{accounts_section, section, transfers_section};
use farthing_proto::v1::{
    LookupKind, LookupRequest, Section, SectionKind, SubmitReply, SubmitRequest,
};
use futures::StreamExt as _;
use tonic::Code;

use crate::support::{Refusal, fresh_id, packed_account, packed_transfer};
use crate::world::World;

fn raw(kind: i32, count: u32, items: impl Into<Bytes>) -> Section {
    Section {
        kind,
        count,
        items: items.into(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sections_that_do_not_add_up() {
    let world = World::start().await;
    let good = || transfers_section(&[packed_transfer(world.a, world.b, 1, world.usd)]);
    let good_bytes = good().items;
    let transfers = SectionKind::Transfers.into();
    let records = SectionKind::Records.into();
    let lie = |count: u32| raw(transfers, count, good_bytes.clone());
    // A record item that says it is longer than what follows.
    let mut long_key = vec![0_u8; 40];
    long_key[30] = 1;
    let rows: Vec<(&[&str], Vec<Section>)> = vec![
        (&["sections"], vec![]),
        (&["sections"], vec![raw(transfers, 0, "")]),
        (
            &["sections[0]"],
            vec![raw(SectionKind::Unspecified.into(), 1, good_bytes.clone())],
        ),
        // Kinds of the log that no client may write: the pulse, settings, and whatever comes.
        (&["sections[0]"], vec![raw(5, 1, "")]),
        (&["sections[0]"], vec![raw(6, 1, good_bytes.clone())]),
        (&["sections[0]"], vec![raw(99, 1, good_bytes.clone())]),
        (&["sections[0]"], vec![raw(-1, 1, good_bytes.clone())]),
        (&["sections[0]"], vec![raw(65_538, 1, good_bytes.clone())]),
        (&["sections[0]"], vec![lie(0)]),
        (&["sections[0]"], vec![lie(2)]),
        (
            &["sections[0]"],
            vec![raw(transfers, 1, good_bytes.slice(..127))],
        ),
        (&["sections[0]"], vec![raw(transfers, 1, "")]),
        (
            &["sections[0]"],
            vec![raw(SectionKind::Ledgers.into(), 1, good_bytes.clone())],
        ),
        (&["sections[0]"], vec![raw(records, 1, vec![0; 39])]),
        (&["sections[0]"], vec![raw(records, 1, long_key)]),
        (&["sections[0]"], vec![raw(records, 1, vec![0; 41])]),
        (&["sections[0]"], vec![raw(records, 1, vec![0xff; 40])]),
        (
            &["sections[1]", "sections[2]"],
            vec![good(), lie(2), raw(7, 1, "")],
        ),
    ];
    for (fields, sections) in rows {
        let status = world
            .client
            .submit(sections.clone())
            .await
            .expect_err(fields[0]);
        let refusal = Refusal::expect(&status, Code::InvalidArgument, "INVALID_FIELD");
        assert_eq!(refusal.fields, fields, "{sections:?}");
    }
    // Counts and numbers of sections beyond the limit.
    let too_many_sections = (0..256).map(|_| good()).collect();
    for sections in [
        vec![lie(8_190)],
        vec![lie(u32::MAX)],
        vec![lie(u32::MAX), lie(u32::MAX)],
        too_many_sections,
    ] {
        let status = world.client.submit(sections).await.unwrap_err();
        Refusal::expect(&status, Code::InvalidArgument, "TOO_LARGE");
    }
    world.is_unchanged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lookups_that_do_not_add_up() {
    let world = World::start().await;
    let client = &world.client;
    let request = |kind: i32, bytes: usize| LookupRequest {
        kind,
        ids: vec![1; bytes].into(),
        ..Default::default()
    };
    let accounts = LookupKind::Accounts.into();
    for (field, message) in [
        ("kind", request(0, 16)),
        ("kind", request(4, 16)),
        ("kind", request(-1, 16)),
        ("ids", request(accounts, 15)),
    ] {
        let status = client
            .packed()
            .lookup(client.request(message))
            .await
            .expect_err(field);
        Refusal::expect_fields(&status, &[field]);
    }
    let status = client
        .packed()
        .lookup(client.request(request(accounts, 8_190 * 16)))
        .await
        .unwrap_err();
    Refusal::expect(&status, Code::InvalidArgument, "TOO_LARGE");
    world.is_unchanged().await;
}

/// On a stream a refused request is a message, and the requests around it are answered as if it had not been there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_request_does_not_end_its_stream() {
    let world = World::start().await;
    let account = fresh_id();
    let request = |number, sections| SubmitRequest {
        request_number: number,
        sections,
        deadline_ms: 5_000,
    };
    let requests = vec![
        request(1, vec![raw(99, 1, "")]),
        request(
            2,
            vec![accounts_section(&[packed_account(account, world.usd)])],
        ),
        request(3, vec![]),
        request(
            4,
            vec![section(SectionKind::Transfers, 8_190, Bytes::new())],
        ),
        // The same number again is the client's own trouble: both are answered.
        request(4, vec![raw(5, 1, "")]),
    ];
    let stream = world
        .client
        .packed()
        .submit_stream(tokio_stream::iter(requests))
        .await
        .unwrap()
        .into_inner();
    let mut replies: Vec<SubmitReply> = stream
        .map(|reply| reply.expect("the stream goes on"))
        .collect()
        .await;
    replies.sort_by_key(|reply| reply.request_number);
    let reasons: Vec<(u64, &str)> = replies
        .iter()
        .map(|reply| {
            (
                reply.request_number,
                reply
                    .refusal
                    .as_ref()
                    .map_or("", |refusal| refusal.reason.as_str()),
            )
        })
        .collect();
    let (four, others) = reasons.split_at(3);
    assert_eq!(four, [(1, "INVALID_FIELD"), (2, ""), (3, "INVALID_FIELD")]);
    let mut others: Vec<&str> = others.iter().map(|(_, reason)| *reason).collect();
    others.sort_unstable();
    assert_eq!(others, ["INVALID_FIELD", "TOO_LARGE"]);
    let refusal = replies[0].refusal.as_ref().unwrap();
    assert_eq!(Code::from(refusal.code), Code::InvalidArgument);
    assert_eq!(refusal.violations[0].field, "sections[0]");
    assert_eq!(replies[1].results.len(), 1);
    assert_eq!(world.client.balances(account).await, [0; 4]);
}
