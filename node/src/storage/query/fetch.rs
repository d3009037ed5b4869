//! Changes by their places.

use std::collections::HashMap;

use farthing_ledger::{Event, TransferRow};

use super::list::EVENT;
use crate::storage::error::Error;
use crate::storage::reader::{Change, Reader};
use crate::storage::rows::postings::Posting;
use crate::storage::rows::transfers::Block;
use crate::storage::rows::{events, family};

impl Reader {
    /// The changes at places that lists gave, in the same order.
    pub(super) fn changes_at(&self, postings: &[Posting]) -> Result<Vec<Change>, Error> {
        let on_disk = |posting: &&Posting| posting.sequence <= self.committed_sequence();
        let mut transfers = HashMap::new();
        let mut others = HashMap::new();
        let (of_events, of_transfers): (Vec<&Posting>, Vec<&Posting>) = postings
            .iter()
            .filter(on_disk)
            .partition(|posting| posting.side & EVENT != 0);
        self.read_transfers(&of_transfers, &mut transfers)?;
        self.read_events(&of_events, &mut others)?;
        let lacks =
            |sequence| Error::damaged("lists of changes", format!("there is no change {sequence}"));
        let change = |posting: &Posting| {
            let sequence = posting.sequence;
            if sequence > self.committed_sequence() {
                return self.recent_change(sequence)?.ok_or_else(|| lacks(sequence));
            }
            let transfer = transfers.remove(&sequence).map(Change::Transfer);
            let change = transfer.or_else(|| others.remove(&sequence).map(Change::Event));
            change.ok_or_else(|| lacks(sequence))
        };
        postings.iter().map(change).collect()
    }

    /// One change, by its place.
    pub(super) fn change_at(&self, posting: Posting) -> Result<Change, Error> {
        let mut changes = self.changes_at(&[posting])?;
        changes
            .pop()
            .ok_or_else(|| Error::Broken("a change was asked for and none came".into()))
    }

    fn read_transfers(
        &self,
        postings: &[&Posting],
        out: &mut HashMap<u64, TransferRow>,
    ) -> Result<(), Error> {
        let malformed = || Error::damaged("transfers", "malformed block");
        let block_of = |posting: &Posting| posting.sequence.saturating_sub(posting.offset.into());
        let mut keys: Vec<_> = postings
            .iter()
            .map(|posting| block_of(posting).to_be_bytes())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let blocks = self.multi_get(family::TRANSFERS, &keys)?;
        for posting in postings {
            let at = keys.binary_search(&block_of(posting).to_be_bytes());
            let bytes = at.ok().and_then(|at| blocks[at].as_deref());
            let block = bytes.and_then(Block::read).ok_or_else(malformed)?;
            let row = block.row(posting.offset.into()).ok_or_else(malformed)?;
            out.insert(
                posting.sequence,
                TransferRow::from_bytes(posting.sequence, &row),
            );
        }
        Ok(())
    }

    fn read_events(
        &self,
        postings: &[&Posting],
        out: &mut HashMap<u64, Event>,
    ) -> Result<(), Error> {
        let mut sequences: Vec<u64> = postings.iter().map(|posting| posting.sequence).collect();
        sequences.sort_unstable();
        let keys: Vec<_> = sequences.iter().map(|it| it.to_be_bytes()).collect();
        let rows = self.multi_get(family::EVENTS, &keys)?;
        for (sequence, row) in sequences.into_iter().zip(rows) {
            let event = row.and_then(|row| events::read_value(sequence, &row));
            let event = event.ok_or_else(|| Error::damaged("events", "malformed row"))?;
            out.insert(sequence, event);
        }
        Ok(())
    }

    /// A change that is in a window.
    fn recent_change(&self, sequence: u64) -> Result<Option<Change>, Error> {
        for view in self.lookup().windows.iter().rev() {
            let Some(chunk) = view.chunk_of(sequence)? else {
                continue;
            };
            if let Some(row) = chunk.transfer(sequence) {
                return Ok(Some(Change::Transfer(TransferRow::from_bytes(
                    sequence, &row,
                ))));
            }
            if let Some(value) = chunk.event(sequence) {
                let event = events::read_value(sequence, value);
                let event = event.ok_or_else(|| {
                    Error::Broken(format!("event {sequence} cannot be read back"))
                })?;
                return Ok(Some(Change::Event(event)));
            }
        }
        Ok(None)
    }
}
