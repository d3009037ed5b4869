//! The answer to one item.

use farthing_ledger::{
    CreateAccountStatus, CreateLedgerStatus, CreateTransferStatus, WriteRecordStatus,
};

/// The answer to one item. A refusal is an answer too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<S> {
    /// What became of it.
    pub status: S,
    /// Its time in ns; when it existed before, the time of the original.
    pub timestamp: u64,
    /// Log index at which it was decided: pass it to
    /// [`Consistency::MinLogIndex`](crate::Consistency::MinLogIndex) to read your writes.
    pub log_index: u64,
    /// An earlier attempt of this same call, whose answer was lost, had applied the item:
    /// the server said `exists` and the status says success.
    pub by_earlier_attempt: bool,
}

impl<S: Status> Outcome<S> {
    /// It was applied, by this call.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status == S::SUCCESS
    }

    /// It stands as sent: applied by this call, or the identical item was there before.
    #[must_use]
    pub fn is_success_or_exists(&self) -> bool {
        self.status == S::SUCCESS || self.status == S::EXISTS
    }
}

/// The numbered statuses of one kind of item.
pub trait Status: Copy + PartialEq + std::fmt::Display + private::Sealed {
    /// It was applied.
    const SUCCESS: Self;
    /// The identical item was applied before.
    const EXISTS: Self;
    /// Another item of its chain was refused.
    const LINKED_EVENT_FAILED: Self;

    /// The status of a number; `None` for one of a newer server.
    fn from_code(code: u32) -> Option<Self>;
}

mod private {
    pub trait Sealed {}
}

macro_rules! status {
    ($($status:ident: $success:ident;)+) => {
        $(
            impl private::Sealed for $status {}
            impl Status for $status {
                const SUCCESS: Self = $status::$success;
                const EXISTS: Self = $status::Exists;
                const LINKED_EVENT_FAILED: Self = $status::LinkedEventFailed;

                fn from_code(code: u32) -> Option<Self> {
                    $status::from_code(code)
                }
            }
        )+
    };
}

status! {
    CreateLedgerStatus: Created;
    CreateAccountStatus: Created;
    CreateTransferStatus: Created;
    WriteRecordStatus: Written;
}
