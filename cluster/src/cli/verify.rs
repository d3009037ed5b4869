//! `farthing verify`: the books of every node, and files that prove what happened.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use farthing_proofs::Verifier;
use farthing_proofs::check::command::read_keys;

use super::globals::Globals;
use super::values::duration;
use crate::failure::{Code, Failure};
use crate::output::Printer;
use crate::verify::{self, check_files, keys_in_the_log};

/// Checks the books on every node of the cluster: each node reads its whole state and checks the invariants, debits
/// must equal credits on every ledger, and all nodes must have the same digest at the same applied index.
///
/// With --proof it checks files instead: exported histories, of which no line may have been altered or left out, and
/// proofs of single events. They are checked by the keys that are given, or by those in the log of the cluster;
/// farthing-verify does the same without any cluster.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// How long to try to catch the nodes at equal indexes.
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
    wait: Duration,
    /// An exported history or a proof to check; several exports must be one history, in order. `-` is standard input.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    proof: Vec<PathBuf>,
    /// A key to trust, NAME+HASH+KEY as `farthing events checkpoint` shows it; without one, those in the cluster's log.
    #[arg(long = "key", value_name = "KEY", requires = "proof")]
    keys: Vec<Verifier>,
    /// A file with such keys, one a line.
    #[arg(long = "key-file", value_name = "FILE", requires = "proof")]
    key_files: Vec<PathBuf>,
    /// Check every export alone: they need not be one history.
    #[arg(long, requires = "proof")]
    separate: bool,
}

impl VerifyArgs {
    pub(super) async fn run(
        self,
        globals: &Globals,
        printer: Printer,
    ) -> Result<ExitCode, Failure> {
        if !self.proof.is_empty() {
            return self.check_proofs(globals, printer).await;
        }
        let client = globals.connect().await?;
        let members = verify::members(&client).await?;
        let report = verify::verify(&client, &members, self.wait).await?;
        printer.print(&report)?;
        if report.ok {
            return Ok(ExitCode::SUCCESS);
        }
        Err(Failure::new(Code::CheckFailed, "the books are not right")
            .because(report.findings.join("; "))
            .advise("stop writing to the cluster, keep every node's directory as it is, and find out which node differs"))
    }

    async fn check_proofs(self, globals: &Globals, printer: Printer) -> Result<ExitCode, Failure> {
        let mut keys = read_keys(&self.keys, &self.key_files)
            .map_err(|why| Failure::new(Code::Usage, "the keys cannot be read").because(why))?;
        if keys.is_empty() {
            keys = keys_in_the_log(&globals.connect().await?).await?;
        }
        let report = check_files(self.proof, keys, self.separate).await?;
        printer.print(&report)?;
        if report.ok {
            return Ok(ExitCode::SUCCESS);
        }
        let wrong = report
            .files
            .iter()
            .filter(|file| file.verdict != "verified");
        let names: Vec<&str> = wrong.map(|file| file.file.as_str()).collect();
        Err(Failure::new(Code::CheckFailed, "not everything is what was signed")
            .because(format!("see {}", names.join(", ")))
            .advise("keep the file, export the same range again from another node, and compare the two"))
    }
}
