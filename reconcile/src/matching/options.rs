//! What counts as the same.

use crate::direction::Sides;
use crate::time::{DAY_NS, Span};

/// How two sides are compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// How the statement's debit and credit map to those of the account.
    pub sides: Sides,
    /// Fields of a transfer that references of the statement are compared with. The order is that of [`Field`].
    pub fields: Vec<Field>,
    /// How far apart in time, in ns, two entries of one thing may be, from the end of one to the begin of the other: an
    /// entry with a date is as long as its day.
    pub window_ns: u64,
    /// Smaller windows that are tried first, narrowest first. They find pairs in crowds of equal amounts, and they are a
    /// judgement: that what is so close belongs together even though other candidates are within the window.
    pub tight_windows_ns: Vec<u64>,
    /// How sums are looked for. `None`: not at all.
    pub sums: Option<Sums>,
    /// The time that the statement covers; what it says itself if this is `None`. What is missing or extra no farther than
    /// the window from its ends is marked: its partner may be in the statement before or behind. What only the ledger has,
    /// beyond them, is [`Class::Outside`](super::Class::Outside).
    pub period: Option<Span>,
}

/// Bounds of the search for sums.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sums {
    /// Entries of a run that makes a sum, at most.
    pub run_max: usize,
    /// Entries that make a sum without being a run, at most.
    pub combination_max: usize,
    /// Candidates for such a combination; with more, none is looked for.
    pub candidates_max: usize,
    /// Steps of the whole search; a step is some nanoseconds.
    pub steps_max: u64,
    /// A sum counts as found only if the odds that any sum of the whole search would fit by chance are below one to this
    /// number. Estimated from how many sums were tried for how many entries, and how far apart they lie.
    pub odds_min: u32,
}

/// A field of a transfer that a reference may name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The transfer's id.
    Id,
    /// `user_data_128`.
    #[serde(rename = "user_data_128")]
    UserData128,
    /// `user_data_64`.
    #[serde(rename = "user_data_64")]
    UserData64,
    /// `user_data_32`.
    #[serde(rename = "user_data_32")]
    UserData32,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Id,
        Self::UserData128,
        Self::UserData64,
        Self::UserData32,
    ];
}

impl Options {
    pub(super) fn fields(&self) -> impl Iterator<Item = Field> {
        Field::ALL
            .into_iter()
            .filter(|field| self.fields.contains(field))
    }
}

impl Default for Options {
    /// Mirrored sides, all fields, a window of a day, and sums.
    fn default() -> Self {
        Self {
            sides: Sides::Mirrored,
            fields: Field::ALL.to_vec(),
            window_ns: DAY_NS,
            tight_windows_ns: Vec::new(),
            sums: Some(Sums::default()),
            period: None,
        }
    }
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            run_max: 1_000_000,
            combination_max: 4,
            candidates_max: 40,
            steps_max: 200_000_000,
            odds_min: 20,
        }
    }
}
