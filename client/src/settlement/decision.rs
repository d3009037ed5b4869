//! What is asked of the user, and what is told.

use std::time::Duration;

use farthing_ledger::{CreateTransferStatus, PendingStatus, Transfer};
use rust_decimal::Decimal;

use crate::amount::{Amount, AmountError, to_decimal};
use crate::error::Error;

/// Whatever went wrong with a decision, in the user's words.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A pending transfer that waits for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingTransfer {
    /// As stored; its id is the key for whatever is done outside because of it, its amount counts the ledger's smallest
    /// unit.
    pub transfer: Transfer,
    /// Decimals of its ledger.
    pub scale: u8,
    /// Its place in the event stream.
    pub sequence: u64,
    /// How often this worker has asked about it before. After a restart it begins at 0 again.
    pub asked_before: u32,
}

impl PendingTransfer {
    /// The amount in the ledger's unit.
    ///
    /// # Errors
    /// [`AmountError::DoesNotFit`] when a `Decimal` cannot hold it exactly.
    pub fn amount(&self) -> Result<Decimal, AmountError> {
        to_decimal(self.transfer.amount, self.scale)
    }
}

/// What is to become of a pending transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Post all of it.
    Post,
    /// Post this much of it: an integer counts the ledger's smallest unit, a `Decimal` its unit. The rest is released.
    PostAmount(Amount),
    /// Void it.
    Void,
    /// Ask again after so long. It stays open meanwhile and keeps the cursor before it.
    Later(Duration),
}

impl Decision {
    /// The end that it asks for.
    #[must_use]
    pub fn end(&self) -> Option<PendingStatus> {
        match self {
            Decision::Post | Decision::PostAmount(_) => Some(PendingStatus::Posted),
            Decision::Void => Some(PendingStatus::Voided),
            Decision::Later(_) => None,
        }
    }
}

/// The end of a pending transfer, as the ledger has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settlement {
    /// The pending transfer.
    pub pending: PendingTransfer,
    /// Posted, voided or expired.
    pub end: PendingStatus,
    /// What was decided; `None` when it was found at its end before anything was decided.
    pub decision: Option<Decision>,
    /// It stands as decided, under the worker's id: by this attempt, or by an earlier one that decided the same.
    pub as_decided: bool,
}

impl Settlement {
    /// What was decided is not what stands: an earlier decision had another end or amount, somebody else ended it, perhaps
    /// with another amount, or it has expired. Whoever has told the outside world of the decision has to look at this one.
    #[must_use]
    pub fn contradicts(&self) -> bool {
        self.decision.is_some() && !self.as_decided
    }
}

/// Why a pending transfer cannot be settled as decided.
#[derive(Debug)]
#[non_exhaustive]
pub enum RefusalCause {
    /// The ledger refuses the post or the void: an account is closed, the amount is more than what was reserved.
    Status(CreateTransferStatus),
    /// It could not be sent: an amount that cannot be converted, a call that is refused as a whole.
    Error(Error),
    /// The decision failed as often in a row as is allowed; the last error.
    Undecided(BoxError),
}

impl std::fmt::Display for RefusalCause {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RefusalCause::Status(status) => write!(formatter, "the ledger refused it: {status}"),
            RefusalCause::Error(error) => write!(formatter, "it was not sent: {error}"),
            RefusalCause::Undecided(error) => write!(formatter, "nothing was decided: {error}"),
        }
    }
}

/// A pending transfer that cannot be settled as decided; it is pending still.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refusal {
    /// The pending transfer.
    pub pending: PendingTransfer,
    /// What was decided, if anything was.
    pub decision: Option<Decision>,
    /// Why not.
    pub cause: RefusalCause,
}

/// What is to be done about a [`Refusal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterRefusal {
    /// Ask for a decision again after so long.
    Again(Duration),
    /// Void it.
    Void,
    /// Leave it pending and let the cursor pass it: somebody else settles it, or it expires.
    Leave,
}
