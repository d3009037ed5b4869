//! The bytes of every format this crate writes, pinned by files. A difference is a broken format, not a test to fix:
//! nodes and disks in the field hold the old bytes. `REWRITE_GOLDEN=1` writes files for a new version.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::path::Path;

use farthing_ledger::{
    Account, AccountFlags, AccountId, Balances, EntryBuilder, EntryReader, Event, EventBody,
    ItemResult, Ledger, LedgerFlags, NamespaceTotals, Pending, PendingStatus, Record, RecordFlags,
    RecordItem, RecordKey, RequestBuilder, Setting, Transfer, TransferFlags, TransferId,
    TransferRow,
};

/// Compares bytes with `tests/golden/<name>.hex`: lines of 16 bytes with their offsets.
fn golden(name: &str, bytes: &[u8]) {
    let mut text = String::new();
    for (line, chunk) in bytes.chunks(16).enumerate() {
        write!(text, "{:04x} ", line * 16).unwrap();
        chunk
            .iter()
            .for_each(|byte| write!(text, " {byte:02x}").unwrap());
        text.push('\n');
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(format!("{name}.hex"));
    if std::env::var_os("REWRITE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        text,
        expected,
        "{name} is not written as {} says",
        path.display()
    );
}

/// 16 bytes that differ from each other and from those of every other field.
const fn word(tag: u8) -> u128 {
    let mut bytes = [0; 16];
    let mut at = 0;
    while at < 16 {
        bytes[at] = (tag << 4) | at as u8;
        at += 1;
    }
    u128::from_le_bytes(bytes)
}

const ACCOUNT: Account = Account {
    id: AccountId(word(1)),
    debits_pending: word(2),
    debits_posted: word(3),
    credits_pending: word(4),
    credits_posted: word(5),
    user_data_128: word(6),
    user_data_64: 0x7776_7574_7372_7170,
    user_data_32: 0x8382_8180,
    reserved: 0x9392_9190,
    ledger: 0xa3a2_a1a0,
    code: 0xb1b0,
    flags: AccountFlags(0x003f),
    timestamp: 0xc7c6_c5c4_c3c2_c1c0,
};

const TRANSFER: Transfer = Transfer {
    id: TransferId(word(1)),
    debit_account_id: AccountId(word(2)),
    credit_account_id: AccountId(word(3)),
    amount: word(4),
    pending_id: TransferId(word(5)),
    user_data_128: word(6),
    user_data_64: 0x7776_7574_7372_7170,
    user_data_32: 0x8382_8180,
    timeout: 0x9392_9190,
    ledger: 0xa3a2_a1a0,
    code: 0xb1b0,
    flags: TransferFlags(0x01ff),
    timestamp: 0xc7c6_c5c4_c3c2_c1c0,
};

const BALANCES: Balances = Balances {
    debits_pending: word(2),
    debits_posted: word(3),
    credits_pending: word(4),
    credits_posted: word(5),
};

fn ledger() -> Ledger {
    let mut ledger = Ledger::new(0xa3a2_a1a0, "USD.T_1-X", 6);
    ledger.flags = LedgerFlags::LINKED.with(LedgerFlags::REGISTERED);
    ledger.reserved[31] = 0xff;
    ledger.timestamp = 0xc7c6_c5c4_c3c2_c1c0;
    ledger
}

fn record_item() -> RecordItem<'static> {
    RecordItem {
        operation_id: word(1),
        expected_version: 0x2726_2524_2322_2120,
        namespace: 0x3332_3130,
        flags: RecordFlags::LINKED.with(RecordFlags::DELETE),
        reserved: 0x4342_4140,
        key: b"cursors/bank",
        value: b"0000000000042",
    }
}

fn record() -> Record {
    Record {
        version: 0x1716_1514_1312_1110,
        operation_id: word(2),
        timestamp: 0x3736_3534_3332_3130,
        deleted: true,
        fingerprint: 0x4746_4544_4342_4140,
        value: b"value".to_vec(),
    }
}

#[test]
fn records() {
    golden("account", &ACCOUNT.to_bytes());
    assert_eq!(Account::from_bytes(&ACCOUNT.to_bytes()), ACCOUNT);
    golden("transfer", &TRANSFER.to_bytes());
    assert_eq!(Transfer::from_bytes(&TRANSFER.to_bytes()), TRANSFER);
    golden("ledger", &ledger().to_bytes());
    assert_eq!(Ledger::from_bytes(&ledger().to_bytes()), ledger());
    golden("balances", &BALANCES.to_bytes());
    assert_eq!(Balances::from_bytes(&BALANCES.to_bytes()), BALANCES);

    let mut bytes = Vec::new();
    record_item().write_to(&mut bytes);
    golden("record_item", &bytes);
    assert_eq!(
        RecordItem::split_from(&bytes),
        Some((record_item(), &[][..]))
    );

    let setting = Setting {
        setting: 1,
        reserved: 0x1312_1110,
        value: 0x2726_2524_2322_2120,
    };
    golden("setting", &setting.to_bytes());
    assert_eq!(Setting::from_bytes(&setting.to_bytes()), setting);
    let result = ItemResult {
        timestamp: 0x1716_1514_1312_1110,
        status: 0x2322_2120,
    };
    golden("result", &result.to_bytes());
    assert_eq!(ItemResult::from_bytes(&result.to_bytes()), result);
}

#[test]
fn rows() {
    let row = TransferRow {
        sequence: 1,
        transfer: TRANSFER,
        debit_after: BALANCES,
        credit_after: BALANCES,
    };
    golden("transfer_row", &row.to_bytes());
    assert_eq!(TransferRow::from_bytes(1, &row.to_bytes()), row);

    let pending = Pending {
        transfer: TRANSFER,
        status: PendingStatus::Voided,
        sequence: 0xd7d6_d5d4_d3d2_d1d0,
    };
    golden("pending", &pending.to_bytes());
    assert_eq!(Pending::from_bytes(&pending.to_bytes()), Some(pending));
    let mut unknown = pending.to_bytes();
    unknown[128] = 4;
    assert_eq!(Pending::from_bytes(&unknown), None);

    golden("record", &record().to_bytes());
    assert_eq!(Record::from_bytes(&record().to_bytes()), Some(record()));
    assert_eq!(Record::from_bytes(&record().to_bytes()[..52]), None);
    let totals = NamespaceTotals {
        rows: 0x1716_1514_1312_1110,
        bytes: 0x2726_2524_2322_2120,
    };
    golden("namespace_totals", &totals.to_bytes());
    assert_eq!(NamespaceTotals::from_bytes(&totals.to_bytes()), totals);
}

#[test]
fn fingerprint_is_frozen() {
    // Computed by another implementation of FNV-1a over nine zero bytes, and over 01, the version, the value.
    let item = RecordItem {
        flags: RecordFlags::default(),
        expected_version: 0,
        value: b"",
        ..record_item()
    };
    assert_eq!(item.fingerprint(), 0xe604_823a_2490_29bf);
    assert_eq!(record_item().fingerprint(), 0xdc74_2e24_feca_a626);
}

#[test]
fn events() {
    let timestamp = 0xc7c6_c5c4_c3c2_c1c0;
    let key = RecordKey::new(0x3332_3130, b"cursors/bank").unwrap();
    let expired = EventBody::TransferExpired {
        transfer: TRANSFER,
        debit_after: BALANCES,
        credit_after: BALANCES,
    };
    let setting = Setting {
        setting: 1,
        reserved: 0,
        value: 1,
    };
    for (name, body) in [
        (
            "event_1_account_created",
            EventBody::AccountCreated(ACCOUNT),
        ),
        (
            "event_2_ledger_registered",
            EventBody::LedgerRegistered(ledger()),
        ),
        (
            "event_3_record_written",
            EventBody::RecordWritten {
                key,
                record: record(),
            },
        ),
        ("event_4_transfer_expired", expired),
        (
            "event_5_setting_changed",
            EventBody::SettingChanged(setting),
        ),
    ] {
        let event = Event {
            sequence: 9,
            timestamp,
            body,
        };
        let mut bytes = Vec::new();
        event.write_body(&mut bytes);
        golden(name, &bytes);
        assert_eq!(
            Event::from_body(9, event.kind(), &bytes),
            Ok(event.clone()),
            "{name}"
        );
        bytes.push(0);
        assert!(
            Event::from_body(9, event.kind(), &bytes).is_err(),
            "{name} with a byte too many"
        );
    }
}

#[test]
fn entry() {
    let account = Account {
        id: AccountId(1),
        ledger: 700,
        code: 10,
        ..Account::default()
    };
    let transfer = Transfer {
        id: TransferId(2),
        debit_account_id: AccountId(1),
        credit_account_id: AccountId(3),
        amount: 5,
        ledger: 700,
        code: 1,
        ..Transfer::default()
    };
    let first = RequestBuilder::new(b"alice")
        .ledgers(&[Ledger::new(700, "USD", 6)])
        .accounts(&[
            account,
            Account {
                id: AccountId(3),
                ..account
            },
        ])
        .transfers(&[transfer])
        .records(&[RecordItem {
            flags: RecordFlags::default(),
            reserved: 0,
            ..record_item()
        }]);
    let second = RequestBuilder::new(b"").pulse().settings(&[Setting {
        setting: 1,
        reserved: 0,
        value: 1,
    }]);
    let mut builder = EntryBuilder::new(0x0102_0304_0506_0708);
    builder.push(&first.finish().unwrap()).unwrap();
    builder.push(&second.finish().unwrap()).unwrap();
    let bytes = builder.finish();
    golden("entry", &bytes);
    let entry = EntryReader::new(&bytes).unwrap();
    assert_eq!((entry.request_count(), entry.item_count()), (2, 7));
    let request = entry.requests().next().unwrap();
    assert_eq!(request.principal(), b"alice");
    assert_eq!(
        request
            .sections()
            .flat_map(|section| section.transfers())
            .collect::<Vec<_>>(),
        [transfer]
    );
}
