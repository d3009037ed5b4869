//! The workloads by name.

use clap::ValueEnum;

/// What clients do. Several together share one cluster: each request is made by one of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ValueEnum)]
pub enum Name {
    /// W1: transfers between accounts of which few are hot, new accounts, reads of everything.
    Transfer,
    /// W2: the same ids again, with the same or other fields, at other nodes.
    Idempotence,
    /// W3: a closed set of accounts with a fixed total; reads of all of them at once.
    Bank,
    /// W4: each transfer appends to two lists, and reads see them grow.
    Append,
    /// W5: post, void and expiry race for the same pending transfer.
    TwoPhase,
    /// W6: chains that succeed or fail together.
    Linked,
    /// W7: many spend from one account that must not go below zero.
    Limits,
    /// W8: questions about what happened, page by page at whatever node, while it happens.
    Queries,
    /// Transfers of every kind, while subscribers follow the event stream at every node and from node to node.
    Events,
    /// Transfers of every kind, while consumers of the event stream save in cursors how far they are, two in each, and
    /// crash.
    Cursors,
    /// W9: deadlines so short that nobody knows; the ids are looked up until it is known.
    Indefinite,
    /// W10: as `transfer`, while members come and go: it brings the nemesis `members` along.
    Membership,
    /// W11: ten times the callers.
    Overload,
}

impl Name {
    /// The name on the command line.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Idempotence => "idempotence",
            Self::Bank => "bank",
            Self::Append => "append",
            Self::TwoPhase => "two-phase",
            Self::Linked => "linked",
            Self::Limits => "limits",
            Self::Queries => "queries",
            Self::Events => "events",
            Self::Cursors => "cursors",
            Self::Indefinite => "indefinite",
            Self::Membership => "membership",
            Self::Overload => "overload",
        }
    }
}
