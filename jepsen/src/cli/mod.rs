//! The command line: one file for each command.

mod campaign;
mod check;
mod export;
mod matrix;
mod mutate;
mod planted;
mod replay;
mod run;
mod synthetic;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Breaks clusters and judges what their clients saw.
#[derive(Debug, Parser)]
#[command(name = "jepsen", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Matrix(matrix::Matrix),
    Campaign(campaign::Campaign),
    Replay(replay::Replay),
    Check(check::Check),
    Export(export::Export),
    Mutate(mutate::Mutate),
    Planted(planted::Planted),
    Synthetic(synthetic::Make),
}

impl Cli {
    /// Carries the command out.
    ///
    /// # Errors
    /// When it could not do its work; a verdict other than `ok` is an exit code, not an error.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Run(command) => command.run(),
            Command::Matrix(command) => command.run(),
            Command::Campaign(command) => command.run(),
            Command::Replay(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Export(command) => command.run(),
            Command::Mutate(command) => command.run(),
            Command::Planted(command) => command.run(),
            Command::Synthetic(command) => command.run(),
        }
    }
}
