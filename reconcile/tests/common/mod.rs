//! Statements and ledgers in a few words.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub)]

use farthing_reconcile::{
    Builder, Class, DAY_NS, Direction, Item, LedgerEntry, NewEntry, Place, Reading, Report, Span,
    Statement,
};

pub const CREDIT: Direction = Direction::Credit;
pub const DEBIT: Direction = Direction::Debit;

/// Noon of the first day of the tests.
pub const NOON: u64 = 1_769_860_800_000_000_000;
pub const HOUR: u64 = DAY_NS / 24;

/// A line of a statement.
#[derive(Clone, Debug)]
pub struct Line {
    pub references: Vec<String>,
    pub amount: u128,
    pub direction: Direction,
    pub currency: Option<&'static str>,
    pub span: Span,
}

/// A credit at an hour after noon, called so.
pub fn line(reference: &str, amount: u128, hour: i64) -> Line {
    Line {
        references: reference.split_whitespace().map(str::to_owned).collect(),
        amount,
        direction: CREDIT,
        currency: Some("EUR"),
        span: Span::instant(at(hour)),
    }
}

impl Line {
    pub fn debit(mut self) -> Self {
        self.direction = DEBIT;
        self
    }

    /// At this day after the first, no time known.
    pub fn day(mut self, day: u64) -> Self {
        let first_ns = NOON - DAY_NS / 2 + day * DAY_NS;
        self.span = Span {
            first_ns,
            last_ns: first_ns + DAY_NS - 1,
        };
        self
    }

    pub fn currency(mut self, currency: &'static str) -> Self {
        self.currency = Some(currency);
        self
    }

    pub fn untimed(mut self) -> Self {
        self.span = Span::UNKNOWN;
        self
    }
}

pub fn at(hour: i64) -> u64 {
    NOON.checked_add_signed(hour * HOUR as i64).unwrap()
}

pub fn statement(lines: &[Line]) -> Statement {
    let reading = Reading {
        currency: Some("EUR".to_owned()),
        ..Reading::new(2)
    };
    let mut builder = Builder::new(&reading).unwrap();
    for (number, line) in (1..).zip(lines) {
        let references: Vec<&str> = line.references.iter().map(String::as_str).collect();
        builder
            .push(&NewEntry {
                amount: line.amount,
                direction: line.direction,
                currency: line.currency,
                span: line.span,
                place: Place {
                    line: number,
                    entry: number,
                },
                references: &references,
                details: &[],
                description: "",
                reversal: false,
            })
            .unwrap();
    }
    builder.finish().unwrap()
}

/// What a statement's credit looks like in our books: a debit of the account, at an hour after noon.
pub fn transfer(id: u128, amount: u128, hour: i64) -> LedgerEntry {
    LedgerEntry {
        id,
        amount,
        direction: DEBIT,
        timestamp: at(hour),
        user_data_128: 0,
        user_data_64: 0,
        user_data_32: 0,
    }
}

/// `class/rule: entries of the statement = transfers`, entries by number and transfers by id, for each item.
pub fn shape(report: &Report<'_>) -> Vec<String> {
    report.items(&Class::ALL).map(|item| words(&item)).collect()
}

pub fn words(item: &Item<'_>) -> String {
    let entries: Vec<String> = item
        .statement
        .iter()
        .map(|entry| entry.entry.to_string())
        .collect();
    let transfers: Vec<String> = item
        .ledger
        .iter()
        .map(|transfer| {
            let hex = transfer.id.replace('-', "");
            u128::from_str_radix(&hex, 16).unwrap().to_string()
        })
        .collect();
    let name = |value: serde_json::Value| value.as_str().map(str::to_owned);
    let why = item
        .rule
        .and_then(|rule| name(serde_json::to_value(rule).unwrap()))
        .or_else(|| name(serde_json::to_value(item.doubt?).unwrap()))
        .or_else(|| name(serde_json::to_value(item.named_by?).unwrap()));
    let class = name(serde_json::to_value(item.class).unwrap()).unwrap();
    let why = why.map(|why| format!("/{why}")).unwrap_or_default();
    format!(
        "{class}{why}: {} = {}",
        entries.join(" "),
        transfers.join(" ")
    )
}

/// As many cases as the variable says, or this many. A failure is told and not written to a file.
pub fn cases(variable: &str, default: u32) -> proptest::test_runner::Config {
    let count = std::env::var(variable).ok();
    proptest::test_runner::Config {
        cases: count.and_then(|text| text.parse().ok()).unwrap_or(default),
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    }
}
