//! A pulse: expires what is due, oldest first, up to a constant of the log format.

use crate::entry::PULSE_EXPIRIES_MAX;
use crate::event::EventBody;
use crate::pending::PendingStatus;
use crate::result::ItemResult;

use super::create_transfer::change_accounts;
use super::overlay::next;
use super::resolve_pending::{find_accounts, release};
use super::{Broken, Due, Overlay, View};

/// Expires what is due and moves the clock by one tick for each, at least by one. The result has the first tick.
pub(super) fn pulse<V: View>(overlay: &mut Overlay<'_, V>, due: Due) -> Result<ItemResult, Broken> {
    let first = next(overlay.clock.timestamp)?;
    if first != due.now {
        return Err(Broken::TimestampRegresses { timestamp: due.now });
    }
    let mut ticks = 0_u64;
    let mut last_place = (0, 0);
    for pending in overlay.due(due.now, due.limit) {
        if ticks == PULSE_EXPIRIES_MAX as u64 {
            break;
        }
        let inconsistent = Broken::PendingInconsistent {
            transfer: pending.transfer.id.0,
        };
        if crate::planted("expiry-skipped") && pending.transfer.timestamp.is_multiple_of(4) {
            continue;
        }
        let place = pending.due_at().ok_or(inconsistent)?;
        if place.0 > due.now || place <= last_place {
            return Err(inconsistent);
        }
        last_place = place;
        let slot = overlay.load_pending(pending);
        let pending = *overlay.pending(slot);
        if pending.status != PendingStatus::Pending {
            continue; // resolved earlier in this entry
        }
        let timestamp = first.checked_add(ticks).ok_or(Broken::CounterExhausted)?;
        let (debit_slot, credit_slot) = find_accounts(overlay, &pending.transfer)?;
        let (debit, credit) = release(overlay, &pending, slot, PendingStatus::Expired)?;
        change_accounts(overlay, (debit_slot, debit), (credit_slot, credit))?;
        let body = EventBody::TransferExpired {
            transfer: pending.transfer,
            debit_after: debit.balances(),
            credit_after: credit.balances(),
        };
        overlay.add_event(timestamp, body)?;
        ticks += 1;
    }
    overlay.clock.timestamp = overlay
        .clock
        .timestamp
        .checked_add(ticks.max(1))
        .ok_or(Broken::CounterExhausted)?;
    Ok(ItemResult {
        timestamp: first,
        status: 0,
    })
}
