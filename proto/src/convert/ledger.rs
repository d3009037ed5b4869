//! `Ledger`.

use farthing_ledger::{Ledger, LedgerFlags};

use super::{Violations, flags};
use crate::error::FieldError;
use crate::v1;

/// The registrations of a request.
///
/// # Errors
/// Refused fields, with paths such as `ledgers[3].scale`.
pub fn from_wire(messages: &[v1::Ledger]) -> Result<Vec<Ledger>, Vec<FieldError>> {
    let mut violations = Violations::default();
    let mut items = Vec::with_capacity(messages.len());
    for (number, message) in messages.iter().enumerate() {
        violations.enter("ledgers", number);
        let scale = violations.take(
            "scale",
            u8::try_from(message.scale).map_err(|_| "a scale is 0 to 38"),
        );
        let bits = violations.take("flags", flags(&message.flags, bit));
        if message.registered {
            violations.add("registered", "is output only");
        }
        let mut item = Ledger::new(message.number, &message.currency, scale);
        item.flags = LedgerFlags(bits);
        item.timestamp = message.timestamp;
        items.push(item);
    }
    violations.finish(items)
}

fn bit(flag: v1::LedgerFlag) -> Option<u16> {
    match flag {
        v1::LedgerFlag::Unspecified => None,
        v1::LedgerFlag::Linked => Some(LedgerFlags::LINKED.0),
    }
}

/// A stored ledger.
#[must_use]
pub fn to_wire(ledger: &Ledger) -> v1::Ledger {
    v1::Ledger {
        number: ledger.ledger,
        currency: ledger.currency().unwrap_or_default().to_owned(),
        scale: u32::from(ledger.scale),
        flags: Vec::new(),
        registered: ledger.flags.contains(LedgerFlags::REGISTERED),
        timestamp: ledger.timestamp,
    }
}

/// A ledger of an answer, for clients.
///
/// # Errors
/// Words on what cannot be read; a server never sends that.
pub fn stored_from_wire(message: &v1::Ledger) -> Result<Ledger, String> {
    let scale = u8::try_from(message.scale)
        .map_err(|_| format!("ledger {} has scale {}", message.number, message.scale))?;
    let mut ledger = Ledger::new(message.number, &message.currency, scale);
    if message.registered {
        ledger.flags = ledger.flags.with(LedgerFlags::REGISTERED);
    }
    ledger.timestamp = message.timestamp;
    Ok(ledger)
}
