//! The packed form: round trips, limits, and bytes of an enemy.

#![allow(clippy::unwrap_used)]

use farthing_ledger::{
    Account, AccountId, ItemResult, Ledger, RecordItem, Transfer, TransferId, VERSION_ANY,
};
use farthing_proto::error::Reason;
use farthing_proto::limits::{ITEMS_MAX, REQUEST_BYTES_MAX, SECTIONS_MAX};
use farthing_proto::packed::{self, LookedUp, LookupAnswer};
use farthing_proto::v1::{
    LookupKind, LookupReply, LookupRequest, Section, SectionKind, SubmitRequest,
};

fn request(sections: Vec<Section>) -> SubmitRequest {
    SubmitRequest {
        sections,
        ..SubmitRequest::default()
    }
}

fn refused(sections: Vec<Section>) -> Reason {
    packed::check_request(&request(sections))
        .unwrap_err()
        .reason
        .unwrap()
}

fn item(value: &[u8]) -> RecordItem<'_> {
    RecordItem {
        operation_id: 1,
        expected_version: VERSION_ANY,
        namespace: 1,
        flags: Default::default(),
        reserved: 0,
        key: b"key",
        value,
    }
}

#[test]
fn every_kind_of_section_is_accepted_with_its_bytes_as_they_are() {
    let transfer = Transfer {
        id: TransferId(7),
        amount: 9,
        ..Transfer::default()
    };
    let sections = vec![
        packed::ledgers_section(&[Ledger::new(1, "USD", 2)]),
        packed::accounts_section(&[Account::default(), Account::default()]),
        packed::transfers_section(&[transfer]),
        packed::records_section(&[item(b"a"), item(b"")]),
    ];
    assert_eq!(sections[2].items, transfer.to_bytes().as_slice());
    assert_eq!(packed::check_request(&request(sections)).unwrap(), 6);
}

#[test]
fn counts_and_lengths_must_agree() {
    for kind in [
        SectionKind::Accounts,
        SectionKind::Transfers,
        SectionKind::Ledgers,
        SectionKind::Records,
    ] {
        for (count, length) in [(1, 0), (0, 1), (1, 63), (2, 129), (u32::MAX as usize, 128)] {
            let section = packed::section(kind, count, vec![0; length].into());
            let reason = refused(vec![section]);
            assert!(
                matches!(reason, Reason::InvalidField | Reason::TooLarge),
                "{kind:?} {count} {length}"
            );
        }
    }
    let mut bytes = Vec::new();
    item(b"value").write_to(&mut bytes);
    for length in 0..bytes.len() {
        let section = packed::section(SectionKind::Records, 1, bytes[..length].to_vec().into());
        assert_eq!(
            refused(vec![section]),
            Reason::InvalidField,
            "cut at {length}"
        );
    }
}

#[test]
fn a_refused_section_is_named() {
    let sections = vec![
        packed::transfers_section(&[Transfer::default()]),
        packed::section(SectionKind::Unspecified, 0, Vec::new().into()),
        Section {
            kind: 5,
            count: 1,
            items: Vec::new().into(),
        },
    ];
    let refused = packed::check_request(&request(sections)).unwrap_err();
    let fields: Vec<_> = refused
        .violations
        .iter()
        .map(|error| error.field.as_str())
        .collect();
    assert_eq!(fields, ["sections[1]", "sections[2]"]);
}

#[test]
fn limits_of_the_log_format_hold_across_sections() {
    let transfers =
        |count| packed::section(SectionKind::Transfers, count, vec![0; 128 * count].into());
    assert_eq!(
        packed::check_request(&request(vec![transfers(ITEMS_MAX)])).unwrap(),
        ITEMS_MAX
    );
    assert_eq!(
        refused(vec![transfers(ITEMS_MAX), transfers(1)]),
        Reason::TooLarge
    );
    assert_eq!(
        refused(vec![transfers(1); SECTIONS_MAX + 1]),
        Reason::TooLarge
    );
    assert_eq!(refused(Vec::new()), Reason::InvalidField);
    assert_eq!(refused(vec![transfers(0)]), Reason::InvalidField);
    let value = vec![0; 4096];
    let items = vec![item(&value); REQUEST_BYTES_MAX / 4096];
    assert_eq!(
        refused(vec![packed::records_section(&items)]),
        Reason::TooLarge
    );
}

#[test]
fn results_cross() {
    let results = [
        ItemResult {
            timestamp: 5,
            status: 46,
        },
        ItemResult {
            timestamp: u64::MAX,
            status: 0,
        },
    ];
    let bytes = packed::write_results(&results);
    assert_eq!(bytes.len(), 32);
    assert_eq!(packed::read_results(&bytes).unwrap(), results);
    assert_eq!(packed::read_results(&bytes[..31]), None);
    assert_eq!(packed::read_results(&[]), Some(Vec::new()));
}

#[test]
fn lookups_cross() {
    let ids = [3, u128::MAX, 0];
    let request = LookupRequest {
        kind: LookupKind::Accounts.into(),
        ids: packed::write_ids(ids.into_iter()),
        ..LookupRequest::default()
    };
    assert_eq!(
        packed::check_lookup(&request).unwrap(),
        (LookupKind::Accounts, ids.to_vec())
    );

    let record = Account {
        id: AccountId(3),
        ..Account::default()
    }
    .to_bytes();
    let mut answer = LookupAnswer::with_capacity(LookupKind::Accounts, 3);
    answer.push_refused();
    answer.push_found(&record);
    answer.push_not_found();
    let reply = answer.finish(4, 5);
    assert_eq!((reply.request_number, reply.applied_index), (4, 5));
    let read = packed::read_lookup(&reply, LookupKind::Accounts, 3).unwrap();
    assert_eq!(
        read,
        [
            LookedUp::Refused,
            LookedUp::Found(&record),
            LookedUp::NotFound
        ]
    );
}

#[test]
fn lookups_of_an_enemy_are_refused() {
    let lookup = |kind: i32, length: usize| LookupRequest {
        kind,
        ids: vec![1; length].into(),
        ..LookupRequest::default()
    };
    let reason = |request| packed::check_lookup(&request).unwrap_err().reason.unwrap();
    assert_eq!(reason(lookup(0, 16)), Reason::InvalidField);
    assert_eq!(reason(lookup(9, 16)), Reason::InvalidField);
    assert_eq!(reason(lookup(1, 17)), Reason::InvalidField);
    assert_eq!(reason(lookup(1, 16 * (ITEMS_MAX + 1))), Reason::TooLarge);

    let reply = |found: &[u8], length: usize| LookupReply {
        found: found.to_vec().into(),
        records: vec![0; length].into(),
        ..LookupReply::default()
    };
    for (found, length) in [
        (&[1, 0][..], 127),
        (&[1, 0], 129),
        (&[1, 1], 128),
        (&[0, 0], 1),
        (&[3, 0], 0),
        (&[0], 0),
        (&[0, 0, 0], 0),
    ] {
        assert_eq!(
            packed::read_lookup(&reply(found, length), LookupKind::Transfers, 2),
            None,
            "{found:?} {length}"
        );
    }
    assert!(packed::read_lookup(&reply(&[1, 0], 128), LookupKind::Transfers, 2).is_some());
}

#[test]
fn the_log_takes_what_was_checked() {
    let request = request(vec![
        packed::transfers_section(&[Transfer {
            id: TransferId(7),
            ..Transfer::default()
        }]),
        packed::records_section(&[item(b"a")]),
    ]);
    let sections = packed::entry_sections(&request).unwrap();
    let mut entry = farthing_ledger::EntryBuilder::new(1);
    entry.push_sections(b"", &sections).unwrap();
    let bytes = entry.finish();
    let reader = farthing_ledger::EntryReader::new(&bytes).unwrap();
    let in_log: Vec<Vec<u8>> = reader
        .requests()
        .next()
        .unwrap()
        .sections()
        .map(|section| section.bytes().to_vec())
        .collect();
    assert_eq!(
        in_log,
        [
            request.sections[0].items.to_vec(),
            request.sections[1].items.to_vec()
        ]
    );
}

#[test]
fn the_largest_request_that_is_accepted_fits_the_log() {
    let value = vec![0; 4096];
    let items = vec![item(&value); 1000];
    let mut sections = vec![packed::records_section(&items)];
    let room = REQUEST_BYTES_MAX
        - farthing_proto::limits::request_bytes([sections[0].items.len(), 0].into_iter());
    let filler = vec![0; room - RecordItem::HEADER_BYTES - 3];
    sections.push(packed::records_section(&[item(&filler)]));
    assert_eq!(
        packed::check_request(&request(sections.clone())).unwrap(),
        1001
    );
    let message = request(sections.clone());
    let as_sections = packed::entry_sections(&message).unwrap();
    farthing_ledger::EntryBuilder::new(1)
        .push_sections(&[7; 255], &as_sections)
        .unwrap();

    let filler = vec![0; filler.len() + 1];
    sections[1] = packed::records_section(&[item(&filler)]);
    assert_eq!(refused(sections), Reason::TooLarge);
}
