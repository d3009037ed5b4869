//! What became of entries: groups of them, each with a verdict. 16 bytes a group and 4 an entry.

use serde::Serialize;

use super::options::Field;

/// What became of an entry. Each ends in exactly one class.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Both sides name the same thing and do not agree about it.
    Different,
    /// The statement has it, the ledger has not.
    Missing,
    /// The ledger has it, the statement has not.
    Extra,
    /// There is more than one way to explain it.
    Ambiguous,
    /// The ledger has it, before or behind the time that the statement covers: the statement need not have it.
    Outside,
    /// Both sides have it, and agree.
    Matched,
}

impl Class {
    /// In the order of a report: what needs a person first.
    pub const ALL: [Self; 6] = [
        Self::Different,
        Self::Missing,
        Self::Extra,
        Self::Ambiguous,
        Self::Outside,
        Self::Matched,
    ];
}

/// Why entries count as the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A reference is the id of exactly one transfer, with equal amount.
    Id,
    /// A reference is the `user_data_128` of one transfer of equal amount.
    #[serde(rename = "user_data_128")]
    UserData128,
    /// A reference is the `user_data_64` of one transfer of equal amount.
    #[serde(rename = "user_data_64")]
    UserData64,
    /// A reference is the `user_data_32` of one transfer of equal amount.
    #[serde(rename = "user_data_32")]
    UserData32,
    /// References are ids of all the transfers, or one id is that of all the entries; the sums are equal.
    GroupById,
    /// Tied together by `user_data_128`; the sums are equal.
    #[serde(rename = "group_by_user_data_128")]
    GroupByUserData128,
    /// Tied together by `user_data_64`; the sums are equal.
    #[serde(rename = "group_by_user_data_64")]
    GroupByUserData64,
    /// Tied together by `user_data_32`; the sums are equal.
    #[serde(rename = "group_by_user_data_32")]
    GroupByUserData32,
    /// Equal amounts within the window, each the other's only candidate.
    AmountAndTime,
    /// Equal amounts within the window, as many on one side as on the other, paired in the order of time.
    AmountAndTimeInOrder,
    /// Everything of whole days comes to the amount.
    SumOfDays,
    /// Entries that follow each other in time come to the amount, in one way only.
    SumOfRun,
    /// A few entries come to the amount, in one way only.
    SumOfFew,
}

impl Rule {
    /// In the order in which they are tried.
    pub const ALL: [Self; 13] = [
        Self::Id,
        Self::UserData128,
        Self::UserData64,
        Self::UserData32,
        Self::GroupById,
        Self::GroupByUserData128,
        Self::GroupByUserData64,
        Self::GroupByUserData32,
        Self::AmountAndTime,
        Self::AmountAndTimeInOrder,
        Self::SumOfDays,
        Self::SumOfRun,
        Self::SumOfFew,
    ];

    pub(super) const fn pair(field: Field) -> Self {
        match field {
            Field::Id => Self::Id,
            Field::UserData128 => Self::UserData128,
            Field::UserData64 => Self::UserData64,
            Field::UserData32 => Self::UserData32,
        }
    }

    pub(super) const fn group(field: Field) -> Self {
        match field {
            Field::Id => Self::GroupById,
            Field::UserData128 => Self::GroupByUserData128,
            Field::UserData64 => Self::GroupByUserData64,
            Field::UserData32 => Self::GroupByUserData32,
        }
    }
}

/// Why entries are ambiguous.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Equal amounts within the window, and not as many on one side as on the other: which of them has no partner?
    UnequalCounts,
    /// As many on one side as on the other, and no way to pair them all within the window.
    NoPairing,
    /// More than one sum comes to the amount, or several entries need the same part.
    SeveralSums,
    /// One sum comes to the amount, but among so many some sum would by chance.
    LikelyChance,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Matched(Rule),
    /// By what both sides name.
    Different(Field),
    Missing,
    Extra,
    Outside,
    Ambiguous(Doubt),
}

impl Verdict {
    pub(crate) const fn class(self) -> Class {
        match self {
            Self::Matched(_) => Class::Matched,
            Self::Different(_) => Class::Different,
            Self::Missing => Class::Missing,
            Self::Extra => Class::Extra,
            Self::Outside => Class::Outside,
            Self::Ambiguous(_) => Class::Ambiguous,
        }
    }
}

/// Entries with the same verdict, together: indexes into the statement, ranks in the ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<'a> {
    pub(crate) verdict: Verdict,
    pub(crate) statement: &'a [u32],
    pub(crate) ledger: &'a [u32],
}

#[derive(Clone, Copy, Debug)]
struct Head {
    verdict: Verdict,
    begin: u32,
    statement_count: u32,
    ledger_count: u32,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct Groups {
    heads: Vec<Head>,
    members: Vec<u32>,
}

impl Groups {
    /// The sides must be sorted.
    pub(super) fn push(&mut self, verdict: Verdict, statement: &[u32], ledger: &[u32]) {
        self.heads.push(Head {
            verdict,
            begin: self.members.len() as u32,
            statement_count: statement.len() as u32,
            ledger_count: ledger.len() as u32,
        });
        self.members.extend_from_slice(statement);
        self.members.extend_from_slice(ledger);
    }

    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    pub(crate) fn get(&self, index: usize) -> Group<'_> {
        let head = &self.heads[index];
        let begin = head.begin as usize;
        let middle = begin + head.statement_count as usize;
        let end = middle + head.ledger_count as usize;
        Group {
            verdict: head.verdict,
            statement: &self.members[begin..middle],
            ledger: &self.members[middle..end],
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Group<'_>> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// By class, then by the statement's order, then by the ledger's.
    pub(super) fn sort(&mut self) {
        let members = &self.members;
        self.heads.sort_unstable_by_key(|head| {
            let first = |at: u32, count: u32| match count {
                0 => u32::MAX,
                _ => members[at as usize],
            };
            (
                head.verdict.class(),
                first(head.begin, head.statement_count),
                first(head.begin + head.statement_count, head.ledger_count),
            )
        });
    }
}
