//! Events as lines: all of them come back, other programs read in them what the event says, and no other line is taken.
#![allow(clippy::unwrap_used)]

mod shared;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use farthing_ledger::{Account, AccountFlags, Balances, Event, EventBody, Transfer};
use farthing_proofs::Change;
use farthing_proofs::export::{LINE_BYTES_MAX, read_line, write_line};
use proptest::prelude::*;
use serde_json::{Value, json};

fn line(change: &Change) -> Vec<u8> {
    let mut out = Vec::new();
    write_line(change, &mut out);
    out
}

fn read(line: &[u8]) -> Option<Change> {
    read_line(line, &mut Vec::new()).ok()
}

fn uuid(id: u128) -> String {
    let hex = format!("{id:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

fn optional(id: u128) -> String {
    if id == 0 { String::new() } else { uuid(id) }
}

fn flags(bits: u16, names: &str) -> Vec<String> {
    let names: Vec<&str> = names.split(' ').collect();
    let name = |bit: usize| {
        names
            .get(bit)
            .map_or(format!("bit_{bit}"), |it| (*it).to_owned())
    };
    (0..16)
        .filter(|bit| bits & (1 << bit) != 0)
        .map(name)
        .collect()
}

fn of_balances(it: &Balances) -> Value {
    json!({
        "debits_pending": it.debits_pending.to_string(), "debits_posted": it.debits_posted.to_string(),
        "credits_pending": it.credits_pending.to_string(), "credits_posted": it.credits_posted.to_string(),
    })
}

fn of_transfer(it: &Transfer) -> Value {
    let names = "linked pending post_pending_transfer void_pending_transfer balancing_debit balancing_credit \
                 closing_debit closing_credit imported";
    json!({
        "id": uuid(it.id.0), "debit_account_id": uuid(it.debit_account_id.0),
        "credit_account_id": uuid(it.credit_account_id.0), "amount": it.amount.to_string(),
        "pending_id": optional(it.pending_id.0), "user_data_128": optional(it.user_data_128),
        "user_data_64": it.user_data_64, "user_data_32": it.user_data_32, "timeout_s": it.timeout,
        "ledger": it.ledger, "code": it.code, "flags": flags(it.flags.0, names), "timestamp": it.timestamp,
    })
}

/// What the line of an event should say, made without the code that writes lines.
fn expected(change: &Change) -> Value {
    let (kind, fields) = match change {
        Change::Transfer(row) => (
            "transfer_created",
            json!({
                "transfer": of_transfer(&row.transfer), "debit_account": of_balances(&row.debit_after),
                "credit_account": of_balances(&row.credit_after),
            }),
        ),
        Change::Event(event) => match &event.body {
            EventBody::AccountCreated(it) => {
                let names = "linked debits_must_not_exceed_credits credits_must_not_exceed_debits history imported closed";
                let mut account = json!({
                    "id": uuid(it.id.0), "user_data_128": optional(it.user_data_128), "user_data_64": it.user_data_64,
                    "user_data_32": it.user_data_32, "ledger": it.ledger, "code": it.code,
                    "flags": flags(it.flags.0, names), "timestamp": it.timestamp,
                });
                add(&mut account, of_balances(&it.balances()));
                if it.reserved != 0 {
                    account["reserved"] = json!(it.reserved);
                }
                ("account_created", json!({ "account": account }))
            }
            EventBody::LedgerRegistered(it) => {
                let mut ledger = json!({
                    "number": it.ledger, "currency": it.currency(), "scale": it.scale,
                    "flags": flags(it.flags.0, "linked registered"), "timestamp": it.timestamp,
                });
                let hex = |bytes: &[u8]| {
                    bytes
                        .iter()
                        .map(|byte| format!("{byte:02x}"))
                        .collect::<String>()
                };
                if it.currency().is_none() {
                    ledger["currency_length"] = json!(it.currency_length);
                    ledger["currency_bytes"] = json!(hex(&it.currency));
                }
                if it.reserved != [0; 32] {
                    ledger["reserved"] = json!(hex(&it.reserved));
                }
                ("ledger_registered", json!({ "ledger": ledger }))
            }
            EventBody::RecordWritten { key, record } => {
                let record = json!({
                    "namespace": key.namespace(), "key": STANDARD.encode(key.key()), "value": STANDARD.encode(&record.value),
                    "version": record.version, "operation_id": uuid(record.operation_id), "deleted": record.deleted,
                    "fingerprint": format!("{:016x}", record.fingerprint), "timestamp": record.timestamp,
                });
                ("record_written", json!({ "record": record }))
            }
            EventBody::TransferExpired {
                transfer,
                debit_after,
                credit_after,
            } => (
                "transfer_expired",
                json!({
                    "transfer": of_transfer(transfer), "debit_account": of_balances(debit_after),
                    "credit_account": of_balances(credit_after),
                }),
            ),
            EventBody::SettingChanged(it) => {
                let mut setting = json!({ "setting": it.setting, "value": it.value });
                if it.reserved != 0 {
                    setting["reserved"] = json!(it.reserved);
                }
                ("setting_changed", json!({ "setting": setting }))
            }
        },
    };
    let mut whole =
        json!({ "sequence": change.sequence(), "timestamp": change.timestamp(), "kind": kind });
    add(&mut whole, fields);
    whole
}

fn add(to: &mut Value, fields: Value) {
    let Value::Object(fields) = fields else {
        panic!()
    };
    to.as_object_mut().unwrap().extend(fields);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn every_event_comes_back_from_its_line(change in any::<u64>().prop_flat_map(shared::change)) {
        let line = line(&change);
        prop_assert!(line.len() <= LINE_BYTES_MAX && !line.contains(&b'\n'));
        prop_assert_eq!(read(&line), Some(change.clone()));
        // And so do the bytes that are hashed.
        prop_assert_eq!(read(&line).unwrap().leaf(), change.leaf());
    }

    #[test]
    fn other_programs_read_what_the_event_says(change in any::<u64>().prop_flat_map(shared::change)) {
        let value: Value = serde_json::from_slice(&line(&change)).unwrap();
        prop_assert_eq!(value, expected(&change));
    }

    #[test]
    fn an_altered_line_is_refused_or_another_event(
        change in shared::change(7), at in any::<usize>(), what in 0..3, byte in any::<u8>(),
    ) {
        let line = line(&change);
        let at = at % line.len();
        let mut altered = line.clone();
        match what {
            0 => altered[at] = byte,
            1 => altered.insert(at, byte),
            _ => drop(altered.remove(at)),
        }
        if let Some(other) = read(&altered).filter(|_| altered != line) {
            prop_assert_ne!(&other, &change);
            prop_assert_ne!(other.leaf(), change.leaf());
        }
    }
}

#[test]
fn lines_are_pinned() {
    // Exports of one history are the same bytes for ever, whatever version made them.
    let account = Account {
        id: 5.into(),
        user_data_64: 9,
        ledger: 840,
        code: 1,
        flags: AccountFlags::HISTORY.with(AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS),
        timestamp: 17,
        ..Account::default()
    };
    let event = Change::Event(Event {
        sequence: 3,
        timestamp: 17,
        body: EventBody::AccountCreated(account),
    });
    let expected = "{\"sequence\":3,\"timestamp\":17,\"kind\":\"account_created\",\"account\":{\
        \"id\":\"00000000-0000-0000-0000-000000000005\",\
        \"debits_pending\":\"0\",\"debits_posted\":\"0\",\"credits_pending\":\"0\",\"credits_posted\":\"0\",\
        \"user_data_128\":\"\",\"user_data_64\":9,\"user_data_32\":0,\"ledger\":840,\"code\":1,\
        \"flags\":[\"debits_must_not_exceed_credits\",\"history\"],\"timestamp\":17}}";
    assert_eq!(String::from_utf8(line(&event)).unwrap(), expected);
}

#[test]
fn other_forms_of_the_same_event_are_refused() {
    let event = shared::history(40)
        .into_iter()
        .find(|change| matches!(change, Change::Transfer(_)))
        .unwrap();
    let line = String::from_utf8(line(&event)).unwrap();
    let value: Value = serde_json::from_str(&line).unwrap();
    let sequence = event.sequence();
    let number = format!("\"sequence\":{sequence}");
    for other in [
        line.replace(':', ": "),
        line.replacen(&number, &format!("\"sequence\":0{sequence}"), 1),
        line.replacen(&number, &format!("\"sequence\":{sequence}.0"), 1),
        line.replacen(&number, &format!("\"sequence\":+{sequence}"), 1),
        line.replacen("transfer_created", "transfer\\u005fcreated", 1),
        line.replacen("{\"id\"", "{\"note\":1,\"id\"", 1),
        line.to_uppercase(),
        format!("{line} "),
        format!("{line}{line}"),
        serde_json::to_string_pretty(&value).unwrap(),
    ] {
        assert_ne!(other, line);
        assert_eq!(read(other.as_bytes()), None, "{other}");
    }
}
