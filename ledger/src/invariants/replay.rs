//! Invariant 8: replaying what is stored gives what is stored.

use std::collections::BTreeMap;

use crate::account::{Account, AccountFlags, Balances};
use crate::changes::TransferRow;
use crate::event::{Event, EventBody};
use crate::ids::{AccountId, TransferId};
use crate::transfer::{Transfer, TransferFlags};

use super::{Violation, violated};

/// Invariant 8. Transfers are facts: replaying them and the expiries in their order gives the balances stored with
/// each of them, and in the end those of the accounts.
///
/// # Errors
/// Names the first transfer or account whose balances differ.
pub fn replay_agrees<'a>(
    accounts: impl IntoIterator<Item = &'a Account>,
    transfers: impl IntoIterator<Item = &'a TransferRow>,
    events: impl IntoIterator<Item = &'a Event>,
) -> Result<(), Violation> {
    let mut replay = Replay::default();
    let mut events = events.into_iter().peekable();
    for row in transfers {
        while let Some(event) = events.next_if(|event| event.sequence < row.sequence) {
            replay.event(event)?;
        }
        replay.transfer(row)?;
    }
    for event in events {
        replay.event(event)?;
    }
    for account in accounts {
        let balances = replay.balances.remove(&account.id).unwrap_or_default();
        let closings = replay.closings.remove(&account.id).unwrap_or_default();
        if balances != account.balances() {
            return violated(
                8,
                format!("replay gives other balances for account {}", account.id),
            );
        }
        if closings != 0 && !account.flags.contains(AccountFlags::CLOSED) {
            return violated(
                8,
                format!("account {} is open under a closing transfer", account.id),
            );
        }
    }
    Ok(())
}

/// Balances as replayed so far.
#[derive(Default)]
struct Replay {
    balances: BTreeMap<AccountId, Balances>,
    /// Open closing transfers of an account.
    closings: BTreeMap<AccountId, u32>,
    /// Open pending transfers.
    open: BTreeMap<TransferId, Transfer>,
}

impl Replay {
    fn transfer(&mut self, row: &TransferRow) -> Result<(), Violation> {
        let transfer = &row.transfer;
        let pending = transfer.flags.contains(TransferFlags::PENDING);
        if transfer.flags.resolves_pending() {
            let Some(reserved) = self.open.remove(&transfer.pending_id) else {
                return violated(8, format!("transfer {} resolves nothing", transfer.id));
            };
            self.release(&reserved);
        }
        if pending {
            self.open.insert(transfer.id, *transfer);
            self.close(transfer, 1);
        }
        let debit = self.balances.entry(transfer.debit_account_id).or_default();
        if pending {
            debit.debits_pending = debit.debits_pending.wrapping_add(transfer.amount);
        } else if !transfer
            .flags
            .contains(TransferFlags::VOID_PENDING_TRANSFER)
        {
            debit.debits_posted = debit.debits_posted.wrapping_add(transfer.amount);
        }
        let debit_agrees = *debit == row.debit_after;
        let credit = self.balances.entry(transfer.credit_account_id).or_default();
        if pending {
            credit.credits_pending = credit.credits_pending.wrapping_add(transfer.amount);
        } else if !transfer
            .flags
            .contains(TransferFlags::VOID_PENDING_TRANSFER)
        {
            credit.credits_posted = credit.credits_posted.wrapping_add(transfer.amount);
        }
        if debit_agrees && *credit == row.credit_after {
            return Ok(());
        }
        violated(
            8,
            format!(
                "balances stored with transfer {} differ from the replay",
                transfer.id
            ),
        )
    }

    fn event(&mut self, event: &Event) -> Result<(), Violation> {
        let EventBody::TransferExpired {
            transfer,
            debit_after,
            credit_after,
        } = &event.body
        else {
            return Ok(());
        };
        if self.open.remove(&transfer.id).as_ref() != Some(transfer) {
            return violated(
                8,
                format!("transfer {} expired without being open", transfer.id),
            );
        }
        self.release(transfer);
        let debit = self.balances.get(&transfer.debit_account_id);
        if debit == Some(debit_after)
            && self.balances.get(&transfer.credit_account_id) == Some(credit_after)
        {
            return Ok(());
        }
        violated(
            8,
            format!(
                "balances stored with the expiry of {} differ from the replay",
                transfer.id
            ),
        )
    }

    fn release(&mut self, reserved: &Transfer) {
        let debit = self.balances.entry(reserved.debit_account_id).or_default();
        debit.debits_pending = debit.debits_pending.wrapping_sub(reserved.amount);
        let credit = self.balances.entry(reserved.credit_account_id).or_default();
        credit.credits_pending = credit.credits_pending.wrapping_sub(reserved.amount);
        self.close(reserved, u32::MAX);
    }

    /// Counts closing transfers up (by 1) or down (by -1 modulo 2^32).
    fn close(&mut self, transfer: &Transfer, by: u32) {
        for (flag, id) in [
            (TransferFlags::CLOSING_DEBIT, transfer.debit_account_id),
            (TransferFlags::CLOSING_CREDIT, transfer.credit_account_id),
        ] {
            if transfer.flags.contains(flag) {
                let count = self.closings.entry(id).or_default();
                *count = count.wrapping_add(by);
            }
        }
    }
}
