//! An id that exists: the same again, or in which field does it differ first?

use farthing_client::{CreateTransferStatus as Status, Transfer, TransferFlags};

use super::movement::refuse_if;
use super::second_phase::meant;
use super::{Model, Refusal};

impl Model {
    /// Status and timestamp when the item is the same as the stored transfer; otherwise the first difference.
    pub(super) fn compare_transfer(
        &self,
        item: &Transfer,
        row: u32,
    ) -> Result<(u32, u64), Refusal> {
        let existing = self.transfers.get(row);
        refuse_if! {
            item.flags != existing.flags => ExistsWithDifferentFlags,
            item.pending_id != existing.pending_id => ExistsWithDifferentPendingId,
            item.timeout != existing.timeout => ExistsWithDifferentTimeout,
        }
        // A post or void was stored with what it inherited.
        let item = match self.transfers.find(existing.pending_id.0) {
            Some(pending) => meant(item, &self.transfers.get(pending)),
            None => *item,
        };
        // A balancing transfer asks for "at most" and was stored with what it moved.
        let balancing = TransferFlags::BALANCING_DEBIT.with(TransferFlags::BALANCING_CREDIT);
        let amount_fits = if item.flags.intersects(balancing) {
            item.amount >= existing.amount
        } else {
            item.amount == existing.amount
        };
        refuse_if! {
            item.debit_account_id != existing.debit_account_id => ExistsWithDifferentDebitAccountId,
            item.credit_account_id != existing.credit_account_id
                => ExistsWithDifferentCreditAccountId,
            !amount_fits => ExistsWithDifferentAmount,
            item.user_data_128 != existing.user_data_128 => ExistsWithDifferentUserData128,
            item.user_data_64 != existing.user_data_64 => ExistsWithDifferentUserData64,
            item.user_data_32 != existing.user_data_32 => ExistsWithDifferentUserData32,
            item.ledger != existing.ledger => ExistsWithDifferentLedger,
            item.code != existing.code => ExistsWithDifferentCode,
        }
        Ok((Status::Exists.code(), existing.timestamp))
    }
}
