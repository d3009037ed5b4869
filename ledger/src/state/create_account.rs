//! Creating an account.

use crate::account::{Account, AccountFlags};
use crate::event::EventBody;
use crate::ids::AccountId;
use crate::ledger::Ledger;
use crate::result::ItemResult;
use crate::status::CreateAccountStatus as Status;

use super::command::{Command, TimeStatuses, item_timestamp};
use super::exists::compare_account;
use super::{Broken, Overlay, View};

impl Command for Account {
    fn linked(&self) -> bool {
        self.flags.contains(AccountFlags::LINKED)
    }

    fn imported(&self) -> Option<bool> {
        Some(self.flags.contains(AccountFlags::IMPORTED))
    }

    fn execute<V: View>(
        &self,
        overlay: &mut Overlay<'_, V>,
        mode: bool,
        now: u64,
    ) -> Result<ItemResult, Broken> {
        let timestamp = match check(self, overlay, mode, now) {
            Ok(timestamp) => timestamp,
            Err(refusal) => return Ok(refusal),
        };

        // The line of no return: from here on the account is created.
        let account = Account { timestamp, ..*self };
        if overlay.ledger(account.ledger).is_none() {
            // The first account fixes the scale of a number nobody has registered.
            overlay.set_ledger(Ledger {
                ledger: account.ledger,
                timestamp,
                ..Ledger::default()
            });
        }
        overlay.add_account(account)?;
        overlay.add_event(timestamp, EventBody::AccountCreated(account))?;
        Ok(Status::Created.at(timestamp))
    }
}

/// The account's timestamp, or the answer when there will be no account.
fn check<V: View>(
    item: &Account,
    overlay: &mut Overlay<'_, V>,
    mode: bool,
    now: u64,
) -> Result<u64, ItemResult> {
    let refuse = |status: Status| status.at(now);
    let imported = item.flags.contains(AccountFlags::IMPORTED);
    let statuses = TimeStatuses {
        expected: Status::ImportedEventExpected,
        not_expected: Status::ImportedEventNotExpected,
        must_be_zero: Status::TimestampMustBeZero,
        out_of_range: Status::ImportedEventTimestampOutOfRange,
        must_not_advance: Status::ImportedEventTimestampMustNotAdvance,
    };
    let timestamp =
        item_timestamp(imported, mode, item.timestamp, now, statuses).map_err(refuse)?;
    check_identity(item).map_err(refuse)?;
    if let Some(slot) = overlay.find_account(item.id) {
        let existing = overlay.account(slot);
        compare_account(item, existing).map_err(refuse)?;
        return Err(Status::Exists.at(existing.timestamp));
    }
    check_fields(item).map_err(refuse)?;
    if imported && (timestamp <= overlay.clock.account_timestamp || overlay.transfer_at(timestamp))
    {
        return Err(refuse(Status::ImportedEventTimestampMustNotRegress));
    }
    Ok(timestamp)
}

fn check_identity(item: &Account) -> Result<(), Status> {
    if item.reserved != 0 {
        return Err(Status::ReservedField);
    }
    if item.flags.has_reserved() {
        return Err(Status::ReservedFlag);
    }
    if item.id == AccountId::ZERO {
        return Err(Status::IdMustNotBeZero);
    }
    if item.id == AccountId::MAX {
        return Err(Status::IdMustNotBeIntMax);
    }
    Ok(())
}

fn check_fields(item: &Account) -> Result<(), Status> {
    let limits = AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS
        .with(AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS);
    if item.flags.contains(limits) {
        return Err(Status::FlagsAreMutuallyExclusive);
    }
    if item.debits_pending != 0 {
        return Err(Status::DebitsPendingMustBeZero);
    }
    if item.debits_posted != 0 {
        return Err(Status::DebitsPostedMustBeZero);
    }
    if item.credits_pending != 0 {
        return Err(Status::CreditsPendingMustBeZero);
    }
    if item.credits_posted != 0 {
        return Err(Status::CreditsPostedMustBeZero);
    }
    if item.ledger == 0 {
        return Err(Status::LedgerMustNotBeZero);
    }
    if item.code == 0 {
        return Err(Status::CodeMustNotBeZero);
    }
    Ok(())
}
