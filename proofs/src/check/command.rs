//! The command line `farthing-verify`.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use super::report::{grouped, json};
use super::{Report, Status, verify_files};
use crate::Verifier;
use crate::export::Progress;

/// A file of keys is no longer than this, in bytes.
const KEY_FILE_BYTES_MAX: u64 = 1 << 20;

/// Checks exported histories and proofs of a Farthing cluster, without the cluster.
///
/// An export is verified when every line is as it was written, no event is missing between its first and its last, and
/// all of them together are what one of the given keys signed. Several exports must be one history, in the order given.
///
/// Exit status: 0 everything verified; 1 something is not what was signed; 2 wrong usage, or a file cannot be read.
#[derive(Debug, Parser)]
#[command(name = "farthing-verify", version)]
pub struct Command {
    /// A key to trust: NAME+HASH+KEY, as a node shows it. Take it from somebody you trust, not from where the file comes
    /// from.
    #[arg(
        long = "key",
        value_name = "KEY",
        required_unless_present = "key_files"
    )]
    keys: Vec<Verifier>,
    /// A file with such keys, one a line; empty lines and lines that begin with # do not count.
    #[arg(long = "key-file", value_name = "FILE")]
    key_files: Vec<PathBuf>,
    /// Check every export alone: they need not be one history.
    #[arg(long)]
    separate: bool,
    /// One JSON object for programs instead of text.
    #[arg(long)]
    json: bool,
    /// Exports and proofs; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs the program.
pub fn main() -> ExitCode {
    // Clap ends the process with 2 by itself when the command line is wrong.
    let command = Command::parse();
    match command.run(&mut io::stdout().lock(), &mut io::stderr()) {
        Ok(status) => ExitCode::from(status as u8),
        // Whoever reads has gone, or its disk is full; nobody must take that for a verdict.
        Err(error) => {
            drop(writeln!(
                io::stderr(),
                "farthing-verify: the result cannot be written: {error}"
            ));
            ExitCode::from(Status::Unreadable as u8)
        }
    }
}

impl Command {
    /// Checks the files, and says so: results to `out`, progress and mistakes to `err`.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn run(
        &self,
        out: &mut impl Write,
        err: &mut (impl Write + IsTerminal),
    ) -> io::Result<Status> {
        let keys = match read_keys(&self.keys, &self.key_files) {
            Ok(keys) => keys,
            Err(why) => {
                writeln!(err, "farthing-verify: {why}")?;
                return Ok(Status::Unreadable);
            }
        };
        let terminal = err.is_terminal();
        let outcomes = verify_files(&self.files, &keys, self.separate, |path, at| {
            if terminal {
                // A progress line that cannot be written is no reason to stop.
                drop(show(err, path, at));
            }
        });
        if terminal {
            write!(err, "\r\x1b[K")?;
        }
        if self.json {
            writeln!(out, "{}", json(&outcomes)?)?;
        } else {
            for outcome in &outcomes {
                write!(out, "{}", Report::new(outcome))?;
            }
        }
        out.flush()?;
        Ok(Status::of(&outcomes))
    }
}

/// Keys that were given, and those in files.
///
/// # Errors
/// Which file cannot be read or holds something that is no key, in words.
pub fn read_keys(keys: &[Verifier], files: &[PathBuf]) -> Result<Vec<Verifier>, String> {
    let mut keys = keys.to_vec();
    for path in files {
        let in_file = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text))
            .map_err(|error| in_file(&error))?;
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = line
                .parse()
                .map_err(|error| in_file(&format_args!("line {}: {error}", at + 1)))?;
            keys.push(key);
        }
    }
    match keys.is_empty() && !files.is_empty() {
        true => Err("the key files hold no key".to_owned()),
        false => Ok(keys),
    }
}

fn show(err: &mut impl Write, path: &Path, at: Progress) -> io::Result<()> {
    let (events, mib) = (grouped(at.events), grouped(at.bytes >> 20));
    write!(err, "\r{}: {events} events, {mib} MiB", path.display())?;
    err.flush()
}
