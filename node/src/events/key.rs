//! `DIR/node.key`: the secret of the Ed25519 key with which this node signs checkpoints, in hexadecimal.
//!
//! A node that has lost it makes another: what it signed stays valid under the old one, which the log has.

use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::Context;

/// The file in the node's directory.
const FILE: &str = "node.key";
/// Under which name it is written before it is complete.
const UNFINISHED: &str = "node.key.new";
const SECRET_BYTES: usize = 32;

/// The secret; a new one where there is none.
pub(super) fn read_or_make(dir: &Path) -> anyhow::Result<[u8; SECRET_BYTES]> {
    let path = dir.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return make(dir),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    parse(&text).with_context(|| {
        format!(
            "{} is not a key: 64 hexadecimal digits are. Put the file aside and the node makes another key",
            path.display()
        )
    })
}

fn parse(text: &str) -> anyhow::Result<[u8; SECRET_BYTES]> {
    let text = text.trim();
    anyhow::ensure!(text.len() == 2 * SECRET_BYTES, "it has another length");
    let mut secret = [0; SECRET_BYTES];
    for (byte, digits) in secret.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits)?, 16)?;
    }
    Ok(secret)
}

fn make(dir: &Path) -> anyhow::Result<[u8; SECRET_BYTES]> {
    let mut secret = [0; SECRET_BYTES];
    getrandom::fill(&mut secret)
        .map_err(|error| anyhow::anyhow!("the system has no random numbers: {error}"))?;
    let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let (unfinished, path) = (dir.join(UNFINISHED), dir.join(FILE));
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)?;
        // One that a killed process left may have other rights.
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &path)?;
        std::fs::File::open(dir)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_nobody_elses_to_read() {
        let dir = tempfile::tempdir().unwrap();
        let secret = read_or_make(dir.path()).unwrap();
        assert_eq!(read_or_make(dir.path()).unwrap(), secret);
        let path = dir.path().join(FILE);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(read_or_make(other.path()).unwrap(), secret);
        for wrong in ["", "00", &"zz".repeat(32), &"ä".repeat(32)] {
            std::fs::write(&path, wrong).unwrap();
            let error = read_or_make(dir.path()).unwrap_err();
            assert!(
                error.to_string().contains("is not a key"),
                "{wrong}: {error}"
            );
        }
    }
}
