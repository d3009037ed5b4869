//! What of one file is not synced yet: what stood there before, block by block.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rand::Rng;
use rand::rngs::StdRng;

use super::Survival;

/// What a disk writes at once, as far as anybody may rely on it.
pub(super) const BLOCK: u64 = 4096;
/// The least that a torn block is made of.
const SECTOR: usize = 512;

/// A block that was written and not synced.
#[derive(Debug, Default)]
struct Before {
    /// Its durable bytes; shorter than a block at the durable end, empty behind it.
    bytes: Vec<u8>,
    /// A sync of it failed. The page counts as clean from then on, so later syncs pass it by.
    is_stuck: bool,
}

/// What of one file is not synced.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Bytes of the file.
    pub(super) length: u64,
    durable_length: u64,
    unsynced: BTreeMap<u64, Before>,
}

impl Content {
    /// A file as it stands, all of it durable.
    pub(super) fn durable(length: u64) -> Self {
        Self {
            length,
            durable_length: length,
            unsynced: BTreeMap::new(),
        }
    }

    /// Remembers what stands in a range before it is changed.
    fn remember(&mut self, file: &File, from: u64, to: u64) -> io::Result<()> {
        if from >= to {
            return Ok(());
        }
        for block in from / BLOCK..=(to - 1) / BLOCK {
            if let Some(before) = self.unsynced.get_mut(&block) {
                before.is_stuck = false;
                continue;
            }
            let start = block * BLOCK;
            let durable = self.durable_length.min(start + BLOCK);
            let mut bytes = vec![0; durable.saturating_sub(start) as usize];
            file.read_exact_at(&mut bytes, start)?;
            let before = Before {
                bytes,
                is_stuck: false,
            };
            self.unsynced.insert(block, before);
        }
        Ok(())
    }

    /// Writes bytes at an offset.
    pub(super) fn write(&mut self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
        let end = at + bytes.len() as u64;
        // A gap that comes to be reads as zeros, and is not durable either.
        self.remember(file, at.min(self.length), end)?;
        file.write_all_at(bytes, at)?;
        self.length = self.length.max(end);
        Ok(())
    }

    /// Makes the file longer, by zeros, or shorter.
    pub(super) fn resize(&mut self, file: &File, length: u64) -> io::Result<()> {
        let (least, most) = (length.min(self.length), length.max(self.length));
        self.remember(file, least, most)?;
        file.set_len(length)?;
        self.length = length;
        Ok(())
    }

    /// What is there now is there after a loss of power.
    pub(super) fn sync(&mut self) {
        self.unsynced.retain(|_, before| before.is_stuck);
        self.durable_length = self.length;
        for (block, before) in &mut self.unsynced {
            let room = self.durable_length.saturating_sub(block * BLOCK);
            before.bytes.resize(room.min(BLOCK) as usize, 0);
        }
    }

    /// A sync failed: what it was to write is gone for good, and no later sync says so.
    pub(super) fn sync_failed(&mut self) {
        for before in self.unsynced.values_mut() {
            before.is_stuck = true;
        }
    }

    /// The power is gone: what was not synced goes, or some of it, by blocks, and one of them torn.
    pub(super) fn lose(&mut self, file: &File, how: &mut Survival<'_>) -> io::Result<()> {
        let (live, durable) = (self.length, self.durable_length);
        let length = match how {
            Survival::Nothing => durable,
            Survival::Some(random) => match random.random_range(0..3) {
                0 => durable,
                1 => live,
                // A file that grew may have got some of the way; one that was cut was or was not.
                _ if live > durable => random.random_range(durable..=live),
                _ => live,
            },
        };
        for (block, before) in std::mem::take(&mut self.unsynced) {
            let mut old = before.bytes;
            // What was never durable reads as zeros when the length outlives the bytes.
            old.resize(BLOCK as usize, 0);
            let keep = match how {
                Survival::Nothing => 0,
                Survival::Some(_) if before.is_stuck => 0,
                Survival::Some(random) => kept(random),
            };
            // Where the file was cut there are no new bytes, only the old ones come back.
            let keep = keep.min(live.saturating_sub(block * BLOCK).min(BLOCK) as usize);
            let end = (length.saturating_sub(block * BLOCK)).min(BLOCK) as usize;
            if keep < end {
                file.write_all_at(&old[keep..end], block * BLOCK + keep as u64)?;
            }
        }
        file.set_len(length)?;
        *self = Self::durable(length);
        Ok(())
    }
}

/// How much of the new bytes of a block has arrived.
fn kept(random: &mut StdRng) -> usize {
    match random.random_range(0..3) {
        0 => 0,
        1 => BLOCK as usize,
        _ => random.random_range(1..BLOCK as usize / SECTOR) * SECTOR,
    }
}
