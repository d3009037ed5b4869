//! The expiry queue, as one entry finds it.

use farthing_ledger::{Due, Pending};
use rocksdb::ReadOptions;

use super::Sources;
use super::gather::tidy;
use crate::storage::error::Error;
use crate::storage::recent::Place;
use crate::storage::rows::{current, family};

/// The first pendings that are due, by (expires_at, timestamp): those on disk that no window removed, and those the
/// windows added.
pub(super) fn pendings(sources: &mut Sources<'_>, due: Due) -> Result<Vec<Pending>, Error> {
    let floor = *sources.queue_floor;
    let mut places: Vec<(Place, u128)> = vec![];
    {
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(current::due_key(floor.0, floor.1));
        options.set_iterate_upper_bound([current::TAG_DUE + 1]);
        let family = sources.database.family(family::CURRENT)?;
        let mut rows = sources.database.db()?.raw_iterator_cf_opt(family, options);
        rows.seek_to_first();
        // One more than asked for: the first that stays is the queue's next floor.
        while let Some((key, value)) = rows.item() {
            let malformed = || Error::damaged("expiry queue", "malformed row");
            let place = current::split_due_key(key).ok_or_else(malformed)?;
            let id = value
                .first_chunk()
                .map(|id| u128::from_le_bytes(*id))
                .ok_or_else(malformed)?;
            if !sources
                .recents
                .iter()
                .any(|recent| recent.is_removed(&place))
            {
                places.push((place, id));
                if places.len() > due.limit || place.0 > due.now {
                    break;
                }
            }
            rows.next();
        }
        rows.status()
            .map_err(Error::database("read the expiry queue"))?;
    }
    for recent in sources.recents {
        let still = recent.added_from(floor).filter(|(place, _)| {
            !sources
                .recents
                .iter()
                .any(|later| later.number > recent.number && later.is_removed(place))
        });
        places.extend(still.take(due.limit + 1));
    }
    places.sort_unstable();
    places.dedup();
    *sources.queue_floor = places
        .first()
        .map_or((u64::MAX, u64::MAX), |(place, _)| *place);
    places.retain(|((expires_at, _), _)| *expires_at <= due.now);
    places.truncate(due.limit);
    let mut ids: Vec<u128> = places.iter().map(|(_, id)| *id).collect();
    tidy(&mut ids);
    let found = sources
        .lookup
        .pendings(sources.database, &ReadOptions::default(), &ids)?;
    let pending_of = |id: &u128| ids.binary_search(id).ok().and_then(|at| found[at]);
    let missing = || Error::damaged("expiry queue", "a row without its pending transfer");
    places
        .iter()
        .map(|(_, id)| pending_of(id).ok_or_else(missing))
        .collect()
}
