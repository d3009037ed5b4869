//! History rows of a run: which transfers and expiries touched each account.
//!
//! They are found in the order of the log and needed in the order of accounts: touches are counted by account first
//! and then laid into place, which is linear; only the accounts themselves are sorted.

use farthing_ledger::EventBody;
use farthing_ledger::id_map::IdMap;

use super::super::error::{Error, step};
use super::super::rows::history::{EXPIRY, key};
use super::super::rows::postings::{ITEMS_MAX, Posting, write_value};
use super::super::rows::transfers::row_accounts;
use super::super::rows::{events, family};
use super::super::window::chunk::Chunk;
use super::file::{RunFile, ingest};
use super::write::Run;

/// A touch in its place among those of its account.
#[derive(Clone, Copy, Default)]
struct Laid {
    chunk: u32,
    /// Sequence minus that of the run's start.
    sequence: u32,
    side: u8,
    offset: u8,
}

/// A touch before it is laid into place.
#[derive(Clone, Copy)]
struct Entry {
    /// Number of the account in [`Touches::accounts`].
    account: u32,
    laid: Laid,
}

struct Touches {
    /// In order of appearance.
    accounts: Vec<u128>,
    numbers: IdMap,
    /// By sequence.
    entries: Vec<Entry>,
    first_sequence: u64,
}

pub(super) fn write(run: &mut Run<'_>) -> Result<(), Error> {
    let transfers = run.sealed.window.transfer_count();
    let mut touches = Touches {
        accounts: vec![],
        numbers: IdMap::with_capacity(run.sealed.window.row_count(), run.shared.hash.seed()),
        entries: Vec::with_capacity(transfers * 2),
        first_sequence: run.sealed.began.clock.sequence,
    };
    for (number, chunk) in run.view.chunks().enumerate() {
        touches.add(chunk, number as u32)?;
    }
    let (laid, ends) = touches.by_account();
    let mut sorted: Vec<(u128, u32)> = touches
        .accounts
        .iter()
        .enumerate()
        .map(|(number, &id)| (id, number as u32))
        .collect();
    sorted.sort_unstable();

    let options = run.shared.resources.family(family::HISTORY);
    let mut file = RunFile::new(&options, usize::MAX, run.path(family::HISTORY));
    let mut value = vec![];
    for (id, number) in sorted {
        let begin = number
            .checked_sub(1)
            .map_or(0, |before| ends[before as usize]) as usize;
        let mut rest = &laid[begin..ends[number as usize] as usize];
        while let Some(&first) = rest.first() {
            // One row: the touches of one entry, at most so many.
            let same = rest
                .iter()
                .take(ITEMS_MAX)
                .take_while(|laid| laid.chunk == first.chunk);
            let (row, later) = rest.split_at(same.count());
            rest = later;
            let log_index = run
                .view
                .window()
                .chunk(first.chunk as usize)
                .map_or(0, |chunk| chunk.log_index);
            write_value(
                log_index,
                row.iter().map(|&laid| touches.touch(laid)),
                &mut value,
            );
            file.put(
                &key(id, touches.touch(first).sequence),
                &value,
                &mut run.pace,
            )?;
        }
    }
    let files = file.finish()?;
    step("storage.run.history.written")?;
    ingest(&run.database, family::HISTORY, &files)
}

impl Touches {
    fn add(&mut self, chunk: &Chunk, number: u32) -> Result<(), Error> {
        let begin = self.entries.len();
        for (sequence, offset, row) in chunk.transfers() {
            let (debit, credit) = row_accounts(&row);
            self.touch_both(number, sequence, debit, credit, 0, offset)?;
        }
        let transfers = self.entries.len();
        for (sequence, value) in chunk.events() {
            let event = events::read_value(sequence, value);
            let event = event
                .ok_or_else(|| Error::Broken(format!("event {sequence} cannot be read back")))?;
            if let EventBody::TransferExpired { transfer, .. } = event.body {
                let (debit, credit) = (transfer.debit_account_id.0, transfer.credit_account_id.0);
                self.touch_both(number, sequence, debit, credit, EXPIRY, 0)?;
            }
        }
        if begin != transfers && transfers != self.entries.len() {
            self.entries[begin..].sort_by_key(|entry| entry.laid.sequence);
        }
        Ok(())
    }

    fn touch_both(
        &mut self,
        chunk: u32,
        sequence: u64,
        debit: u128,
        credit: u128,
        kind: u8,
        offset: u8,
    ) -> Result<(), Error> {
        let sequence = sequence
            .checked_sub(self.first_sequence)
            .and_then(|sequence| u32::try_from(sequence).ok());
        let sequence =
            sequence.ok_or_else(|| Error::Broken("a run spans too many changes".into()))?;
        for (side, account) in [(0, debit), (1, credit)] {
            let account = self.number(account);
            self.entries.push(Entry {
                account,
                laid: Laid {
                    chunk,
                    sequence,
                    side: side + kind,
                    offset,
                },
            });
        }
        Ok(())
    }

    #[inline]
    fn number(&mut self, account: u128) -> u32 {
        if let Some(number) = self.numbers.get(account) {
            return number;
        }
        let number = self.accounts.len() as u32;
        self.accounts.push(account);
        self.numbers.insert(account, number);
        number
    }

    fn touch(&self, laid: Laid) -> Posting {
        Posting {
            sequence: self.first_sequence + u64::from(laid.sequence),
            side: laid.side,
            offset: laid.offset,
        }
    }

    /// The touches, grouped by account number and by sequence within it, and the end of each group.
    fn by_account(&mut self) -> (Vec<Laid>, Vec<u32>) {
        let mut next = vec![0_u32; self.accounts.len() + 1];
        for entry in &self.entries {
            next[entry.account as usize + 1] += 1;
        }
        for account in 1..next.len() {
            next[account] += next[account - 1];
        }
        let mut laid = vec![Laid::default(); self.entries.len()];
        for entry in std::mem::take(&mut self.entries) {
            let place = &mut next[entry.account as usize];
            laid[*place as usize] = entry.laid;
            *place += 1;
        }
        next.pop();
        (laid, next)
    }
}
