//! A snapshot from a leader: its manifest names files, its chunks fill them, and nothing else is written.

use std::path::Path;

use arbitrary::{Result, Unstructured};
use farthing_node::fuzzing::receive;
use farthing_node::storage::snapshot::{Manifest, ManifestFile};
use farthing_node::storage::{Digest, LogId};

use super::Part;
use crate::budget::within;

pub(super) const PART: Part = Part {
    name: "snapshot",
    run,
    seeds,
    words: &["CURRENT", "..", "\u{0}\u{0}\u{0}\u{0}"],
};

fn run(bytes: &[u8]) {
    let _ = attempt(&mut Unstructured::new(bytes));
}

fn attempt(source: &mut Unstructured<'_>) -> Result<()> {
    let mut files = Vec::new();
    let mut contents = Vec::new();
    for number in 0..source.int_in_range(1..=4)? {
        let length = source.int_in_range(0..=300_usize)?;
        let content: Vec<u8> = (0..length).map(|at| (at * 7 + number) as u8).collect();
        files.push(ManifestFile {
            name: format!("{number:06}.sst"),
            // A promise of more than there is: 2^63 bytes must not be made room for.
            length: if source.ratio(1, 16)? {
                1 << 63
            } else {
                length as u64
            },
            crc32c: crc32c::crc32c(&content) ^ u32::from(source.ratio(1, 16)?),
        });
        contents.push(content);
    }
    let manifest = Manifest {
        cluster_id: 7,
        log_id: LogId::default(),
        membership: None,
        digest: Digest::default(),
        generation: 1,
        files,
    };
    let sent = Manifest::from_bytes(&manifest.to_bytes().expect("a manifest of few files"));
    assert_eq!(sent.ok().as_ref(), Some(&manifest));
    let root = directory();
    within(1 << 20, || fill(root.path(), &manifest, &contents, source))?;
    // Whether it was received or not: nothing is outside of its directory.
    let left = std::fs::read_dir(root.path()).expect("a directory").count();
    assert!(left <= 1);
    Ok(())
}

/// In memory where there is such a place: every file is synced.
fn directory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a temporary directory")
}

/// Sends the chunks, some of them wrong, and checks what became of them.
fn fill(
    root: &Path,
    manifest: &Manifest,
    contents: &[Vec<u8>],
    source: &mut Unstructured<'_>,
) -> Result<()> {
    let Ok(mut incoming) = receive(root, manifest.clone()) else {
        return Ok(());
    };
    let mut sound = true;
    while let Some((position, offset)) = incoming.next() {
        if source.is_empty() && !sound {
            break;
        }
        let content = &contents[position];
        let from = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(content.len());
        let length = source
            .int_in_range(1..=120_usize)?
            .min(content.len() - from);
        let mut data = content[from..from + length].to_vec();
        let (mut at, mut file) = (offset, position);
        match source.int_in_range(0..=20_u8)? {
            0 => at = source.arbitrary()?,
            1 => file = source.arbitrary::<u16>()?.into(),
            2 => data.extend([0; 400]),
            3 => data.iter_mut().take(1).for_each(|byte| *byte ^= 1),
            _ => {}
        }
        if incoming.write(file, at, &data).is_err() || data.is_empty() {
            sound = false;
            break;
        }
    }
    let complete = incoming.next().is_none();
    match incoming.finish() {
        Ok((dir, manifest)) => {
            assert!(complete);
            for file in &manifest.files {
                let bytes = std::fs::read(dir.join(&file.name)).expect("a received file");
                assert_eq!(
                    (bytes.len() as u64, crc32c::crc32c(&bytes)),
                    (file.length, file.crc32c)
                );
            }
        }
        Err(_) => assert!(!sound || !complete),
    }
    Ok(())
}

fn seeds() -> Vec<Vec<u8>> {
    let seed = |step: u32| (0..240_u32).map(|at| (at * step % 253 + 3) as u8).collect();
    vec![vec![9; 200], seed(31), seed(7), seed(101)]
}
