//! Checks exported histories and proofs, by keys that are given or that the cluster's log has.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use farthing_client::{Client, RecordKey};
use farthing_proofs::check::{self, Outcome, Status, verify_files};
use farthing_proofs::export::Progress;
use farthing_proofs::{KEY_NAMESPACE, Verifier, key_record};
use serde::Serialize;

use super::members;
use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::{self, Align, Report, Table};

/// What became of the files.
#[derive(Debug, Serialize)]
pub struct ProofsReport {
    /// True when everything was verified.
    pub ok: bool,
    /// Each file, in the order given.
    pub files: Vec<check::Report>,
    /// For people, as the stand-alone verifier says it.
    #[serde(skip)]
    text: String,
}

impl Report for ProofsReport {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("file", Align::Left),
            ("verdict", Align::Left),
            ("from", Align::Right),
            ("last", Align::Right),
            ("signed by", Align::Left),
            ("error", Align::Left),
        ]);
        let number = |number: Option<u64>| number.map(output::count).unwrap_or_default();
        for file in &self.files {
            table.row(vec![
                file.file.clone(),
                file.verdict.to_owned(),
                number(file.from),
                number(file.last),
                file.signed_by.clone().unwrap_or_default().join(" "),
                file.error.clone().unwrap_or_default(),
            ]);
        }
        table
    }

    fn prose(&self) -> Option<String> {
        Some(self.text.clone())
    }
}

/// The keys that the cluster's log has for its members.
///
/// # Errors
/// When no node answers, or the log has no keys.
pub async fn keys_in_the_log(client: &Client) -> Result<Vec<Verifier>, Failure> {
    let keys: Vec<RecordKey> = members(client)
        .await?
        .iter()
        .filter_map(|member| RecordKey::new(KEY_NAMESPACE, key_record(member.id).as_bytes()))
        .collect();
    let found = client.lookup_records(&keys).await.map_err(failure)?;
    let records = found.iter().flatten();
    let verifiers: Vec<Verifier> = records
        .filter_map(|record| std::str::from_utf8(&record.value).ok()?.parse().ok())
        .collect();
    if verifiers.is_empty() {
        return Err(Failure::new(
            Code::NotFound,
            "the cluster's log has no keys of its nodes yet",
        )
        .advise("try again in a few seconds, or give the keys with --key"));
    }
    Ok(verifiers)
}

/// Checks the files. Exports among them must be one history, in order, unless `separate`.
///
/// # Errors
/// [`Code::Io`] when one cannot be read, [`Code::Internal`] when the check ends early, which would be a bug.
pub async fn check_files(
    files: Vec<PathBuf>,
    keys: Vec<Verifier>,
    separate: bool,
) -> Result<ProofsReport, Failure> {
    let outcomes = tokio::task::spawn_blocking(move || {
        verify_files(&files, &keys, separate, |path, at| {
            show(&path.display(), at)
        })
    });
    let outcomes: Vec<Outcome> = outcomes
        .await
        .map_err(|error| Failure::new(Code::Internal, "the check ended early").because(error))?;
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    let status = Status::of(&outcomes);
    let files: Vec<check::Report> = outcomes.iter().map(check::Report::new).collect();
    if status == Status::Unreadable {
        let unreadable = files.iter().find(|file| file.verdict == "unreadable");
        let (file, why) = unreadable
            .map(|file| (file.file.clone(), file.error.clone().unwrap_or_default()))
            .unwrap_or_default();
        return Err(Failure::new(Code::Io, format!("{file} cannot be read")).because(why));
    }
    let text = files.iter().map(ToString::to_string).collect();
    Ok(ProofsReport {
        ok: status == Status::Verified,
        files,
        text,
    })
}

fn show(path: &dyn std::fmt::Display, at: Progress) {
    let mut err = std::io::stderr();
    if err.is_terminal() {
        let (events, bytes) = (output::count(at.events), output::bytes(at.bytes));
        // A progress line that cannot be written is no reason to stop.
        drop(write!(err, "\r{path}: {events} events, {bytes}"));
    }
}
