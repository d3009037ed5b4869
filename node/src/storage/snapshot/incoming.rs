//! A snapshot on its way in: files are written as they come and checked against the manifest before anything is
//! installed.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::manifest::{Manifest, ManifestFile};
use crate::storage::error::Error;
use crate::storage::files;

/// A snapshot being received. Dropping it removes what was received.
pub struct Incoming {
    dir: PathBuf,
    manifest: Manifest,
    /// Files that are complete.
    complete: usize,
    open: Option<Open>,
    finished: bool,
}

struct Open {
    file: File,
    length: u64,
    crc32c: u32,
}

impl Incoming {
    pub(crate) fn create(root: &Path, cluster_id: u128, manifest: Manifest) -> Result<Self, Error> {
        if manifest.cluster_id != cluster_id {
            return Err(Error::Snapshot(format!(
                "it is of cluster {:032x}, this node of {cluster_id:032x}",
                manifest.cluster_id
            )));
        }
        let dir = root.join(format!(
            "{}-{}",
            manifest.log_id.term, manifest.log_id.index
        ));
        files::remove_dir(&dir)?;
        files::create_dir(&dir)?;
        let mut incoming = Self {
            dir,
            manifest,
            complete: 0,
            open: None,
            finished: false,
        };
        incoming.skip_empty()?;
        Ok(incoming)
    }

    /// What is being received.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Position in [`Manifest::files`] and offset in bytes of what is to come next; `None` when all is here.
    pub fn next(&self) -> Option<(usize, u64)> {
        self.manifest.files.get(self.complete)?;
        Some((
            self.complete,
            self.open.as_ref().map_or(0, |open| open.length),
        ))
    }

    /// Takes the next bytes: of file `position`, from `offset` on. Files come in the order of the manifest.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when the bytes are not what must come next or a file's checksum is wrong; nothing of this
    /// snapshot can be used then.
    pub fn write(&mut self, position: usize, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let expected = self.next();
        if expected != Some((position, offset)) {
            return Err(Error::Snapshot(format!(
                "got file {position} at {offset} where {expected:?} must come"
            )));
        }
        let file = self.current()?;
        let path = self.dir.join(&file.name);
        if bytes.len() as u64 > file.length - offset {
            return Err(Error::Snapshot(format!(
                "{} is longer than its manifest says",
                file.name
            )));
        }
        if self.open.is_none() {
            let file = File::create(&path).map_err(|error| Error::io("create", &path, error))?;
            self.open = Some(Open {
                file,
                length: 0,
                crc32c: 0,
            });
        }
        let Some(open) = self.open.as_mut() else {
            return Err(Error::Broken("no file is open".into()));
        };
        open.file
            .write_all(bytes)
            .map_err(|error| Error::io("write", &path, error))?;
        open.length += bytes.len() as u64;
        open.crc32c = crc32c::crc32c_append(open.crc32c, bytes);
        if open.length == file.length {
            self.close()?;
            self.skip_empty()?;
        }
        Ok(())
    }

    fn current(&self) -> Result<ManifestFile, Error> {
        self.manifest
            .files
            .get(self.complete)
            .cloned()
            .ok_or_else(|| Error::Snapshot("all files are here".into()))
    }

    fn close(&mut self) -> Result<(), Error> {
        let file = self.current()?;
        let path = self.dir.join(&file.name);
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        if open.crc32c != file.crc32c {
            return Err(Error::Snapshot(format!(
                "{} was damaged on the way",
                file.name
            )));
        }
        open.file
            .sync_all()
            .map_err(|error| Error::io("sync", &path, error))?;
        self.complete += 1;
        Ok(())
    }

    /// Files without bytes have nothing to come.
    fn skip_empty(&mut self) -> Result<(), Error> {
        while let Some(file) = self
            .manifest
            .files
            .get(self.complete)
            .filter(|file| file.length == 0)
        {
            if file.crc32c != 0 {
                return Err(Error::Snapshot(format!(
                    "{} is empty and has a checksum",
                    file.name
                )));
            }
            let path = self.dir.join(&file.name);
            let sync = File::create(&path).and_then(|file| file.sync_all());
            sync.map_err(|error| Error::io("create", &path, error))?;
            self.complete += 1;
        }
        Ok(())
    }

    /// Everything is here, checked and synced: what [`crate::storage::Writer::install`] takes.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when something is missing.
    pub fn finish(mut self) -> Result<(PathBuf, Manifest), Error> {
        if let Some((position, offset)) = self.next() {
            return Err(Error::Snapshot(format!(
                "it ends at file {position}, byte {offset}"
            )));
        }
        files::sync_dir(&self.dir)?;
        self.finished = true;
        Ok((self.dir.clone(), self.manifest.clone()))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = files::remove_dir(&self.dir)
        {
            tracing::warn!(%error, "a partial snapshot stays until the next start");
        }
    }
}
