//! Looks at a state from outside, while no node runs on it: what there is, and on request whether all of it is right.
//! It writes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::config::Config;
use super::database::Database;
use super::error::Error;
use super::families::Resources;
use super::reader::Reader;
use super::rows::family;
use super::snapshot::{MANIFEST_NAME, Manifest};
use super::window::KeyHash;
use super::{AppliedState, files, generation, load, verify};
use crate::cold;

/// Cache while looking: enough for index blocks.
const CACHE_BYTES: usize = 8 << 20;
/// Files of one state open at once.
const OPEN_FILES_MAX: i32 = 256;

/// A generation's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Its number.
    pub number: u32,
    /// Files in it.
    pub files: u64,
    /// Their length, bytes.
    pub bytes: u64,
}

/// The directories of the state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Generations {
    /// The one that `CURRENT` names; `None` when there is no such file.
    pub current: Option<u32>,
    /// The first one was never opened.
    pub creating: bool,
    /// Those that are there.
    pub all: Vec<Generation>,
}

/// A family of the state in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Files it has.
    pub files: u64,
    /// Their length, bytes.
    pub bytes: u64,
    /// Rows in it: counted when all was read, else as its files say.
    pub rows: u64,
}

/// The state in use.
#[derive(Debug)]
pub struct State {
    /// What the commit record says.
    pub applied: AppliedState,
    /// The families.
    pub families: Vec<Family>,
    /// What reading everything found; `None` when that was not asked for.
    pub verified: Option<verify::Report>,
}

/// A snapshot's directory.
#[derive(Debug)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// What its manifest says, or why it is no snapshot.
    pub manifest: Result<Manifest, Error>,
    /// What is wrong with its files; only looked for when everything is to be read.
    pub findings: Vec<String>,
}

/// What directories there are below `dir/state`.
///
/// # Errors
/// When they cannot be listed, or `CURRENT` names no generation.
pub fn generations(dir: &Path) -> Result<Generations, Error> {
    let state = dir.join("state");
    if !state.exists() {
        return Ok(Generations::default());
    }
    let current = match files::read_small(&state.join("CURRENT"), 64)? {
        Some(name) => Some(
            generation::parse(&String::from_utf8_lossy(&name))
                .ok_or_else(|| Error::damaged("CURRENT", "it does not name a generation"))?,
        ),
        None => None,
    };
    let mut all = vec![];
    for (name, path) in files::list(&state)? {
        if let Some(number) = generation::parse(&name) {
            let lengths = lengths(&path)?;
            all.push(Generation {
                number,
                files: lengths.len() as u64,
                bytes: lengths.iter().sum(),
            });
        }
    }
    Ok(Generations {
        current,
        creating: state.join("CREATING").exists(),
        all,
    })
}

fn lengths(dir: &Path) -> Result<Vec<u64>, Error> {
    let mut lengths = vec![];
    for (_, path) in files::list(dir)? {
        let metadata =
            std::fs::metadata(&path).map_err(|error| Error::io("look at", &path, error))?;
        if metadata.is_file() {
            lengths.push(metadata.len());
        }
    }
    Ok(lengths)
}

/// Opens a generation to read it; with `everything`, every row of every family is read with its checksum, and all that
/// can be known wrong without another node is looked for.
///
/// # Errors
/// When it cannot be opened or read: damage among others.
pub fn state(dir: &Path, generation: u32, everything: bool) -> Result<State, Error> {
    let path = dir.join("state").join(format!("{generation:08}"));
    read(&path, generation, everything)
}

fn read(path: &Path, generation: u32, everything: bool) -> Result<State, Error> {
    let config = Config {
        block_cache_bytes: CACHE_BYTES,
        open_files_max: OPEN_FILES_MAX,
        ..Config::new(PathBuf::new())
    };
    let resources = Resources::new(&config)?;
    let database = Arc::new(Database::open_to_read(path, &resources)?);
    let mut families = families(&database)?;
    let published = load(database, generation)?;
    let applied = published.applied.clone();
    let mut verified = None;
    if everything {
        let reader = Reader::of(Arc::new(published), KeyHash::random())?;
        for family in &mut families {
            family.rows = read_rows(&reader, family.name)?;
        }
        if applied.log_id.is_some() {
            verified = Some(verify::verify(&reader)?);
        }
    }
    Ok(State {
        applied,
        families,
        verified,
    })
}

/// What the files in use say of themselves.
fn families(database: &Database) -> Result<Vec<Family>, Error> {
    let live = database
        .db()?
        .live_files()
        .map_err(Error::database("list the files of the state"))?;
    let family = |name: &'static str| {
        let mut family = Family {
            name,
            files: 0,
            bytes: 0,
            rows: 0,
        };
        for file in live.iter().filter(|file| file.column_family_name == name) {
            family.files += 1;
            family.bytes += file.size as u64;
        }
        // The list of files knows no rows of a file that came in whole; the files themselves do.
        family.rows = database.rows(name)?;
        Ok(family)
    };
    family::ALL.into_iter().map(family).collect()
}

/// Reads every block of a family, its checksum included; how many rows there are.
fn read_rows(reader: &Reader, name: &'static str) -> Result<u64, Error> {
    let mut rows = reader.iterator(name, false)?;
    rows.seek_to_first();
    let mut count = 0;
    while rows.item().is_some() {
        count += 1;
        rows.next();
    }
    rows.status()
        .map_err(Error::database("read a family of the state"))?;
    Ok(count)
}

/// The snapshots below `dir`; with `everything`, each file is read and compared with its manifest.
///
/// # Errors
/// When they cannot be listed.
pub fn snapshots(dir: &Path, everything: bool) -> Result<Vec<Snapshot>, Error> {
    let root = dir.join("snapshots");
    if !root.exists() {
        return Ok(vec![]);
    }
    let mut found = vec![];
    for (name, path) in files::list(&root)? {
        if !path.is_dir() {
            continue;
        }
        let manifest = manifest(&path);
        let findings = match &manifest {
            Ok(manifest) if everything => compare(&path, manifest),
            _ => vec![],
        };
        found.push(Snapshot {
            name,
            manifest,
            findings,
        });
    }
    Ok(found)
}

fn manifest(dir: &Path) -> Result<Manifest, Error> {
    let bytes_max = (cold::HEADER_BYTES + cold::PAYLOAD_BYTES_MAX) as u64;
    match files::read_small(&dir.join(MANIFEST_NAME), bytes_max)? {
        Some(bytes) => Manifest::from_bytes(&bytes),
        None => Err(Error::Snapshot(
            "it has no manifest: it was not finished".into(),
        )),
    }
}

fn compare(dir: &Path, manifest: &Manifest) -> Vec<String> {
    let mut findings = vec![];
    for file in &manifest.files {
        match files::checksum(&dir.join(&file.name)) {
            Err(error) => findings.push(error.to_string()),
            Ok((length, _)) if length != file.length => findings.push(format!(
                "{} has {length} bytes, the manifest says {}",
                file.name, file.length
            )),
            Ok((_, crc32c)) if crc32c != file.crc32c => findings.push(format!(
                "{}: crc32c is {crc32c:08x}, the manifest says {:08x}",
                file.name, file.crc32c
            )),
            Ok(_) => {}
        }
    }
    findings
}
