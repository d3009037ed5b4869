//! Reads the committed state back from its files, as a restart would, and compares it with its own digest.
//!
//! It works on a hard-linked copy, opened with a cache of its own, so that the state goes on meanwhile and what is read
//! is what the files hold, not what happens to be in memory.

use std::sync::Arc;

use super::config::Config;
use super::database::Database;
use super::error::Error;
use super::families::Resources;
use super::files;
use super::reader::Reader;
use super::rows::family;
use super::shared::Shared;
use super::window::KeyHash;
use super::{load, verify};

/// Where the copy lies below the snapshots; a start removes what a killed process left there.
const COPY: &str = "building-scrub";
/// Cache of the copy: enough for its index blocks.
const CACHE_BYTES: usize = 8 << 20;
/// Rows between two calls of the pace.
const ROWS_PER_PACE: u64 = 256;

/// Told how many bytes were read; waits, or ends the pass with an error.
pub type Pace<'a> = &'a mut dyn FnMut(u64) -> Result<(), Error>;

/// Reads everything once. `Ok` with the bytes read; nothing is wrong with them.
pub(crate) fn pass(shared: &Shared, pace: Pace<'_>) -> Result<u64, Error> {
    let dir = shared.layout.snapshots().join(COPY);
    files::remove_dir(&dir)?;
    let published = shared.published();
    if published.committed.is_none() {
        return Ok(0);
    }
    published.database.checkpoint(&dir)?;
    let result = read_back(shared, &dir, pace);
    files::remove_dir(&dir)?;
    result
}

fn read_back(shared: &Shared, dir: &std::path::Path, pace: Pace<'_>) -> Result<u64, Error> {
    let config = Config {
        block_cache_bytes: CACHE_BYTES,
        ..shared.config.clone()
    };
    let resources = Resources::new(&config)?;
    let database = Arc::new(Database::open_to_read(dir, &resources)?);
    let published = load(Arc::clone(&database), shared.published().generation)?;
    let expected = published.applied.digest;
    let reader = Reader::of(Arc::new(published), KeyHash::random())?;
    let mut bytes = 0;
    for name in family::ALL {
        bytes += read_family(&reader, name, pace)?;
    }
    let digest = verify::digest(&reader, pace)?;
    if digest != expected {
        return Err(Error::damaged(
            "state",
            "its rows do not have the digest of its commit record",
        ));
    }
    Ok(bytes)
}

/// Every block of a family, its checksum included.
fn read_family(reader: &Reader, name: &'static str, pace: Pace<'_>) -> Result<u64, Error> {
    let mut rows = reader.iterator(name, false)?;
    rows.seek_to_first();
    let (mut bytes, mut paced, mut count) = (0, 0, 0_u64);
    while let Some((key, value)) = rows.item() {
        bytes += (key.len() + value.len()) as u64;
        count += 1;
        if count.is_multiple_of(ROWS_PER_PACE) {
            pace(bytes - paced)?;
            paced = bytes;
        }
        rows.next();
    }
    rows.status()
        .map_err(Error::database("read a family back"))?;
    pace(bytes - paced)?;
    Ok(bytes)
}
