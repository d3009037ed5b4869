//! Carries a decision out: one post or void, under the id made from the pending transfer's.

use farthing_ledger::{
    AMOUNT_MAX, CreateTransferStatus as Status, PendingStatus, Transfer, TransferFlags, TransferId,
};
use farthing_proto::convert::consistency::Consistency;

use super::decision::{Decision, PendingTransfer};
use super::id::settlement_id;
use crate::amount::{Amount, AmountError, to_units};
use crate::client::Client;
use crate::error::Error;
use crate::queries::read::unreadable;
use crate::transfers::LookedUpTransfer;

/// Ids that are looked at together for one that is not used up.
const IDS_AT_ONCE: u32 = 64;
/// Ids of one pending transfer that may be used up before that is a refusal.
const ATTEMPTS_MAX: u32 = 4_096;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It stands as decided.
    AsDecided(PendingStatus),
    /// It had met this end before, otherwise.
    Otherwise(PendingStatus),
    /// It is pending still, and cannot be settled so.
    Refused(Status),
}

/// Posts or voids. Given up at any moment and called again, it does so once.
pub(super) async fn carry_out(
    client: &Client,
    pending: &PendingTransfer,
    decision: Decision,
) -> Result<Answer, Error> {
    let reserved = &pending.transfer;
    let Some((end, transfer)) = settlement(pending, decision)? else {
        return Err(unreadable("a decision to wait is nothing to carry out"));
    };
    let mut attempt = 0;
    loop {
        let id = settlement_id(reserved.id, attempt);
        let outcomes = client
            .create_transfers(vec![Transfer { id, ..transfer }])
            .await?;
        let outcome = outcomes.first();
        let status = outcome
            .ok_or_else(|| unreadable("it does not say what became of a transfer"))?
            .status;
        match meaning(status) {
            Meaning::Applied => return Ok(Answer::AsDecided(end)),
            Meaning::Ended(end) => return Ok(Answer::Otherwise(end)),
            Meaning::Refused => return Ok(Answer::Refused(status)),
            // Ours, of an earlier decision; or not ours, and then the pending transfer is untouched.
            Meaning::Taken => match look_up(client, reserved.id).await? {
                PendingStatus::Pending => {}
                end => return Ok(Answer::Otherwise(end)),
            },
            Meaning::UsedUp => {}
        }
        match next_attempt(client, reserved.id, attempt).await? {
            Some(next) => attempt = next,
            None => return Ok(Answer::Refused(status)),
        }
    }
}

/// Where a pending transfer stands.
pub(super) async fn look_up(client: &Client, id: TransferId) -> Result<PendingStatus, Error> {
    let found = client.lookup_pendings(&[id]).await?;
    match found.first() {
        Some(Some(pending)) => Ok(pending.status),
        _ => Err(unreadable(
            "it does not know a pending transfer that its stream has told of",
        )),
    }
}

/// The post or void without its id, and the end that it makes.
fn settlement(
    pending: &PendingTransfer,
    decision: Decision,
) -> Result<Option<(PendingStatus, Transfer)>, AmountError> {
    let (flags, amount) = match decision {
        Decision::Post => (TransferFlags::POST_PENDING_TRANSFER, AMOUNT_MAX),
        Decision::PostAmount(amount) => {
            let ledger = pending.transfer.ledger;
            let units = match amount {
                Amount::Units(units) => units,
                Amount::Decimal(value) => to_units(value, ledger, pending.scale)?,
                Amount::All => AMOUNT_MAX,
                Amount::AsMuchAsPossible => {
                    return Err(AmountError::WrongKind("a balancing transfer, not a post"));
                }
            };
            (TransferFlags::POST_PENDING_TRANSFER, units)
        }
        Decision::Void => (TransferFlags::VOID_PENDING_TRANSFER, 0),
        Decision::Later(_) => return Ok(None),
    };
    // Everything else is the pending transfer's.
    let transfer = Transfer {
        pending_id: pending.transfer.id,
        amount,
        flags,
        ..Transfer::default()
    };
    Ok(decision.end().map(|end| (end, transfer)))
}

/// What a status says of the pending transfer.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    /// The post or void stands.
    Applied,
    /// It has met this end by another transfer.
    Ended(PendingStatus),
    /// Another transfer has the id.
    Taken,
    /// The id can never be used.
    UsedUp,
    /// It is pending, and this will not end it.
    Refused,
}

fn meaning(status: Status) -> Meaning {
    match status {
        Status::Created | Status::Exists => Meaning::Applied,
        Status::PendingTransferAlreadyPosted => Meaning::Ended(PendingStatus::Posted),
        Status::PendingTransferAlreadyVoided => Meaning::Ended(PendingStatus::Voided),
        Status::PendingTransferExpired => Meaning::Ended(PendingStatus::Expired),
        Status::IdAlreadyFailed => Meaning::UsedUp,
        Status::ExistsWithDifferentFlags
        | Status::ExistsWithDifferentPendingId
        | Status::ExistsWithDifferentTimeout
        | Status::ExistsWithDifferentDebitAccountId
        | Status::ExistsWithDifferentCreditAccountId
        | Status::ExistsWithDifferentAmount
        | Status::ExistsWithDifferentUserData128
        | Status::ExistsWithDifferentUserData64
        | Status::ExistsWithDifferentUserData32
        | Status::ExistsWithDifferentLedger
        | Status::ExistsWithDifferentCode => Meaning::Taken,
        _ => Meaning::Refused,
    }
}

/// The next attempt whose id is not known to be of no use.
async fn next_attempt(
    client: &Client,
    pending: TransferId,
    after: u32,
) -> Result<Option<u32>, Error> {
    let mut first = after + 1;
    while first < ATTEMPTS_MAX {
        let attempts = first..first + IDS_AT_ONCE;
        let ids: Vec<TransferId> = attempts
            .clone()
            .map(|attempt| settlement_id(pending, attempt))
            .collect();
        let known = client
            .look_up_transfer_ids_at(&ids, Consistency::Linearizable)
            .await?;
        let usable = attempts.zip(known).find(|(_, known)| match known {
            LookedUpTransfer::Unknown => true,
            LookedUpTransfer::Applied(transfer) => transfer.pending_id == pending,
            LookedUpTransfer::Refused => false,
        });
        match usable {
            Some((attempt, _)) => return Ok(Some(attempt)),
            None => first += IDS_AT_ONCE,
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn a_status_has_one_meaning() {
        let ends = [
            (Status::PendingTransferAlreadyPosted, PendingStatus::Posted),
            (Status::PendingTransferAlreadyVoided, PendingStatus::Voided),
            (Status::PendingTransferExpired, PendingStatus::Expired),
        ];
        for (status, end) in ends {
            assert_eq!(meaning(status), Meaning::Ended(end));
        }
        // By name: whatever `exists` with something else is no refusal.
        for code in 0..=255 {
            let Some(status) = Status::from_code(code) else {
                continue;
            };
            let taken = status.to_string().starts_with("exists_with_different");
            assert_eq!(meaning(status) == Meaning::Taken, taken, "{status}");
            // What pins the id leaves the transfer pending, except that it is told of.
            assert!(!status.is_transient() || meaning(status) == Meaning::Refused);
        }
        assert_eq!(meaning(Status::IdAlreadyFailed), Meaning::UsedUp);
        assert_eq!(meaning(Status::LinkedEventFailed), Meaning::Refused);
    }

    #[test]
    fn decisions_become_transfers_that_inherit_the_rest() {
        let pending = PendingTransfer {
            transfer: Transfer {
                id: TransferId(9),
                amount: 1_000,
                ledger: 840,
                ..Transfer::default()
            },
            scale: 2,
            sequence: 1,
            asked_before: 0,
        };
        let amount = |decision| {
            let made = settlement(&pending, decision).unwrap().unwrap();
            assert_eq!(made.1.pending_id, TransferId(9));
            (made.0, made.1.amount)
        };
        let posted = PendingStatus::Posted;
        let post = |amount| Decision::PostAmount(amount);
        assert_eq!(amount(Decision::Post), (posted, AMOUNT_MAX));
        assert_eq!(amount(post(Amount::All)), (posted, AMOUNT_MAX));
        assert_eq!(amount(post(0_u32.into())), (posted, 0));
        assert_eq!(amount(post(Decimal::new(25, 1).into())), (posted, 250));
        assert_eq!(amount(Decision::Void), (PendingStatus::Voided, 0));
        let later = Decision::Later(std::time::Duration::ZERO);
        assert!(settlement(&pending, later).unwrap().is_none());
        for wrong in [Amount::AsMuchAsPossible, Decimal::new(5, 3).into()] {
            assert!(settlement(&pending, post(wrong)).is_err());
        }
    }
}
