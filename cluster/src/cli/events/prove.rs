//! Checkpoints and proofs as a node gives them. They are shown, not checked: whoever asks a node whether it can be trusted
//! has asked the wrong one.

use std::process::ExitCode;

use clap::Args;
use farthing_client::Client;
use farthing_client::events::{InclusionProof, SignedCheckpoint};
use serde::Serialize;

use crate::connect::failure;
use crate::failure::Failure;
use crate::output::{Printer, Report, Table};

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

#[derive(Debug, Args)]
pub(in crate::cli) struct Prove {
    /// The event.
    #[arg(value_parser = clap::value_parser!(u64).range(1..), value_name = "SEQUENCE")]
    sequence: u64,
    /// The last sequence in the tree [default: that of the node's newest checkpoint].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), value_name = "SEQUENCE")]
    size: Option<u64>,
}

impl Prove {
    pub(super) async fn run(self, client: &Client, printer: Printer) -> Result<ExitCode, Failure> {
        let size = self.size.unwrap_or(0);
        let proof = client.prove_inclusion(self.sequence, size).await;
        printer.print(&Proof::new(self.sequence, &proof.map_err(failure)?))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Bytes are hexadecimal.
#[derive(Debug, Serialize)]
struct Proof {
    sequence: u64,
    event: String,
    size: u64,
    path: Vec<String>,
    root: String,
}

impl Proof {
    fn new(sequence: u64, proof: &InclusionProof) -> Self {
        Self {
            sequence,
            event: hex(&proof.event),
            size: proof.size,
            path: proof.path.iter().map(|hash| hex(hash)).collect(),
            root: hex(&proof.root),
        }
    }
}

impl Report for Proof {
    fn table(&self) -> Table {
        Table::pairs([
            ("sequence", self.sequence.to_string()),
            ("event", self.event.clone()),
            ("size", self.size.to_string()),
            ("path", self.path.join(" ")),
            ("root", self.root.clone()),
        ])
    }

    /// A proof is for programs, whoever looks at it.
    fn prose(&self) -> Option<String> {
        let text = serde_json::to_string_pretty(self).ok()?;
        Some(text + "\n")
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
