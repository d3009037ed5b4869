//! One thing that was found: entries of one or both sides that belong together, and what is to be said of them.

use serde::Serialize;

use super::money::Money;
use crate::direction::Direction;
use crate::ledger_entry::LedgerEntry;
use crate::matching::{Class, Doubt, Field, Group, Rule, Verdict, Work};
use crate::reference;
use crate::statement::Entry;
use crate::time::Span;

/// Entries that belong together, or one that belongs to nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Item<'a> {
    /// What became of them.
    pub class: Class,
    /// Of matched ones: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Of different ones: the field of the transfer that the statement names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named_by: Option<Field>,
    /// Of different ones: what differs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Of ambiguous ones: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// Of missing and extra ones: so close to an end of the statement's period that its partner may be in the statement before
    /// or behind.
    #[serde(skip_serializing_if = "is_false")]
    pub near_edge: bool,
    /// Of the statement, in its order.
    pub statement: Vec<StatementItem<'a>>,
    /// Of the ledger, in the order of time.
    pub ledger: Vec<LedgerItem>,
    /// Of different ones: each transaction inside of the booking, if they name transfers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<DetailItem<'a>>,
}

/// What differs between two things of one name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The statement's currency is not the ledger's.
    Currency,
    /// The money goes the other way.
    Direction,
    /// It is another amount, or comes to another.
    Amount,
    /// The statement has it more than once.
    Repeated,
}

/// An entry of the statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StatementItem<'a> {
    /// Line of the file where it begins.
    pub line: u64,
    /// Its number in the file, from 1.
    pub entry: u64,
    /// What it is called, and what the transactions inside of it are called.
    pub references: Vec<&'a str>,
    /// How much.
    pub amount: Money,
    /// As the statement says it.
    pub direction: Direction,
    /// The currency it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<&'a str>,
    /// A date, or a time of RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Whether the bank says that it takes back another one.
    #[serde(skip_serializing_if = "is_false")]
    pub reversal: bool,
    /// What it is about, shortened.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub description: &'a str,
}

/// A transfer, as the account sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LedgerItem {
    /// Its id, as a UUID.
    pub id: String,
    /// How much.
    pub amount: Money,
    /// The side of the account.
    pub direction: Direction,
    /// ns since 1970.
    pub timestamp: u64,
    /// The same as a time of RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Link to outside, as a UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_data_128: Option<String>,
    /// Link to outside.
    #[serde(skip_serializing_if = "is_zero_64")]
    pub user_data_64: u64,
    /// Link to outside.
    #[serde(skip_serializing_if = "is_zero_32")]
    pub user_data_32: u32,
}

/// A transaction inside of a booking that does not agree as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DetailItem<'a> {
    /// Number of the booking in the file, from 1.
    pub entry: u64,
    /// Its number within the booking, from 1.
    pub detail: u32,
    /// What it is called.
    pub references: Vec<&'a str>,
    /// How much, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// What the ledger says.
    pub finding: Finding,
}

/// What the ledger says of a transaction inside of a booking.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It has a transfer of this name, and nothing that differs is known.
    Agrees,
    /// It has a transfer of this name, of another amount or direction.
    Differs,
    /// It has no transfer of this name that is not accounted for otherwise.
    Missing,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_zero_64(value: &u64) -> bool {
    *value == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_zero_32(value: &u32) -> bool {
    *value == 0
}

impl<'a> Item<'a> {
    pub(super) fn of(work: &Work<'a>, group: &Group<'_>) -> Self {
        let entries = || group.statement.iter();
        let mut item = Self {
            class: group.verdict.class(),
            rule: None,
            named_by: None,
            reasons: Vec::new(),
            doubt: None,
            near_edge: false,
            statement: entries()
                .map(|index| StatementItem::of(work, work.statement.entry(*index as usize)))
                .collect(),
            ledger: group
                .ledger
                .iter()
                .map(|rank| LedgerItem::of(work.ledger(*rank), work.statement.scale()))
                .collect(),
            details: Vec::new(),
        };
        match group.verdict {
            Verdict::Matched(rule) => item.rule = Some(rule),
            Verdict::Ambiguous(doubt) => item.doubt = Some(doubt),
            Verdict::Different(field) => {
                item.named_by = Some(field);
                item.reasons = reasons(work, group);
                item.details = details(work, group, field);
            }
            Verdict::Outside => {}
            Verdict::Missing | Verdict::Extra => {
                item.near_edge = work.is_near_edge(group.statement, group.ledger);
            }
        }
        item
    }
}

impl<'a> StatementItem<'a> {
    fn of(work: &Work<'a>, entry: Entry<'a>) -> Self {
        let place = entry.place();
        let statement = work.statement;
        Self {
            line: place.line,
            entry: place.entry,
            references: entry.references().map(|reference| reference.text).collect(),
            amount: Money {
                units: entry.amount(),
                scale: statement.scale(),
            },
            direction: entry.direction(),
            currency: entry.currency(),
            time: entry.span().text(statement.utc_offset_s()),
            reversal: entry.is_reversal(),
            description: entry.description(),
        }
    }
}

impl LedgerItem {
    fn of(entry: &LedgerEntry, scale: u8) -> Self {
        Self {
            id: uuid(entry.id),
            amount: Money {
                units: entry.amount,
                scale,
            },
            direction: entry.direction,
            timestamp: entry.timestamp,
            time: Span::instant(entry.timestamp).text(0),
            user_data_128: (entry.user_data_128 != 0).then(|| uuid(entry.user_data_128)),
            user_data_64: entry.user_data_64,
            user_data_32: entry.user_data_32,
        }
    }
}

/// The canonical text of a 128-bit id.
fn uuid(id: u128) -> String {
    let text = format!("{id:032x}");
    let parts = [
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..],
    ];
    parts.join("-")
}

fn reasons(work: &Work<'_>, group: &Group<'_>) -> Vec<Reason> {
    let (statement, ledger) = (group.statement, group.ledger);
    let own = |index: &u32| work.statement.is_own_currency(*index as usize);
    if !statement.iter().all(own) {
        return vec![Reason::Currency];
    }
    let (ours, theirs) = (work.statement_net(statement), work.ledger_net(ledger));
    let mut reasons = Vec::new();
    if ours.direction != theirs.direction {
        reasons.push(Reason::Direction);
    }
    if ours.amount != theirs.amount {
        reasons.push(Reason::Amount);
    }
    let each_equals = |index: &u32| work.sums_equal(&[*index], ledger);
    if statement.len() > 1 && statement.iter().all(each_equals) {
        reasons.push(Reason::Repeated);
    }
    reasons
}

/// Says of every transaction inside of the bookings whether the ledger has it; nothing if none names a transfer at all,
/// since then they have names of another kind.
fn details<'a>(work: &Work<'a>, group: &Group<'_>, field: Field) -> Vec<DetailItem<'a>> {
    let mut named: Vec<(u128, u32)> = group
        .ledger
        .iter()
        .map(|rank| (work.value(*rank, field), *rank))
        .collect();
    named.sort_unstable();
    let find = |text: &str| {
        reference::numbers(text).find_map(|number| {
            let at = named
                .binary_search_by_key(&number, |(value, _)| *value)
                .ok()?;
            Some(named[at].1)
        })
    };
    let mut items = Vec::new();
    let mut any = false;
    for index in group.statement {
        let entry = work.statement.entry(*index as usize);
        let mut references = entry
            .references()
            .filter_map(|reference| Some((reference.detail?, reference.text)))
            .peekable();
        for detail in entry.details() {
            let mut texts = Vec::new();
            while let Some((_, text)) = references.next_if(|(of, _)| *of == detail.number) {
                texts.push(text);
            }
            let transfer = texts.iter().copied().find_map(find);
            any |= transfer.is_some();
            let finding = match (transfer, detail.amount) {
                (None, _) => Finding::Missing,
                (Some(rank), Some(movement)) if movement != work.ledger_movement(rank) => {
                    Finding::Differs
                }
                _ => Finding::Agrees,
            };
            items.push(DetailItem {
                entry: entry.place().entry,
                detail: detail.number,
                references: texts,
                amount: detail.amount.map(|(_, units)| Money {
                    units,
                    scale: work.statement.scale(),
                }),
                finding,
            });
        }
    }
    if any { items } else { Vec::new() }
}
