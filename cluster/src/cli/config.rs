//! `farthing config`: the configuration of a node.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use crate::failure::{Code, Failure};
use crate::local::NODE_BIN_VARIABLE;
use crate::node_program::NodeProgram;
use crate::output::Printer;
use crate::settings::{Checked, Settings, Shown};

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Say what is wrong with a node's configuration, all of it at once.
    Check {
        /// The TOML file.
        file: PathBuf,
        /// The node program [default: farthing-node beside this program, else on PATH].
        #[arg(long, env = NODE_BIN_VARIABLE, value_name = "FILE")]
        node_bin: Option<PathBuf>,
    },
    /// Show every setting of a node with the value it would go by.
    Show {
        /// The TOML file; without, what the environment and the defaults come to.
        file: Option<PathBuf>,
        /// Show where each value comes from: the file and its line, a variable, a flag, the default.
        #[arg(long)]
        origin: bool,
        /// The node program [default: farthing-node beside this program, else on PATH].
        #[arg(long, env = NODE_BIN_VARIABLE, value_name = "FILE")]
        node_bin: Option<PathBuf>,
        /// Flags that the node would be started with, after `--`.
        #[arg(last = true)]
        flags: Vec<OsString>,
    },
}

impl ConfigCommand {
    pub(super) fn run(self, printer: Printer) -> Result<ExitCode, Failure> {
        match self {
            Self::Check { file, node_bin } => {
                let found = look(Some(file), node_bin, vec![])?;
                let (ok, count) = (found.ok, found.problems.len());
                printer.print(&Checked(found))?;
                verdict(ok, count)
            }
            Self::Show {
                file,
                origin,
                node_bin,
                flags,
            } => {
                let found = look(file, node_bin, flags)?;
                let wrong = Checked(found.clone());
                printer.print(&Shown {
                    settings: found,
                    origin,
                })?;
                if !wrong.0.ok {
                    printer.say("")?;
                    printer.say(printer.render(&wrong)?.trim_end())?;
                }
                verdict(wrong.0.ok, wrong.0.problems.len())
            }
        }
    }
}

fn look(
    file: Option<PathBuf>,
    node_bin: Option<PathBuf>,
    flags: Vec<OsString>,
) -> Result<Settings, Failure> {
    let program = NodeProgram::find(node_bin.as_deref())?;
    let mut arguments = flags;
    if let Some(file) = file {
        arguments.extend(["--config".into(), file.into()]);
    }
    arguments.push("settings".into());
    program.ask(arguments)
}

fn verdict(ok: bool, count: usize) -> Result<ExitCode, Failure> {
    if ok {
        return Ok(ExitCode::SUCCESS);
    }
    let things = if count == 1 {
        "one thing is"
    } else {
        "several things are"
    };
    Err(Failure::new(
        Code::CheckFailed,
        format!("a node would not start with it: {things} wrong"),
    )
    .advise("`farthing-node --help` tells what each setting is"))
}
