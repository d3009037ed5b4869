//! Creating accounts.

use farthing_client::{Account, AccountFlags, CreateAccountStatus as Status};

use super::undo::Undo;
use super::{Model, Refusal, TIMESTAMP_MAX};
use crate::history::Outcome;

/// Every flag that has a meaning.
const KNOWN_FLAGS: u16 = 0b11_1111;

impl Model {
    pub(super) fn create_account(&mut self, item: &Account, mode: bool, now: u64) -> Outcome {
        match self.try_account(item, mode, now) {
            Ok(outcome) => outcome,
            Err(status) => Outcome(status, now),
        }
    }

    fn try_account(&mut self, item: &Account, mode: bool, now: u64) -> Result<Outcome, Refusal> {
        let refuse = |status: Status| Err(status.code());
        let imported = item.flags.contains(AccountFlags::IMPORTED);
        if imported != mode {
            return refuse(if imported {
                Status::ImportedEventNotExpected
            } else {
                Status::ImportedEventExpected
            });
        }
        if !imported && item.timestamp != 0 {
            return refuse(Status::TimestampMustBeZero);
        }
        if imported && (item.timestamp == 0 || item.timestamp > TIMESTAMP_MAX) {
            return refuse(Status::ImportedEventTimestampOutOfRange);
        }
        if imported && item.timestamp >= now {
            return refuse(Status::ImportedEventTimestampMustNotAdvance);
        }
        if item.reserved != 0 {
            return refuse(Status::ReservedField);
        }
        if item.flags.0 & !KNOWN_FLAGS != 0 {
            return refuse(Status::ReservedFlag);
        }
        if item.id.0 == 0 {
            return refuse(Status::IdMustNotBeZero);
        }
        if item.id.0 == u128::MAX {
            return refuse(Status::IdMustNotBeIntMax);
        }
        if let Some(existing) = self.account(item.id.0) {
            return match difference(item, existing) {
                Some(status) => refuse(status),
                None => Ok(Outcome(Status::Exists.code(), existing.timestamp)),
            };
        }
        if let Some(status) = wrong_field(item) {
            return refuse(status);
        }
        let timestamp = if imported { item.timestamp } else { now };
        if imported && (timestamp <= self.account_time || self.transfer_at(timestamp)) {
            return refuse(Status::ImportedEventTimestampMustNotRegress);
        }
        let slot = self.accounts.len() as u32;
        self.account_slots.insert(item.id.0, slot);
        self.accounts.push(Account { timestamp, ..*item });
        self.journal.push(Undo::AccountAdded);
        self.journal.push(Undo::AccountTime(self.account_time));
        self.account_time = timestamp;
        Ok(Outcome(0, timestamp))
    }

    pub(super) fn account_at(&self, timestamp: u64) -> bool {
        self.accounts
            .iter()
            .any(|account| account.timestamp == timestamp)
    }

    fn transfer_at(&self, timestamp: u64) -> bool {
        timestamp <= self.transfer_time
            && self
                .transfers()
                .any(|transfer| transfer.timestamp == timestamp)
    }
}

/// The first field in which an account differs from the one of its id.
fn difference(item: &Account, existing: &Account) -> Option<Status> {
    let differs = [
        (
            item.flags != existing.flags,
            Status::ExistsWithDifferentFlags,
        ),
        (
            item.user_data_128 != existing.user_data_128,
            Status::ExistsWithDifferentUserData128,
        ),
        (
            item.user_data_64 != existing.user_data_64,
            Status::ExistsWithDifferentUserData64,
        ),
        (
            item.user_data_32 != existing.user_data_32,
            Status::ExistsWithDifferentUserData32,
        ),
        (
            item.ledger != existing.ledger,
            Status::ExistsWithDifferentLedger,
        ),
        (item.code != existing.code, Status::ExistsWithDifferentCode),
    ];
    differs
        .into_iter()
        .find(|(differs, _)| *differs)
        .map(|(_, status)| status)
}

fn wrong_field(item: &Account) -> Option<Status> {
    let limits = AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS
        .with(AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS);
    let wrong = [
        (
            item.flags.contains(limits),
            Status::FlagsAreMutuallyExclusive,
        ),
        (item.debits_pending != 0, Status::DebitsPendingMustBeZero),
        (item.debits_posted != 0, Status::DebitsPostedMustBeZero),
        (item.credits_pending != 0, Status::CreditsPendingMustBeZero),
        (item.credits_posted != 0, Status::CreditsPostedMustBeZero),
        (item.ledger == 0, Status::LedgerMustNotBeZero),
        (item.code == 0, Status::CodeMustNotBeZero),
    ];
    wrong
        .into_iter()
        .find(|(wrong, _)| *wrong)
        .map(|(_, status)| status)
}
