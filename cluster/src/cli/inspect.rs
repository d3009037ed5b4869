//! `farthing inspect`: a node's directory, offline.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;

use crate::failure::{Code, Failure};
use crate::inspect::Inspection;
use crate::local::NODE_BIN_VARIABLE;
use crate::node_program::NodeProgram;
use crate::output::Printer;

/// Shows what a node's directory holds while no node runs on it: whose it is, its log, its state, its snapshots. It
/// changes nothing. The log is read with all its checksums in any case.
#[derive(Debug, Args)]
pub(super) struct InspectArgs {
    /// The directory that the node's setting `dir` names: of a local cluster, DIR/node-1/data.
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// Read state and snapshots as a whole with their checksums too, and look for all that can be known wrong without
    /// another node.
    #[arg(long)]
    verify: bool,
    /// The node program [default: farthing-node beside this program, else on PATH].
    #[arg(long, env = NODE_BIN_VARIABLE, value_name = "FILE")]
    node_bin: Option<PathBuf>,
}

/// What is answered instead of a report.
#[derive(Deserialize)]
struct Refused {
    refused: String,
    what: String,
}

impl InspectArgs {
    pub(super) fn run(self, printer: Printer) -> Result<ExitCode, Failure> {
        let program = NodeProgram::find(self.node_bin.as_deref())?;
        // The directory of a node of a local cluster holds the node's own below `data`.
        let inner = self.data.join("data");
        let data = if self.data.join("node.toml").exists() && inner.is_dir() {
            inner
        } else {
            self.data
        };
        let mut arguments: Vec<OsString> = vec!["inspect".into(), data.into()];
        if self.verify {
            arguments.push("--verify".into());
        }
        let answer: serde_json::Value = program.ask(arguments)?;
        if let Ok(refused) = Refused::deserialize(&answer) {
            return Err(refusal(&refused.refused, refused.what));
        }
        let report: Inspection = serde_json::from_value(answer).map_err(|error| {
            Failure::new(Code::Process, "the node program's answer cannot be read")
                .because(error)
                .advise("farthing and farthing-node must be of one version")
        })?;
        printer.print(&report)?;
        if report.ok {
            return Ok(ExitCode::SUCCESS);
        }
        Err(
            Failure::new(Code::CheckFailed, "something is wrong with the directory")
                .because(report.problems.first().map_or("", String::as_str))
                .advise(
                    "keep a copy of it; with other nodes the node repairs itself at its next start, \
                     without them restore a backup",
                ),
        )
    }
}

fn refusal(refused: &str, what: String) -> Failure {
    match refused {
        "in_use" => Failure::new(Code::Busy, what)
            .advise("stop the node first, or ask it: `farthing cluster status`, `farthing verify`"),
        "not_a_node" => Failure::new(Code::NotFound, what)
            .advise("name the directory of the setting `dir`, such as farthing-data/node-1/data"),
        _ => Failure::new(Code::Io, what),
    }
}
