//! Which statuses were seen, and the requests of the tables.

use std::collections::BTreeSet;
use std::fmt::Debug;

use farthing_ledger::{
    CreateAccountStatus, CreateLedgerStatus, CreateTransferStatus, WriteRecordStatus,
};

/// A numbered status.
pub(crate) trait Numbered: Copy + Debug + 'static {
    const ALL: &'static [Self];
    fn number(self) -> u32;
    fn of(number: u32) -> Option<Self>;
}

macro_rules! numbered {
    ($($status:ty),+) => {
        $(impl Numbered for $status {
            const ALL: &'static [Self] = Self::all();
            fn number(self) -> u32 {
                self.code()
            }
            fn of(number: u32) -> Option<Self> {
                Self::from_code(number)
            }
        })+
    };
}

numbered!(
    CreateAccountStatus,
    CreateLedgerStatus,
    CreateTransferStatus,
    WriteRecordStatus
);

/// Statuses seen so far.
#[derive(Default)]
pub(crate) struct Coverage {
    seen: BTreeSet<u32>,
}

impl Coverage {
    /// Notes and compares the statuses of one answer.
    pub(crate) fn check<S: Numbered>(
        &mut self,
        got: impl IntoIterator<Item = u32>,
        expected: &[S],
        request: &dyn Debug,
    ) {
        let got: Vec<u32> = got.into_iter().collect();
        let numbers: Vec<u32> = expected.iter().map(|status| status.number()).collect();
        let names: Vec<Option<S>> = got.iter().map(|number| S::of(*number)).collect();
        assert_eq!(
            got, numbers,
            "got {names:?} instead of {expected:?} for {request:#?}"
        );
        self.seen.extend(got);
    }

    /// Adds what another table saw.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.seen.extend(other.seen);
    }

    /// Every status of the ledger's list was seen.
    pub(crate) fn is_complete<S: Numbered>(&self) {
        let missing: Vec<&S> = S::ALL
            .iter()
            .filter(|status| !self.seen.contains(&status.number()))
            .collect();
        assert!(missing.is_empty(), "no case reaches {missing:?}");
    }
}

/// The status numbers of typed results.
#[macro_export]
macro_rules! numbers {
    ($results:expr) => {
        $results
            .iter()
            .map(|result| u32::try_from(result.status).unwrap())
    };
}
