//! Registering a ledger: giving a number its currency and scale, once.

use crate::event::EventBody;
use crate::ledger::{Ledger, LedgerFlags, SCALE_MAX};
use crate::result::ItemResult;
use crate::status::CreateLedgerStatus as Status;

use super::command::Command;
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
            return Ok(ItemResult {
                timestamp: now,
                status: status.code(),
            });
        }
        if let Some(existing) = overlay.ledger(self.ledger) {
            if existing.flags.contains(LedgerFlags::REGISTERED) {
                let status = compare(self, &existing);
                let timestamp = if status == Status::Exists {
                    existing.timestamp
                } else {
                    now
                };
                return Ok(ItemResult {
                    timestamp,
                    status: status.code(),
                });
            }
            if self.scale != existing.scale {
                let status = Status::LedgerInUseWithScaleZero.code();
                return Ok(ItemResult {
                    timestamp: now,
                    status,
                });
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
        Ok(ItemResult {
            timestamp: now,
            status: Status::Created.code(),
        })
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

fn compare(item: &Ledger, existing: &Ledger) -> Status {
    if item.scale != existing.scale {
        return Status::ExistsWithDifferentScale;
    }
    if item.currency != existing.currency || item.currency_length != existing.currency_length {
        return Status::ExistsWithDifferentCurrency;
    }
    Status::Exists
}
