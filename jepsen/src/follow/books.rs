//! Balances recomputed from the stream alone.

use std::collections::HashMap;

use farthing_client::{Balances, Transfer, TransferFlags};

/// Balances and reserved amounts so far.
#[derive(Default)]
pub(super) struct Books {
    balances: HashMap<u128, Balances>,
    /// By the id of the pending transfer.
    reserved: HashMap<u128, u128>,
}

impl Books {
    /// Carries out a transfer; `after` is what its event says of the debit and of the credit account.
    pub(super) fn carry_out(
        &mut self,
        transfer: &Transfer,
        after: [Balances; 2],
    ) -> Result<(), String> {
        let flags = transfer.flags;
        let is_pending = flags.contains(TransferFlags::PENDING);
        let resolves = flags.contains(TransferFlags::POST_PENDING_TRANSFER)
            || flags.contains(TransferFlags::VOID_PENDING_TRANSFER);
        let released = if resolves {
            let id = transfer.pending_id.0;
            self.reserved
                .remove(&id)
                .ok_or_else(|| format!("it resolves {id:x}, which is not pending"))?
        } else {
            0
        };
        if is_pending {
            self.reserved.insert(transfer.id.0, transfer.amount);
        }
        let (reserves, posts) = match () {
            () if is_pending => (transfer.amount, 0),
            () if flags.contains(TransferFlags::VOID_PENDING_TRANSFER) => (0, 0),
            () => (0, transfer.amount),
        };
        self.change(transfer, reserves, released, posts, after)
    }

    /// Releases what a pending transfer had reserved.
    pub(super) fn expire(
        &mut self,
        transfer: &Transfer,
        after: [Balances; 2],
    ) -> Result<(), String> {
        let id = transfer.id.0;
        let released = self
            .reserved
            .remove(&id)
            .ok_or_else(|| format!("{id:x} expires and is not pending"))?;
        self.change(transfer, 0, released, 0, after)
    }

    fn change(
        &mut self,
        transfer: &Transfer,
        reserves: u128,
        released: u128,
        posts: u128,
        after: [Balances; 2],
    ) -> Result<(), String> {
        let debit = self
            .balances
            .entry(transfer.debit_account_id.0)
            .or_default();
        debit.debits_pending = (debit.debits_pending + reserves).wrapping_sub(released);
        debit.debits_posted += posts;
        let debit = *debit;
        let credit = self
            .balances
            .entry(transfer.credit_account_id.0)
            .or_default();
        credit.credits_pending = (credit.credits_pending + reserves).wrapping_sub(released);
        credit.credits_posted += posts;
        let computed = [debit, *credit];
        if computed == after {
            return Ok(());
        }
        // From here on by what the stream says, so that one mistake is one complaint.
        for (id, said) in [transfer.debit_account_id, transfer.credit_account_id]
            .into_iter()
            .zip(after)
        {
            self.balances.insert(id.0, said);
        }
        Err(format!(
            "the balances after transfer {:x} are {computed:?}, and it says {after:?}",
            transfer.id.0
        ))
    }
}
