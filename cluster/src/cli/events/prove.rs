//! Checkpoints and proofs as a node gives them. They are shown, not checked: whoever asks a node whether it can be trusted
//! has asked the wrong one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use farthing_client::events::SignedCheckpoint;
use farthing_client::{Client, Error};
use farthing_proofs::{Change, Hash, Note, NoteError, Proof};
use serde::Serialize;

use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::{Printer, Report, Table};

/// A node that serves is behind the others for no longer.
const BEHIND_MAX: Duration = Duration::from_secs(3);

/// Prints the newest checkpoint of a node.
pub(super) async fn checkpoint(client: &Client, printer: Printer) -> Result<ExitCode, Failure> {
    let signed = client.checkpoint().await.map_err(failure)?;
    printer.print(&Shown::new(signed)?)?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Serialize)]
struct Shown {
    /// The last sequence in the tree.
    size: u64,
    note: String,
    public_key: String,
}

impl Shown {
    fn new(signed: SignedCheckpoint) -> Result<Self, Failure> {
        Ok(Self {
            size: signed.size().map_err(failure)?,
            note: signed.note,
            public_key: signed.public_key,
        })
    }
}

impl Report for Shown {
    fn table(&self) -> Table {
        Table::pairs([
            ("size", self.size.to_string()),
            ("note", self.note.clone()),
            ("public key", self.public_key.clone()),
        ])
    }

    /// The note as it was signed, so that it can be kept as it stands.
    fn prose(&self) -> Option<String> {
        Some(self.note.clone())
    }

    fn notes(&self) -> Vec<String> {
        vec![String::new(), format!("key: {}", self.public_key)]
    }
}

/// Prints a proof: a line of JSON with everything that it takes to check it but the key. Keep it as it is, and check it
/// with farthing verify --proof or farthing-verify.
#[derive(Debug, Args)]
pub(in crate::cli) struct Prove {
    /// The event that is to be shown to be in the history.
    #[arg(
        value_parser = clap::value_parser!(u64).range(1..),
        value_name = "SEQUENCE",
        required_unless_present = "since",
        conflicts_with = "since"
    )]
    sequence: Option<u64>,
    /// A file with an earlier checkpoint: the history of the later one is to be shown to begin with its history.
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// The last sequence in the tree [default: that of the node's newest checkpoint].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), value_name = "SEQUENCE")]
    size: Option<u64>,
}

impl Prove {
    pub(super) async fn run(self, client: &Client, printer: Printer) -> Result<ExitCode, Failure> {
        let asked = self.size.unwrap_or(0);
        let checkpoint = note_of(&patiently(|| client.checkpoint_of(asked)).await?)?;
        let proof = match (self.sequence, &self.since) {
            (Some(sequence), _) => inclusion(client, sequence, checkpoint).await?,
            (None, since) => {
                let path = since.as_deref().unwrap_or(Path::new("-"));
                consistency(client, path, checkpoint).await?
            }
        };
        printer.print(&Printed(proof))?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn inclusion(client: &Client, sequence: u64, checkpoint: Note) -> Result<Proof, Failure> {
    let size = checkpoint.checkpoint.size;
    if sequence > size {
        let what = format!("event {sequence} is not in the tree, which ends with {size}");
        return Err(Failure::new(Code::NotFound, what)
            .advise("events are in a checkpoint a second after they happened"));
    }
    let proof = patiently(|| client.prove_inclusion(sequence, size)).await?;
    let event = Change::from_bytes(&proof.event)
        .ok_or_else(|| Failure::new(Code::Internal, "what the node says is the event is none"))?;
    Ok(Proof::Inclusion {
        event,
        size,
        path: proof.path.into_iter().map(Hash).collect(),
        checkpoint,
    })
}

async fn consistency(client: &Client, path: &Path, checkpoint: Note) -> Result<Proof, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error))?;
    let earlier = text.parse().map_err(|error: NoteError| {
        let what = format!("{} is no checkpoint", path.display());
        Failure::new(Code::BadInput, what)
            .because(error)
            .advise("give what farthing events checkpoint printed, as it was")
    });
    let earlier: Note = earlier?;
    let (earlier_size, size) = (earlier.checkpoint.size, checkpoint.checkpoint.size);
    let proof = patiently(|| client.prove_consistency(earlier_size, size)).await?;
    Ok(Proof::Consistency {
        earlier,
        path: proof.path.into_iter().map(Hash).collect(),
        checkpoint,
    })
}

/// A proof is for programs, whoever looks at it: the same line in every format.
struct Printed(Proof);

impl Serialize for Printed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value: serde_json::Value =
            serde_json::from_slice(&self.0.to_bytes()).map_err(serde::ser::Error::custom)?;
        value.serialize(serializer)
    }
}

impl Report for Printed {
    fn table(&self) -> Table {
        Table::pairs([(
            "proof",
            String::from_utf8_lossy(&self.0.to_bytes()).into_owned(),
        )])
    }

    fn prose(&self) -> Option<String> {
        Some(String::from_utf8_lossy(&self.0.to_bytes()).into_owned())
    }
}

/// What a node signed.
pub(super) fn note_of(signed: &SignedCheckpoint) -> Result<Note, Failure> {
    signed.note.parse().map_err(|error: NoteError| {
        Failure::new(Code::Internal, "what the node says is a checkpoint is none").because(error)
    })
}

/// Asks again for a while where a node does not have the tree yet that another one has signed.
pub(super) async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Error>>,
{
    let until = Instant::now() + BEHIND_MAX;
    loop {
        match ask().await {
            Err(Error::InvalidRequest { .. }) if Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            answer => return answer.map_err(failure),
        }
    }
}
