//! Registering a ledger: giving a number its currency and scale, once.

use crate::event::EventBody;
use crate::ledger::{Ledger, LedgerFlags, SCALE_MAX};
use crate::result::ItemResult;
use crate::status::CreateLedgerStatus as Status;

use super::command::Command;
use super::exists::compare_ledger;
use super::{Broken, Overlay, View};

impl Command for Ledger {
    fn linked(&self) -> bool {
        self.flags.contains(LedgerFlags::LINKED)
    }

    fn imported(&self) -> Option<bool> {
        None
    }

    fn execute<V: View>(
        &self,
        overlay: &mut Overlay<'_, V>,
        _mode: bool,
        now: u64,
    ) -> Result<ItemResult, Broken> {
        if let Err(status) = check(self) {
            return Ok(status.at(now));
        }
        if let Some(existing) = overlay.ledger(self.ledger) {
            if existing.flags.contains(LedgerFlags::REGISTERED) {
                return Ok(match compare_ledger(self, &existing) {
                    Ok(()) => Status::Exists.at(existing.timestamp),
                    Err(status) => status.at(now),
                });
            }
            if self.scale != existing.scale {
                return Ok(Status::LedgerInUseWithScaleZero.at(now));
            }
        }

        // The line of no return: from here on the ledger is registered.
        let row = Ledger {
            flags: self.flags.with(LedgerFlags::REGISTERED),
            timestamp: now,
            ..*self
        };
        overlay.set_ledger(row);
        overlay.add_event(now, EventBody::LedgerRegistered(row))?;
        Ok(Status::Created.at(now))
    }
}

fn check(item: &Ledger) -> Result<(), Status> {
    if item.timestamp != 0 {
        return Err(Status::TimestampMustBeZero);
    }
    if item.reserved != [0; 32] {
        return Err(Status::ReservedField);
    }
    if !LedgerFlags::LINKED.contains(item.flags) {
        return Err(Status::ReservedFlag);
    }
    if item.ledger == 0 {
        return Err(Status::LedgerMustNotBeZero);
    }
    if item.currency().is_none() {
        return Err(Status::CurrencyInvalid);
    }
    if item.scale > SCALE_MAX {
        return Err(Status::ScaleOutOfRange);
    }
    Ok(())
}
