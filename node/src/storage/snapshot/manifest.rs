//! `MANIFEST.farthing`: what a snapshot is and what files it consists of. Written last: a directory without a valid
//! one is no snapshot. It is also what a sender tells a receiver first.

use bincode::{Decode, Encode};
use bytes::Bytes;

use crate::cold::{self, Kind};
use crate::storage::digest::Digest;
use crate::storage::error::Error;
use crate::storage::{AppliedState, LogId};

/// Name of the manifest's file.
pub const MANIFEST_NAME: &str = "MANIFEST.farthing";
const FORMAT_VERSION: u16 = 1;
/// Files of a snapshot: far above what any state has.
const FILES_MAX: usize = 20_000;
const NAME_BYTES_MAX: usize = 64;

/// One file of a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManifestFile {
    /// Plain name, without any directory.
    pub name: String,
    /// In bytes.
    pub length: u64,
    /// Of its bytes.
    pub crc32c: u32,
}

/// What a snapshot is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// The cluster it belongs to.
    pub cluster_id: u128,
    /// The last entry it contains.
    pub log_id: LogId,
    /// The last membership in it, as opaque bytes, and its entry.
    pub membership: Option<(LogId, Bytes)>,
    /// Digest of its rows.
    pub digest: Digest,
    /// Generation of the state it was taken from; file names mean the same files within one generation only.
    pub generation: u32,
    /// Its files, by name.
    pub files: Vec<ManifestFile>,
}

#[derive(Encode, Decode)]
struct StoredFile {
    name: String,
    length: u64,
    crc32c: u32,
}

#[derive(Encode, Decode)]
struct StoredManifest {
    format_version: u16,
    cluster_id: [u8; 16],
    log_id: (u64, u64, u64),
    membership: Option<((u64, u64, u64), Vec<u8>)>,
    digest: [u8; 16],
    generation: u32,
    files: Vec<StoredFile>,
}

fn stored_id(id: LogId) -> (u64, u64, u64) {
    (id.term, id.node, id.index)
}

fn read_id((term, node, index): (u64, u64, u64)) -> LogId {
    LogId { term, node, index }
}

impl Manifest {
    /// Total length of its files, in bytes.
    pub fn length(&self) -> u64 {
        self.files
            .iter()
            .fold(0, |sum, file| sum.saturating_add(file.length))
    }

    /// True when `applied` is the state this manifest speaks of.
    pub(crate) fn describes(&self, applied: &AppliedState) -> bool {
        applied.log_id == Some(self.log_id)
            && applied.membership == self.membership
            && applied.digest == self.digest
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// When there are too many files.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let stored = StoredManifest {
            format_version: FORMAT_VERSION,
            cluster_id: self.cluster_id.to_le_bytes(),
            log_id: stored_id(self.log_id),
            membership: self
                .membership
                .as_ref()
                .map(|(id, bytes)| (stored_id(*id), bytes.to_vec())),
            digest: self.digest.sum().to_le_bytes(),
            generation: self.generation,
            files: self
                .files
                .iter()
                .map(|file| StoredFile {
                    name: file.name.clone(),
                    length: file.length,
                    crc32c: file.crc32c,
                })
                .collect(),
        };
        cold::encode(Kind::Manifest, &stored)
            .map_err(|error| Error::Broken(format!("snapshot manifest: {error}")))
    }

    /// Reads [`Manifest::to_bytes`], from disk or from a peer.
    ///
    /// # Errors
    /// When the bytes are not a manifest, or name files in ways that reach outside of a snapshot's directory.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let stored: StoredManifest =
            cold::decode(Kind::Manifest, bytes).map_err(Error::cold("snapshot manifest"))?;
        if stored.format_version != FORMAT_VERSION {
            return Err(Error::Snapshot(format!(
                "format version {} is unknown",
                stored.format_version
            )));
        }
        if stored.files.len() > FILES_MAX || stored.files.is_empty() {
            return Err(Error::Snapshot(format!("{} files", stored.files.len())));
        }
        if let Some(file) = stored.files.iter().find(|file| !is_plain_name(&file.name)) {
            return Err(Error::Snapshot(format!(
                "a file cannot have the name {:?}",
                file.name
            )));
        }
        if !stored.files.is_sorted_by(|one, next| one.name < next.name) {
            return Err(Error::Snapshot("files are not in order".into()));
        }
        let file = |file: StoredFile| ManifestFile {
            name: file.name,
            length: file.length,
            crc32c: file.crc32c,
        };
        Ok(Self {
            cluster_id: u128::from_le_bytes(stored.cluster_id),
            log_id: read_id(stored.log_id),
            membership: stored
                .membership
                .map(|(id, bytes)| (read_id(id), Bytes::from(bytes))),
            digest: Digest::from_sum(u128::from_le_bytes(stored.digest)),
            generation: stored.generation,
            files: stored.files.into_iter().map(file).collect(),
        })
    }
}

/// A name that can only be a file in the directory at hand, and not the manifest's own.
fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name.starts_with('.')
        && name.bytes().all(plain)
        && name != MANIFEST_NAME
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn manifest(names: &[&str]) -> Manifest {
        let file = |name: &&str| ManifestFile {
            name: (*name).into(),
            length: 300,
            crc32c: 7,
        };
        Manifest {
            cluster_id: 1,
            log_id: LogId {
                term: 2,
                node: 3,
                index: 4,
            },
            membership: Some((LogId::default(), Bytes::from_static(b"m"))),
            digest: Digest::from_sum(5),
            generation: 6,
            files: names.iter().map(file).collect(),
        }
    }

    #[test]
    fn the_manifest_has_these_bytes() {
        let bytes = manifest(&["CURRENT"]).to_bytes().unwrap();
        let payload = [
            &b"\x01"[..],
            &1_u128.to_le_bytes(),
            b"\x02\x03\x04",
            b"\x01\x00\x00\x00\x01m",
            &5_u128.to_le_bytes(),
            b"\x06",
            b"\x01\x07CURRENT\xfb\x2c\x01\x07",
        ];
        assert_eq!(&bytes[cold::HEADER_BYTES..], payload.concat());
        assert_eq!(
            Manifest::from_bytes(&bytes).unwrap(),
            manifest(&["CURRENT"])
        );
    }

    #[test]
    fn names_that_reach_outside_are_refused() {
        for names in [
            &["../../etc/passwd"][..],
            &["a/b"],
            &["/a"],
            &[".."],
            &[""],
            &["a\0"],
            &[MANIFEST_NAME],
            &["b", "a"],
            &["a", "a"],
            &[],
        ] {
            let bytes = manifest(names).to_bytes().unwrap();
            assert!(
                matches!(Manifest::from_bytes(&bytes), Err(Error::Snapshot(_))),
                "{names:?}"
            );
        }
    }
}
