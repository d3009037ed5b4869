//! The lists of a run by user data: which transfers and accounts carry which value.

use farthing_ledger::EventBody;

use super::super::error::{Error, step};
use super::super::rows::events;
use super::super::rows::postings::{ITEMS_MAX, Posting, write_value};
use super::super::rows::user_data::{Field, Of};
use super::file::{RunFile, ingest};
use super::write::Run;

/// A value and what carries it; sorts by value, then by sequence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    value: u128,
    of: Of,
    offset: u8,
    /// Sequence minus that of the run's start.
    sequence: u32,
    chunk: u32,
}

impl Item {
    /// What a row's key is made of.
    fn list(&self) -> (Of, u128, u32) {
        (self.of, self.value, self.chunk)
    }
}

/// One field after another: the values of a whole run are in memory while they are sorted.
pub(super) fn write(run: &mut Run<'_>) -> Result<(), Error> {
    for field in Field::ALL {
        let mut items = collect(run, field)?;
        items.sort_unstable_by_key(|item| (item.of, item.value, item.sequence));
        let files = write_rows(run, field, &items)?;
        step("storage.run.user_data.written")?;
        ingest(&run.database, field.family(), &files)?;
    }
    Ok(())
}

fn collect(run: &Run<'_>, field: Field) -> Result<Vec<Item>, Error> {
    let before = run.sealed.began.clock.sequence;
    let number = |sequence: u64| {
        let number = sequence.checked_sub(before);
        number
            .and_then(|number| u32::try_from(number).ok())
            .ok_or_else(|| Error::Broken("a run spans too many changes".into()))
    };
    let mut items = vec![];
    for (chunk, rows) in run.view.chunks().enumerate() {
        let mut add = |of, value, sequence, offset| {
            if value != 0 {
                items.push(Item {
                    value,
                    of,
                    offset,
                    sequence: number(sequence)?,
                    chunk: chunk as u32,
                });
            }
            Ok::<_, Error>(())
        };
        for (sequence, offset, row) in rows.packed_rows() {
            if crate::planted::is("user-data-row-lost") && sequence % 16 == 0 {
                continue;
            }
            let value = field.of_packed_row(row);
            let value = value
                .ok_or_else(|| Error::Broken(format!("transfer {sequence} cannot be read back")))?;
            add(Of::Transfers, value, sequence, offset)?;
        }
        for (sequence, value) in rows.events() {
            let event = events::read_value(sequence, value)
                .ok_or_else(|| Error::Broken(format!("event {sequence} cannot be read back")))?;
            if let EventBody::AccountCreated(account) = event.body {
                add(Of::Accounts, field.of_account(&account), sequence, 0)?;
            }
        }
    }
    Ok(items)
}

fn write_rows(
    run: &mut Run<'_>,
    field: Field,
    items: &[Item],
) -> Result<Vec<std::path::PathBuf>, Error> {
    let before = run.sealed.began.clock.sequence;
    let options = run.shared.resources.family(field.family());
    let mut file = RunFile::new(&options, usize::MAX, run.path(field.family()));
    let mut value = vec![];
    // A row is what one entry added to one list, at most so many.
    for list in items.chunk_by(|one, other| one.list() == other.list()) {
        for row in list.chunks(ITEMS_MAX) {
            let log_index = run
                .view
                .window()
                .chunk(row[0].chunk as usize)
                .map_or(0, |chunk| chunk.log_index);
            let postings = row.iter().map(|item| Posting {
                sequence: before + u64::from(item.sequence),
                side: 0,
                offset: item.offset,
            });
            write_value(log_index, postings, &mut value);
            let first = before + u64::from(row[0].sequence);
            let (key, length) = field.key(row[0].of, row[0].value, first);
            file.put(&key[..length], &value, &mut run.pace)?;
        }
    }
    file.finish()
}
