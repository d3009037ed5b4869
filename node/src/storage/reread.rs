//! Keys and values of the state, read and written again: the questions of a test that hands storage hostile bytes, as a
//! damaged disk or a peer's checkpoint might. Nothing in a node calls this.

use farthing_ledger::{Record, TransferRow, packed};

use super::generation;
use super::id_ranges::IdRanges;
use super::rows::user_data::Field;
use super::rows::{
    commit, current as mutable, events, history, ids, log_index, postings, transfers,
};

/// A key or a value, by family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// A record of 256 bytes without its zeros.
    Packed,
    /// `transfers`: a block.
    Block,
    /// `ids`: where an id leads.
    Place,
    /// `history`: a key.
    HistoryKey,
    /// `history`: what an entry did to an account; the other lists have the same values.
    History,
    /// `by_user_data_128`: a key.
    UserData128Key,
    /// `by_user_data_64`: a key.
    UserData64Key,
    /// `by_user_data_32`: a key.
    UserData32Key,
    /// `events`: a change that is no transfer.
    Event,
    /// `current`: an account.
    Account,
    /// `current`: a pending transfer.
    Pending,
    /// `current`: a key of the expiry queue.
    DueKey,
    /// `current`: a ledger.
    Ledger,
    /// `current`: a key of a record.
    RecordKey,
    /// `current`: a record.
    Record,
    /// `current`: totals of a namespace.
    Namespace,
    /// `current`: a setting.
    Setting,
    /// `current`: the ranges of used ids.
    IdRanges,
    /// `current`: the commit record.
    Commit,
}

/// Sequence that keys of the rows here are taken to have.
const SEQUENCE: u64 = 5;

/// What the bytes say, as bytes again; `None` when they are refused.
pub(crate) fn row(row: Row, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match row {
        Row::Packed => packed::pack(&packed::unpack_all::<256>(bytes)?, &mut out),
        Row::Block => block(bytes, &mut out)?,
        Row::Place => out.extend(ids::Place::from_bytes(bytes)?.to_bytes()),
        Row::HistoryKey => {
            let (account, sequence) = history::split_key(bytes)?;
            out.extend(history::key(account, sequence));
        }
        Row::History => {
            let items = postings::read_value(SEQUENCE, bytes)?;
            postings::write_value(log_index(bytes)?, items, &mut out);
        }
        Row::UserData128Key => user_data_key(Field::Bits128, bytes, &mut out)?,
        Row::UserData64Key => user_data_key(Field::Bits64, bytes, &mut out)?,
        Row::UserData32Key => user_data_key(Field::Bits32, bytes, &mut out)?,
        Row::Event => {
            let event = events::read_value(SEQUENCE, bytes)?;
            events::write_value(log_index(bytes)?, &event, &mut out);
        }
        Row::Account => {
            let account = mutable::read_account(bytes)?;
            mutable::write_account(&account.to_bytes(), &mut out);
        }
        Row::Pending => mutable::write_pending(&mutable::read_pending(bytes)?, &mut out),
        Row::DueKey => {
            let (expires_at, timestamp) = mutable::split_due_key(bytes)?;
            out.extend(mutable::due_key(expires_at, timestamp));
        }
        Row::Ledger => out.extend(mutable::read_ledger(bytes)?.to_bytes()),
        Row::RecordKey => out.extend(mutable::record_key(&mutable::split_record_key(bytes)?)),
        Row::Record => out.extend(Record::from_bytes(bytes)?.to_bytes()),
        Row::Namespace => {
            out.extend(mutable::namespace_value(&mutable::read_namespace(bytes)?));
        }
        Row::Setting => out.extend(mutable::read_setting(bytes)?.to_le_bytes()),
        Row::IdRanges => out.extend(IdRanges::from_bytes(bytes).ok()?.to_bytes()),
        Row::Commit => {
            out.extend(commit::to_bytes(&commit::from_bytes(bytes).ok()?).ok()?);
        }
    }
    Some(out)
}

fn user_data_key(field: Field, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (of, value, sequence) = field.split_key(bytes)?;
    let (key, length) = field.key(of, value, sequence);
    out.extend_from_slice(&key[..length]);
    Some(())
}

/// Every row of a block, by both ways to get at it.
fn block(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let block = transfers::Block::read(bytes)?;
    let mut rows = Vec::new();
    for (offset, row) in block.rows().enumerate() {
        assert_eq!(block.row(offset), row, "row {offset} by itself and in turn");
        rows.push(TransferRow::from_bytes(SEQUENCE + offset as u64, &row?));
    }
    assert_eq!(rows.len(), block.count);
    assert_eq!(block.row(block.count), None);
    transfers::write_blocks(block.log_index, &rows, out, &mut Vec::new(), |_, _| ());
    Some(())
}

/// The generation that `state/CURRENT` names.
pub(crate) fn current(bytes: &[u8]) -> Option<Vec<u8>> {
    let generation = generation::parse(&String::from_utf8_lossy(bytes))?;
    Some(format!("{generation:08}\n").into_bytes())
}
