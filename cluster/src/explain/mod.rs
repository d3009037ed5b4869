//! What every status and every stable code means, why it happens and what to do: one table, told by `farthing explain`
//! and written as `docs/reference/errors.md`.
//!
//! The texts stand in one `match` for each kind, so a status without a text does not compile. Names and numbers come
//! from where they are frozen (the ledger, the SDK, [`crate::failure`]); nothing here invents one, but for the exit
//! statuses of a node, which have no other home that a tool may read.
//!
//! Start reading at [`Entry`].

mod account;
mod failure;
mod ledger;
mod node_exit;
mod page;
mod record;
mod refusal;
mod transfer;

use serde::Serialize;

pub use page::page;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Answer to one transfer of a request.
    Transfer,
    /// Answer to one account of a request.
    Account,
    /// Answer to one ledger of a request.
    Ledger,
    /// Answer to one record of a request.
    Record,
    /// Reason of a call that was refused as a whole.
    Refusal,
    /// Code of a failure of `farthing`.
    Failure,
    /// Exit status of `farthing-node`.
    NodeExit,
}

impl Kind {
    /// Every kind, in the order of the page.
    pub const ALL: [Self; 7] = [
        Self::Transfer,
        Self::Account,
        Self::Ledger,
        Self::Record,
        Self::Refusal,
        Self::Failure,
        Self::NodeExit,
    ];

    /// Heading on the page.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Transfer => "Statuses of transfers",
            Self::Account => "Statuses of accounts",
            Self::Ledger => "Statuses of ledgers",
            Self::Record => "Statuses of records",
            Self::Refusal => "Reasons of refused calls",
            Self::Failure => "Failures of `farthing`",
            Self::NodeExit => "Exit statuses of `farthing-node`",
        }
    }

    /// What one entry of the kind is called.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Transfer => "status of a transfer",
            Self::Account => "status of an account",
            Self::Ledger => "status of a ledger",
            Self::Record => "status of a record",
            Self::Refusal => "reason of a refused call",
            Self::Failure => "failure of farthing",
            Self::NodeExit => "exit status of farthing-node",
        }
    }
}

/// One status or code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What it is about.
    pub kind: Kind,
    /// Its frozen number, an exit status among them; reasons of refused calls have none.
    pub number: Option<u32>,
    /// Its stable name.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// Why it happens.
    pub why: &'static str,
    /// What to do.
    pub advice: String,
}

/// The words of an entry.
#[derive(Clone, Copy, Debug)]
struct Text {
    meaning: &'static str,
    why: &'static str,
    advice: &'static str,
}

const fn text(meaning: &'static str, why: &'static str, advice: &'static str) -> Text {
    Text {
        meaning,
        why,
        advice,
    }
}

impl Text {
    fn entry(self, kind: Kind, number: Option<u32>, name: &'static str) -> Entry {
        Entry {
            kind,
            number,
            name,
            meaning: self.meaning,
            why: self.why,
            advice: self.advice.to_owned(),
        }
    }
}

/// Every status and code, kind by kind, each kind in the order in which it is checked.
#[must_use]
pub fn all() -> Vec<Entry> {
    [
        transfer::entries(),
        account::entries(),
        ledger::entries(),
        record::entries(),
        refusal::entries(),
        failure::entries(),
        node_exit::entries(),
    ]
    .concat()
}

/// The entries of a name or of a number, in whatever case and with `-` for `_`.
#[must_use]
pub fn find(wanted: &str, kind: Option<Kind>) -> Vec<Entry> {
    let name = plain(wanted);
    let number: Option<u32> = wanted.parse().ok();
    let mut found = of_kind(kind);
    found.retain(|entry| plain(entry.name) == name || (number.is_some() && entry.number == number));
    found
}

/// Names that a mistyped one may have meant, at most five, the likeliest first.
#[must_use]
pub fn similar(wanted: &str, kind: Option<Kind>) -> Vec<&'static str> {
    let wanted = plain(wanted);
    let words: Vec<&str> = wanted.split('_').filter(|word| word.len() > 2).collect();
    let mut ranked: Vec<(usize, &'static str)> = of_kind(kind)
        .into_iter()
        .map(|entry| {
            let name = plain(entry.name);
            let whole = if name.contains(&wanted) { 100 } else { 0 };
            let same_beginning = name.bytes().zip(wanted.bytes());
            let same_beginning = same_beginning.take_while(|(a, b)| a == b).count();
            let shared = words.iter().filter(|word| name.contains(*word)).count();
            (whole + 4 * shared + same_beginning, entry.name)
        })
        .filter(|(score, _)| *score >= 4)
        .collect();
    ranked.sort_by_key(|(score, name)| (std::cmp::Reverse(*score), name.len(), *name));
    ranked.dedup_by_key(|(_, name)| *name);
    let best = ranked.first().map_or(0, |(score, _)| *score);
    ranked.retain(|(score, _)| 2 * score >= best);
    ranked.into_iter().map(|(_, name)| name).take(5).collect()
}

fn of_kind(kind: Option<Kind>) -> Vec<Entry> {
    let mut entries = all();
    entries.retain(|entry| kind.is_none_or(|kind| entry.kind == kind));
    entries
}

fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_numbers_are_unique_within_a_kind_and_every_text_is_a_sentence() {
        let entries = all();
        let names: BTreeSet<_> = entries.iter().map(|e| (e.kind, e.name)).collect();
        assert_eq!(names.len(), entries.len());
        for kind in [Kind::Transfer, Kind::Account, Kind::Ledger, Kind::Record] {
            let of_kind = || entries.iter().filter(|entry| entry.kind == kind);
            let numbers: BTreeSet<_> = of_kind().map(|entry| entry.number).collect();
            assert_eq!(numbers.len(), of_kind().count(), "{kind:?}");
            assert_eq!(
                of_kind().next().unwrap().number,
                Some(0),
                "success is first"
            );
        }
        for entry in &entries {
            for words in [entry.meaning, entry.why, &entry.advice] {
                assert!(
                    words.ends_with('.') && words.len() >= 8,
                    "{}: {words:?}",
                    entry.name
                );
                assert!(
                    !words.contains('|'),
                    "{}: it would break the page",
                    entry.name
                );
            }
        }
    }

    #[test]
    fn found_by_name_by_number_and_by_kind() {
        let by_number = find("54", None);
        assert_eq!(by_number.len(), 1);
        assert_eq!(
            (by_number[0].kind, by_number[0].name),
            (Kind::Transfer, "exceeds_credits")
        );
        assert_eq!(find("Exceeds-Credits", None), by_number);
        let kinds: Vec<Kind> = find("exists", None).iter().map(|e| e.kind).collect();
        assert_eq!(
            kinds,
            [Kind::Transfer, Kind::Account, Kind::Ledger, Kind::Record]
        );
        assert_eq!(find("exists", Some(Kind::Ledger)).len(), 1);
        assert_eq!(find("NOT_REACHABLE", None)[0].kind, Kind::Failure);
        assert!(find("no_such_status", None).is_empty());
    }

    #[test]
    fn a_slip_of_the_fingers_is_understood() {
        assert_eq!(similar("exceeds_credit", None)[0], "exceeds_credits");
        assert!(similar("pending_expired", None).contains(&"pending_transfer_expired"));
        assert!(similar("zzz", None).is_empty());
    }

    #[test]
    fn a_passing_refusal_says_that_the_id_is_used_up() {
        for entry in all() {
            let passing =
                farthing_ledger::CreateTransferStatus::from_code(entry.number.unwrap_or(0))
                    .is_some_and(|status| entry.kind == Kind::Transfer && status.is_transient());
            assert_eq!(
                entry.advice.contains("new id"),
                passing || entry.name == "id_already_failed",
                "{}",
                entry.name
            );
        }
    }
}
