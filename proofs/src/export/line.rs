//! One event as one line of JSON, and back: everything that its hash is over, so that whoever has the line can check it.

use farthing_ledger::{
    Account, Balances, Event, EventBody, Ledger, Record, RecordKey, Setting, Transfer, TransferRow,
};

use super::fields::{account, ledger, movement, setting, written};
use crate::Change;
use crate::json::{Expected, Form, Malformed, Reader, Writer};

/// Where a line is not what would be written for any event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("from byte {column} on there should be {expected}")]
pub struct LineError {
    /// The first byte that is wrong, counted from 1.
    pub column: usize,
    /// What should stand there.
    pub expected: Expected,
}

impl From<Malformed> for LineError {
    fn from(Malformed { at, expected }: Malformed) -> Self {
        Self {
            column: at + 1,
            expected,
        }
    }
}

/// Appends the line of an event, without a line feed.
pub fn write_line(change: &Change, out: &mut Vec<u8>) {
    let Ok(()) = write(&mut Writer(out), change);
}

/// Reads [`write_line`]. `buffer` saves an allocation for each.
///
/// # Errors
/// When the line is not, byte for byte, what would be written for the event it says.
pub fn read_line(line: &[u8], buffer: &mut Vec<u8>) -> Result<Change, LineError> {
    let mut reader = Reader::new(line);
    let change = read(&mut reader)?;
    reader.end()?;
    buffer.clear();
    write_line(&change, buffer);
    same(line, buffer)?;
    Ok(change)
}

/// That a text that was read is the one that would be written.
pub(crate) fn same(text: &[u8], written: &[u8]) -> Result<(), LineError> {
    if text == written {
        return Ok(());
    }
    let mut pairs = text.iter().zip(written);
    let column = 1 + pairs.position(|(a, b)| a != b).unwrap_or(written.len());
    Err(LineError {
        column,
        expected: Expected::Value("what the rest of the line says"),
    })
}

/// Writes one event.
pub(crate) fn write<F: Form>(form: &mut F, change: &Change) -> Result<(), F::Error> {
    let (mut sequence, mut timestamp) = (change.sequence(), change.timestamp());
    // What the bytes of these kinds have as the event's time.
    if let Change::Event(event) = change {
        match &event.body {
            EventBody::AccountCreated(account) => timestamp = account.timestamp,
            EventBody::LedgerRegistered(ledger) => timestamp = ledger.timestamp,
            _ => {}
        }
    }
    head(form, &mut sequence, &mut timestamp)?;
    match change {
        Change::Transfer(row) => {
            form.word("transfer_created\"")?;
            let mut row = *row;
            movement(
                form,
                &mut row.transfer,
                &mut row.debit_after,
                &mut row.credit_after,
            )?;
        }
        Change::Event(event) => match &event.body {
            EventBody::AccountCreated(created) => {
                form.word("account_created\"")?;
                account(form, &mut created.clone())?;
            }
            EventBody::LedgerRegistered(registered) => {
                form.word("ledger_registered\"")?;
                ledger(form, &mut registered.clone())?;
            }
            EventBody::RecordWritten { key, record } => {
                form.word("record_written\"")?;
                let mut namespace = key.namespace();
                let mut key = key.key().to_vec();
                written(form, &mut namespace, &mut key, &mut record.clone())?;
            }
            EventBody::TransferExpired {
                transfer,
                debit_after,
                credit_after,
            } => {
                form.word("transfer_expired\"")?;
                let (mut debit, mut credit) = (*debit_after, *credit_after);
                movement(form, &mut transfer.clone(), &mut debit, &mut credit)?;
            }
            EventBody::SettingChanged(changed) => {
                form.word("setting_changed\"")?;
                setting(form, &mut changed.clone())?;
            }
        },
    }
    form.word("}")
}

/// Reads one event, which need not be the end of the text.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Change, Malformed> {
    let (mut sequence, mut timestamp) = (0, 0);
    head(reader, &mut sequence, &mut timestamp)?;
    let body = if reader.word_if("transfer_created\"", false)? {
        let (transfer, debit_after, credit_after) = read_movement(reader)?;
        reader.word("}")?;
        return Ok(Change::Transfer(TransferRow {
            sequence,
            transfer,
            debit_after,
            credit_after,
        }));
    } else if reader.word_if("account_created\"", false)? {
        let mut created = Account::default();
        account(reader, &mut created)?;
        timestamp = created.timestamp;
        EventBody::AccountCreated(created)
    } else if reader.word_if("ledger_registered\"", false)? {
        let mut registered = Ledger::default();
        ledger(reader, &mut registered)?;
        timestamp = registered.timestamp;
        EventBody::LedgerRegistered(registered)
    } else if reader.word_if("record_written\"", false)? {
        let (mut namespace, mut key, mut record) = (0, Vec::new(), Record::default());
        let malformed = reader.malformed("a record with a key of 1 to 64 bytes");
        written(reader, &mut namespace, &mut key, &mut record)?;
        let key = RecordKey::new(namespace, &key).ok_or(malformed)?;
        EventBody::RecordWritten { key, record }
    } else if reader.word_if("transfer_expired\"", false)? {
        let (transfer, debit_after, credit_after) = read_movement(reader)?;
        EventBody::TransferExpired {
            transfer,
            debit_after,
            credit_after,
        }
    } else if reader.word_if("setting_changed\"", false)? {
        let mut changed = Setting::default();
        setting(reader, &mut changed)?;
        EventBody::SettingChanged(changed)
    } else {
        return Err(reader.malformed("a kind of event that this program knows"));
    };
    reader.word("}")?;
    Ok(Change::Event(Event {
        sequence,
        timestamp,
        body,
    }))
}

fn head<F: Form>(form: &mut F, sequence: &mut u64, timestamp: &mut u64) -> Result<(), F::Error> {
    form.word("{\"sequence\":")?;
    form.number(sequence)?;
    form.word(",\"timestamp\":")?;
    form.number(timestamp)?;
    form.word(",\"kind\":\"")
}

fn read_movement(reader: &mut Reader<'_>) -> Result<(Transfer, Balances, Balances), Malformed> {
    let mut transfer = Transfer::default();
    let (mut debit, mut credit) = (Balances::default(), Balances::default());
    movement(reader, &mut transfer, &mut debit, &mut credit)?;
    Ok((transfer, debit, credit))
}
