//! Family `events`: key = sequence, u64 BE; value = `log_index u64, version u8 (1), kind u8, body`.
//!
//! Everything in the dense sequence that is not a transfer. The body is the ledger crate's.

use farthing_ledger::Event;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 10;

/// Appends the value of a row.
pub(crate) fn write_value(log_index: u64, event: &Event, out: &mut Vec<u8>) {
    out.extend_from_slice(&log_index.to_le_bytes());
    out.extend_from_slice(&[VERSION, event.kind()]);
    event.write_body(out);
}

/// Kind and body in a value, as they are.
pub(crate) fn parts(value: &[u8]) -> Option<(u8, &[u8])> {
    let (header, body) = value.split_at_checked(HEADER_BYTES)?;
    (header[8] == VERSION).then_some((header[9], body))
}

/// The event in a value.
pub(crate) fn read_value(sequence: u64, value: &[u8]) -> Option<Event> {
    let (kind, body) = parts(value)?;
    Event::from_body(sequence, kind, body).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use farthing_ledger::{Account, AccountId, EventBody};

    #[test]
    fn events_come_back() {
        let account = Account {
            id: AccountId(3),
            timestamp: 17,
            ..Account::default()
        };
        let event = Event {
            sequence: 4,
            timestamp: 17,
            body: EventBody::AccountCreated(account),
        };
        let mut value = vec![];
        write_value(5, &event, &mut value);
        assert_eq!(super::super::log_index(&value), Some(5));
        assert_eq!(read_value(4, &value).unwrap(), event);
        value[8] = 2;
        assert_eq!(
            read_value(4, &value),
            None,
            "an unknown version is not guessed at"
        );
        assert_eq!(read_value(4, &value[..9]), None);
    }
}
