//! Debit and credit, and how the two sides of a reconciliation name the same movement.

use serde::Serialize;

/// The side on which an amount stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The debit side.
    Debit,
    /// The credit side.
    Credit,
}

impl Direction {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

/// How the statement's directions map to those of the ledger account.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Sides {
    /// The other party's books mirror ours, as a bank's do: what it credits to us, our account for money at that bank
    /// is debited with. A statement credit matches a ledger debit, a statement debit a ledger credit.
    #[default]
    Mirrored,
    /// The statement is written from our account's own point of view: credit matches credit, debit matches debit.
    Same,
}

impl Sides {
    /// What a ledger account's direction is called in the statement; and, since it is its own inverse, the way back.
    #[must_use]
    pub const fn translate(self, direction: Direction) -> Direction {
        match self {
            Self::Mirrored => direction.opposite(),
            Self::Same => direction,
        }
    }
}
