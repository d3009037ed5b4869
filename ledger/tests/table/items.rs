//! Items of the table language.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

use farthing_ledger::{
    Account, AccountFlags, AccountId, Ledger, LedgerFlags, RecordFlags, RecordItem, SectionKind,
    Setting, Transfer, TransferFlags, VERSION_ABSENT, VERSION_ANY,
};

type Words<'a> = std::str::SplitWhitespace<'a>;

pub fn encode(kind: SectionKind, text: &str, out: &mut Vec<u8>) {
    let mut words = text.split_whitespace();
    match kind {
        SectionKind::Accounts => account(&mut words).write_to(out),
        SectionKind::Transfers => transfer(&mut words).write_to(out),
        SectionKind::Ledgers => ledger(&mut words).write_to(out),
        SectionKind::Records => record(&mut words, out),
        SectionKind::Configuration => setting(&mut words).write_to(out),
        SectionKind::Pulse => panic!("a pulse has no items"),
    }
}

/// `A1`, `T1`, `1`, `-` (zero), `max`, `max-5`.
pub fn id(word: &str) -> u128 {
    number(word.trim_start_matches(['A', 'T']))
}

fn number(word: &str) -> u128 {
    match word.strip_prefix("max") {
        _ if word == "-" => 0,
        Some("") => u128::MAX,
        Some(less) => u128::MAX - less[1..].parse::<u128>().unwrap(),
        None => word
            .parse()
            .unwrap_or_else(|_| panic!("not a number: {word}")),
    }
}

fn next<T: TryFrom<u128>>(words: &mut Words<'_>) -> T {
    let word = words.next().expect("a value");
    T::try_from(id(word)).unwrap_or_else(|_| panic!("out of range: {word}"))
}

fn account(words: &mut Words<'_>) -> Account {
    let mut account = Account {
        id: AccountId(next(words)),
        ledger: 1,
        code: 1,
        ..Account::default()
    };
    while let Some(word) = words.next() {
        let flag = match word {
            "linked" => AccountFlags::LINKED,
            "debits_must_not_exceed_credits" => AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
            "credits_must_not_exceed_debits" => AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS,
            "history" => AccountFlags::HISTORY,
            "imported" => AccountFlags::IMPORTED,
            "closed" => AccountFlags::CLOSED,
            "reserved_flag" => AccountFlags(1 << 6),
            _ => {
                match word {
                    "ledger" => account.ledger = next(words),
                    "code" => account.code = next(words),
                    "debits_pending" => account.debits_pending = next(words),
                    "debits_posted" => account.debits_posted = next(words),
                    "credits_pending" => account.credits_pending = next(words),
                    "credits_posted" => account.credits_posted = next(words),
                    "user_data_128" => account.user_data_128 = next(words),
                    "user_data_64" => account.user_data_64 = next(words),
                    "user_data_32" => account.user_data_32 = next(words),
                    "reserved" => account.reserved = next(words),
                    "timestamp" => account.timestamp = next(words),
                    _ => panic!("unknown word: {word}"),
                }
                continue;
            }
        };
        account.flags = account.flags.with(flag);
    }
    account
}

fn transfer(words: &mut Words<'_>) -> Transfer {
    let id = next::<u128>(words).into();
    let debit_account_id = AccountId(next(words));
    assert_eq!(words.next(), Some("->"), "an arrow between the accounts");
    let credit_account_id = AccountId(next(words));
    let mut transfer = Transfer {
        id,
        debit_account_id,
        credit_account_id,
        amount: next(words),
        ..Transfer::default()
    };
    let (mut ledger, mut code) = (None, None);
    while let Some(word) = words.next() {
        let flag = match word {
            "linked" => TransferFlags::LINKED,
            "pending" => TransferFlags::PENDING,
            "post" | "void" => {
                transfer.pending_id = next::<u128>(words).into();
                if word == "post" {
                    TransferFlags::POST_PENDING_TRANSFER
                } else {
                    TransferFlags::VOID_PENDING_TRANSFER
                }
            }
            "balancing_debit" => TransferFlags::BALANCING_DEBIT,
            "balancing_credit" => TransferFlags::BALANCING_CREDIT,
            "closing_debit" => TransferFlags::CLOSING_DEBIT,
            "closing_credit" => TransferFlags::CLOSING_CREDIT,
            "imported" => TransferFlags::IMPORTED,
            "reserved_flag" => TransferFlags(1 << 9),
            _ => {
                match word {
                    "ledger" => ledger = Some(next(words)),
                    "code" => code = Some(next(words)),
                    "pending_id" => transfer.pending_id = next::<u128>(words).into(),
                    "timeout" => transfer.timeout = next(words),
                    "user_data_128" => transfer.user_data_128 = next(words),
                    "user_data_64" => transfer.user_data_64 = next(words),
                    "user_data_32" => transfer.user_data_32 = next(words),
                    "timestamp" => transfer.timestamp = next(words),
                    _ => panic!("unknown word: {word}"),
                }
                continue;
            }
        };
        transfer.flags = transfer.flags.with(flag);
    }
    let resolves = transfer.flags.resolves_pending();
    transfer.ledger = ledger.unwrap_or(u32::from(!resolves));
    transfer.code = code.unwrap_or(u16::from(!resolves));
    transfer
}

fn ledger(words: &mut Words<'_>) -> Ledger {
    let number = next(words);
    let currency = words.next().expect("a currency");
    let mut ledger = Ledger::new(number, if currency == "-" { "" } else { currency }, 0);
    while let Some(word) = words.next() {
        match word {
            "scale" => ledger.scale = next(words),
            "reserved" => ledger.reserved[0] = next(words),
            "timestamp" => ledger.timestamp = next(words),
            "linked" => ledger.flags = ledger.flags.with(LedgerFlags::LINKED),
            "registered" => ledger.flags = ledger.flags.with(LedgerFlags::REGISTERED),
            _ => panic!("unknown word: {word}"),
        }
    }
    ledger
}

/// `key*65` repeats the last character.
fn repeated(text: &str) -> String {
    match text.split_once('*') {
        Some((text, count)) => text.repeat(count.parse().unwrap()),
        None => text.to_owned(),
    }
}

fn record(words: &mut Words<'_>, out: &mut Vec<u8>) {
    let (namespace, key) = words
        .next()
        .and_then(|word| word.split_once('/'))
        .expect("namespace/key");
    let key = repeated(key);
    let mut value = String::new();
    let mut item = RecordItem {
        operation_id: 0,
        expected_version: VERSION_ANY,
        namespace: namespace.parse().unwrap(),
        flags: RecordFlags::default(),
        reserved: 0,
        key: &[],
        value: &[],
    };
    while let Some(word) = words.next() {
        match word {
            "operation" => item.operation_id = next(words),
            "absent" => item.expected_version = VERSION_ABSENT,
            "version" => item.expected_version = next(words),
            "value" => value = repeated(words.next().expect("a value")),
            "reserved" => item.reserved = next(words),
            "linked" => item.flags = item.flags.with(RecordFlags::LINKED),
            "delete" => item.flags = item.flags.with(RecordFlags::DELETE),
            "reserved_flag" => item.flags = item.flags.with(RecordFlags(1 << 2)),
            _ => panic!("unknown word: {word}"),
        }
    }
    RecordItem {
        key: key.as_bytes(),
        value: value.as_bytes(),
        ..item
    }
    .write_to(out);
}

fn setting(words: &mut Words<'_>) -> Setting {
    assert_eq!(words.next(), Some("feature_level"));
    let mut setting = Setting {
        setting: 1,
        reserved: 0,
        value: next(words),
    };
    while let Some(word) = words.next() {
        match word {
            "reserved" => setting.reserved = next(words),
            _ => panic!("unknown word: {word}"),
        }
    }
    setting
}
