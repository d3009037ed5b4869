//! `farthing events export`.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use farthing_client::Client;
use farthing_client::events::EventsOptions;
use farthing_proofs::export::{WriteError, Writer};
use farthing_proofs::{Frontier, Hash, Note};

use super::prove::{note_of, patiently};
use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::{self, Printer};
use crate::verify;

/// A node may be away for so long before the export ends.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two lines of progress.
const PROGRESS: Duration = Duration::from_millis(200);

/// Writes events to a file or to standard output, one JSON object a line, with a signed checkpoint at the end: a history
/// that farthing verify --proof and farthing-verify check, down to every byte, without the cluster.
///
/// Two nodes write the same lines, except for the last one, which is theirs to sign.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// The first sequence.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..), value_name = "SEQUENCE")]
    from: u64,
    /// The last sequence [default: that of the node's newest checkpoint].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), value_name = "SEQUENCE")]
    until: Option<u64>,
    /// Only from this node [default: whichever serves].
    #[arg(long, value_name = "ID")]
    node: Option<u64>,
    /// The file to write, which must not be there yet; it gets its name when it is complete [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(self, client: &Client, printer: Printer) -> Result<ExitCode, Failure> {
        if let Some(out) = self.out.as_deref().filter(|out| out.exists()) {
            return Err(
                Failure::new(Code::Usage, format!("{} is there already", out.display()))
                    .advise("give another name, or remove the file"),
            );
        }
        let note = note_of(&patiently(|| client.checkpoint_of(self.until.unwrap_or(0))).await?)?;
        let last = note.checkpoint.size;
        if last < self.from {
            let what = format!(
                "there is no event {} yet, the last one is {last}",
                self.from
            );
            return Err(Failure::new(Code::NotFound, what));
        }
        let before = self.before(client).await?;
        let options = EventsOptions {
            from: self.from,
            until: Some(last),
            endpoint: self.endpoint(client).await?,
            patience: Some(PATIENCE),
            ..EventsOptions::default()
        };
        let Some(out) = &self.out else {
            let written = write(io::stdout().lock(), before, &note, client, options).await;
            return written.map(|_| ExitCode::SUCCESS);
        };
        let unfinished = out.with_extension("partial");
        let file = File::create(&unfinished)
            .map_err(|error| Failure::io("create", &unfinished, &error))?;
        let file = write(file, before, &note, client, options).await?;
        name(&file, &unfinished, out)?;
        let count = output::count(last + 1 - self.from);
        printer.say(&format!("{count} events, up to {last}: {}", out.display()))?;
        Ok(ExitCode::SUCCESS)
    }

    /// The tree of what comes before the file.
    async fn before(&self, client: &Client) -> Result<Frontier, Failure> {
        let size = self.from - 1;
        let peaks = match size {
            0 => vec![],
            size => patiently(|| client.peaks(size)).await?,
        };
        Frontier::from_peaks(size, peaks.into_iter().map(Hash).collect()).ok_or_else(|| {
            Failure::new(
                Code::Internal,
                format!("these are not the peaks of a tree of {size}"),
            )
        })
    }

    /// The address of the node that is named.
    async fn endpoint(&self, client: &Client) -> Result<Option<String>, Failure> {
        let Some(node) = self.node else {
            return Ok(None);
        };
        let members = verify::members(client).await?;
        let found = members.iter().find(|member| member.id == node);
        let found = found.ok_or_else(|| {
            let ids: Vec<String> = members.iter().map(|member| member.id.to_string()).collect();
            Failure::new(Code::NotFound, format!("there is no node {node}"))
                .advise(format!("name one of {}", ids.join(", ")))
        })?;
        Ok(Some(found.address.clone()))
    }
}

/// Writes the events and the checkpoint, and gives back where they were written.
async fn write<W: Write>(
    out: W,
    before: Frontier,
    note: &Note,
    client: &Client,
    options: EventsOptions,
) -> Result<W, Failure> {
    let (first, last) = (options.from, note.checkpoint.size);
    let out = BufWriter::with_capacity(1 << 20, out);
    let mut writer = Writer::new(out, &note.checkpoint.origin, before).map_err(unwritten)?;
    let mut events = client.packed_events(options);
    let shows = io::stderr().is_terminal();
    let mut shown = Instant::now();
    while let Some(batch) = events.next().await.map_err(failure)? {
        for event in batch.iter() {
            writer.push_packed(event).map_err(unwritten)?;
        }
        if shows && shown.elapsed() >= PROGRESS {
            let (done, all) = (batch.last_sequence + 1 - first, last + 1 - first);
            eprint!("\r{} of {} events", output::count(done), output::count(all));
            shown = Instant::now();
        }
    }
    if shows {
        eprint!("\r\x1b[K");
    }
    let out = writer.finish(note).map_err(unwritten)?;
    out.into_inner().map_err(|error| {
        Failure::new(Code::Io, "the export cannot be written").because(error.error())
    })
}

/// The file is complete and on the disk before it has its name.
fn name(file: &File, unfinished: &Path, out: &Path) -> Result<(), Failure> {
    file.sync_all()
        .map_err(|error| Failure::io("sync", unfinished, &error))?;
    std::fs::rename(unfinished, out).map_err(|error| Failure::io("name", out, &error))
}

fn unwritten(error: WriteError) -> Failure {
    match error {
        WriteError::Io(error) => {
            Failure::new(Code::Io, "the export cannot be written").because(error)
        }
        error => Failure::new(Code::CheckFailed, "a node sent events that are not those it signed")
            .because(error)
            .advise("keep every node's directory as it is, run farthing verify, and export from another node with --node"),
    }
}
