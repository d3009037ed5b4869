//! A broken invariant: our own state is wrong, so the node stops instead of making it worse.

use std::fmt;

/// What was found broken. Numbers in the texts are those of the list in [`crate::invariants`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// 1. The entry's changes to a ledger's debits and credits differ.
    Unbalanced {
        /// Which ledger.
        ledger: u32,
    },
    /// 2. A balance would wrap or go below zero behind the line of no return.
    BalanceWraps {
        /// Which account.
        account: u128,
    },
    /// 3. A limit of an account does not hold behind the line of no return.
    LimitExceeded {
        /// Which account.
        account: u128,
    },
    /// 5. A pending transfer's row, its place in the expiry queue or its accounts' flags do not fit together.
    PendingInconsistent {
        /// Which pending transfer.
        transfer: u128,
    },
    /// 5. The account of a pending transfer is missing.
    AccountMissing {
        /// Which account.
        account: u128,
    },
    /// 7. A timestamp would not be above the last one of its kind.
    TimestampRegresses {
        /// ns.
        timestamp: u64,
    },
    /// 7. The clock, the sequence, a counter or a version is used up.
    CounterExhausted,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbalanced { ledger } => write!(
                f,
                "invariant 1: debits and credits of ledger {ledger} differ"
            ),
            Self::BalanceWraps { account } => {
                write!(f, "invariant 2: a balance of account {account} wraps")
            }
            Self::LimitExceeded { account } => {
                write!(f, "invariant 3: a limit of account {account} does not hold")
            }
            Self::PendingInconsistent { transfer } => {
                write!(
                    f,
                    "invariant 5: pending transfer {transfer} is inconsistent"
                )
            }
            Self::AccountMissing { account } => {
                write!(
                    f,
                    "invariant 5: account {account} of a pending transfer is missing"
                )
            }
            Self::TimestampRegresses { timestamp } => {
                write!(
                    f,
                    "invariant 7: timestamp {timestamp} is not above the last one"
                )
            }
            Self::CounterExhausted => f.write_str("invariant 7: a counter is used up"),
        }
    }
}

impl std::error::Error for Broken {}
