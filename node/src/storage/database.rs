//! One generation of the state: a RocksDB directory and the operations storage needs of it.
//!
//! Nothing is ever written through RocksDB's log or memtables: rows arrive as finished files.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rocksdb::checkpoint::Checkpoint;
use rocksdb::{ColumnFamily, DB, DBPinnableSlice, IngestExternalFileOptions, ReadOptions};

use super::error::Error;
use super::families::Resources;
use super::files;
use super::rows::family;

/// An open generation. The last holder of a doomed one removes its directory.
pub(crate) struct Database {
    // An option only so that it can be closed before the directory goes.
    db: Option<DB>,
    dir: PathBuf,
    doomed: AtomicBool,
}

impl Database {
    /// Opens a generation; `create` makes one that is not there.
    pub(crate) fn open(dir: &Path, resources: &Resources, create: bool) -> Result<Self, Error> {
        let families = family::ALL.map(|name| (name, resources.family(name)));
        let default = [("default", resources.family("default"))];
        let db = DB::open_cf_with_opts(
            &resources.database(create),
            dir,
            default.into_iter().chain(families),
        )
        .map_err(Error::database("open the state"))?;
        Ok(Self {
            db: Some(db),
            dir: dir.to_owned(),
            doomed: AtomicBool::new(false),
        })
    }

    /// Opens files that nobody changes, without a thread of its own at work on them.
    pub(crate) fn open_to_read(dir: &Path, resources: &Resources) -> Result<Self, Error> {
        let families = family::ALL.map(|name| (name, resources.family(name)));
        let default = [("default", resources.family("default"))];
        let families = default.into_iter().chain(families);
        let db =
            DB::open_cf_with_opts_for_read_only(&resources.database(false), dir, families, false)
                .map_err(Error::database("open a copy of the state"))?;
        Ok(Self {
            db: Some(db),
            dir: dir.to_owned(),
            doomed: AtomicBool::new(false),
        })
    }

    /// The directory goes when the last reader does.
    pub(crate) fn doom(&self) {
        self.doomed.store(true, Ordering::Release);
    }

    pub(crate) fn db(&self) -> Result<&DB, Error> {
        self.db
            .as_ref()
            .ok_or_else(|| Error::Broken("a closed generation was read".into()))
    }

    pub(crate) fn family(&self, name: &'static str) -> Result<&ColumnFamily, Error> {
        self.db()?
            .cf_handle(name)
            .ok_or_else(|| Error::damaged("state", format!("family {name} is missing")))
    }

    /// One row, as it is now.
    pub(crate) fn get(
        &self,
        family: &'static str,
        key: &[u8],
    ) -> Result<Option<DBPinnableSlice<'_>>, Error> {
        self.db()?
            .get_pinned_cf(self.family(family)?, key)
            .map_err(Error::database("read a row"))
    }

    /// Many rows under one set of options; `keys` in ascending order. Answers are in the order of the keys.
    pub(crate) fn multi_get<'a, K: AsRef<[u8]> + 'a>(
        &self,
        family: &'static str,
        keys: impl IntoIterator<Item = &'a K>,
        options: &ReadOptions,
    ) -> Result<Vec<Option<DBPinnableSlice<'_>>>, Error> {
        let rows = self
            .db()?
            .batched_multi_get_cf_opt(self.family(family)?, keys, true, options);
        rows.into_iter()
            .collect::<Result<_, _>>()
            .map_err(Error::database("read rows"))
    }

    /// Lets finished files into a family. One manifest edit, synced: all of them or none.
    pub(crate) fn ingest(&self, family: &'static str, files: &[PathBuf]) -> Result<(), Error> {
        let mut options = IngestExternalFileOptions::default();
        options.set_move_files(true);
        options.set_snapshot_consistency(true);
        options.set_allow_global_seqno(true);
        options.set_allow_blocking_flush(true);
        self.db()?
            .ingest_external_file_cf_opts(self.family(family)?, &options, files.to_vec())
            .map_err(Error::database("ingest run files"))
    }

    /// Hard-links the state of this moment into a new directory.
    pub(crate) fn checkpoint(&self, dir: &Path) -> Result<(), Error> {
        Checkpoint::new(self.db()?)
            .and_then(|checkpoint| checkpoint.create_checkpoint(dir))
            .map_err(Error::database("take a checkpoint"))
    }

    /// Files in the first level of the family that has most of them; each is one more place to look.
    pub(crate) fn first_level_files(&self) -> Result<u64, Error> {
        let mut most = 0;
        for name in family::ALL {
            let files = self
                .db()?
                .property_value_cf(self.family(name)?, "rocksdb.num-files-at-level0")
                .map_err(Error::database("read a property"))?;
            most = most.max(files.and_then(|files| files.parse().ok()).unwrap_or(0));
        }
        Ok(most)
    }

    /// Merges all files of every family.
    pub(crate) fn compact(&self) -> Result<(), Error> {
        for name in family::ALL {
            self.db()?
                .compact_range_cf(self.family(name)?, None::<&[u8]>, None::<&[u8]>);
        }
        Ok(())
    }

    /// Rows in the files of a family, as the files say: ones that a later file replaces count as well.
    pub(crate) fn rows(&self, name: &'static str) -> Result<u64, Error> {
        let properties = self
            .db()?
            .property_value_cf(self.family(name)?, "rocksdb.aggregated-table-properties")
            .map_err(Error::database("read a property"))?
            .unwrap_or_default();
        // "# data blocks=17; # entries=4711; ..."
        let entries = properties
            .split(';')
            .find_map(|property| property.trim().strip_prefix("# entries="));
        Ok(entries
            .and_then(|entries| entries.parse().ok())
            .unwrap_or(0))
    }

    /// Bytes on disk of a family.
    pub(crate) fn disk_bytes(&self, name: &'static str) -> Result<u64, Error> {
        let bytes = self
            .db()?
            .property_int_value_cf(self.family(name)?, "rocksdb.live-sst-files-size")
            .map_err(Error::database("read a property"))?;
        Ok(bytes.unwrap_or(0))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        drop(self.db.take());
        if self.doomed.load(Ordering::Acquire)
            && let Err(error) = files::remove_dir(&self.dir)
        {
            tracing::warn!(%error, "an old generation of the state stays until the next start");
        }
    }
}
