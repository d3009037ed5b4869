//! The command line: flags in, answers out. Each subcommand is one file that parses its flags, calls the library and
//! prints the report; no decision is made here that a test of the library could not see.

mod account;
mod account_rows;
mod bench;
mod chain;
mod cluster;
mod config;
mod events;
mod explain;
mod globals;
mod id;
mod import;
mod inspect;
mod items;
mod ledger;
mod listing;
mod man;
mod past_rows;
mod prompt;
mod reconcile;
pub mod reference;
mod sink;
mod statement;
mod transfer;
mod transfer_rows;
mod values;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::failure::{Code, Failure};
use crate::output::{self, Format, Printer};

use globals::Globals;

/// Everything a person or a script does with Farthing, a replicated double-entry ledger.
#[derive(Debug, Parser)]
#[command(name = "farthing", version, max_term_width = 100)]
#[command(
    after_help = "Every flag can be given as an environment variable too; `--help` names it. \
                        Exit status: 0 done, 1 the answer is no, 2 wrong call, 3 the cluster did not answer or \
                        refused, 4 outcome unknown, 5 bad input file, 6 trouble on this machine."
)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    #[command(flatten)]
    Everyday(Everyday),
    /// A prompt on a cluster: the same commands without `farthing`, with completion and history.
    Repl(prompt::ReplArgs),
    /// Three nodes to play with in a temporary directory, and a prompt that can break them.
    Demo(prompt::DemoArgs),
    /// Print the completion script of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages, one for each command.
    Man {
        /// Where to write them, such as ~/.local/share/man/man1; made if it is not there.
        #[arg(value_name = "DIR")]
        pages: PathBuf,
    },
}

/// Commands that work from a shell and at a prompt alike.
#[derive(Debug, Subcommand)]
enum Everyday {
    /// Start, stop and look after a cluster on this machine.
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Register ledgers: a number with its currency and its decimals.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Create and look up accounts.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Create and look up transfers.
    #[command(subcommand)]
    Transfer(transfer::TransferCommand),
    /// Follow every change of the ledger as it happens, and prove that it did.
    #[command(subcommand)]
    Events(events::EventsCommand),
    /// Deliver every change of the ledger to files, webhooks, NATS JetStream or Kafka.
    #[command(subcommand)]
    Sink(sink::SinkCommand),
    /// Load payments from a CSV file; a second run changes nothing.
    Import(Box<import::ImportArgs>),
    /// Compare a bank's or a rail's statement with an account.
    ///
    /// The statement's entries are compared with the account's settled transfers: one with one, one with several and several
    /// with one, by id, user data, amount and time. Nothing is changed.
    ///
    /// Every entry of both sides is matched, different, missing (the ledger has not got it), extra (the statement has not
    /// got it), ambiguous (a person must choose) or outside (the ledger has it before or behind the statement's period).
    /// Exit status 0 if all that the statement covers is matched and its own balances and sums are right, 1 if not; with any
    /// other status nothing was compared.
    ///
    /// The transfers are those of the period and of the window around it, as they were at one moment. Both sides are kept in
    /// memory: about 400 bytes for an entry and its transfer together, 2 GB at the default of --entries-max.
    Reconcile(Box<reconcile::ReconcileArgs>),
    /// Check the books on every node: debits equal credits, equal digest at equal index.
    Verify(verify::VerifyArgs),
    /// Measure throughput and latency, then check that no cent is missing.
    Bench(Box<bench::BenchArgs>),
    /// Make an id, or derive the one an import gave to a name.
    #[command(subcommand)]
    Id(id::IdCommand),
    /// Tell what a status or a code means, why it happens and what to do.
    Explain(explain::ExplainArgs),
    /// Check and show the configuration of a node.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Show what a node's directory holds, while the node is stopped; changes nothing.
    Inspect(inspect::InspectArgs),
}

impl Everyday {
    async fn run(self, globals: &Globals) -> Result<ExitCode, Failure> {
        let printer = Printer::new(globals.output);
        match self {
            Self::Cluster(command) => command.run(globals, printer).await,
            Self::Ledger(command) => command.run(globals, printer).await,
            Self::Account(command) => command.run(globals, printer).await,
            Self::Transfer(command) => command.run(globals, printer).await,
            Self::Events(command) => command.run(globals, printer).await,
            Self::Sink(command) => command.run(globals, printer).await,
            Self::Import(args) => args.run(globals, printer).await,
            Self::Reconcile(args) => args.run(globals, printer).await,
            Self::Verify(args) => args.run(globals, printer).await,
            Self::Bench(args) => args.run(globals, printer).await,
            Self::Id(command) => command.run(printer),
            Self::Explain(args) => args.run(printer),
            Self::Config(command) => command.run(printer),
            Self::Inspect(args) => args.run(printer),
        }
    }
}

/// The whole command line as clap sees it, with an environment variable for every flag.
#[must_use]
pub fn command() -> Command {
    with_environment(Cli::command(), "FARTHING")
}

/// Gives each flag of a command and of its subcommands the variable `FARTHING_<SUBCOMMANDS>_<FLAG>`, unless the flag
/// names one itself. Done in one place so that no flag can be forgotten.
fn with_environment(command: Command, prefix: &str) -> Command {
    command
        .mut_args(|arg| {
            let Some(long) = arg.get_long() else {
                return arg;
            };
            if arg.get_env().is_some() || matches!(long, "help" | "version") {
                return arg;
            }
            let variable = format!("{prefix}_{}", long.replace('-', "_").to_uppercase());
            arg.env(variable)
        })
        .mut_subcommands(|subcommand| {
            let name = subcommand.get_name().replace('-', "_").to_uppercase();
            with_environment(subcommand, &format!("{prefix}_{name}"))
        })
}

/// Runs the program: parses the command line, does what it says, prints what came of it.
#[must_use]
pub fn main() -> ExitCode {
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // clap writes help and version to standard output and mistakes to standard error, and knows the status.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let format = format_of(&matches);
    match run(&matches) {
        Ok(status) => status,
        Err(failure) => {
            output::print_failure(&failure, format);
            ExitCode::from(failure.code.exit_status())
        }
    }
}

fn format_of(matches: &ArgMatches) -> Format {
    matches
        .get_one::<Format>("output")
        .copied()
        .unwrap_or_default()
}

fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let internal =
        |error: &dyn std::fmt::Display| Failure::new(Code::Internal, "cannot start").because(error);
    let cli = Cli::from_arg_matches(matches).map_err(|error| internal(&error))?;
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| internal(&error))
    };
    let (runtime, outcome) = match cli.command {
        Subcommands::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command(), "farthing", &mut script);
            output::write_stdout(&script)?;
            return Ok(ExitCode::SUCCESS);
        }
        Subcommands::Man { pages } => return man::write(&pages),
        Subcommands::Everyday(everyday) => {
            let runtime = runtime()?;
            let outcome = runtime.block_on(everyday.run(&cli.globals));
            (runtime, outcome)
        }
        Subcommands::Repl(args) => {
            let runtime = runtime()?;
            let outcome = args.run(cli.globals, &runtime);
            (runtime, outcome)
        }
        Subcommands::Demo(args) => {
            let runtime = runtime()?;
            let outcome = args.run(cli.globals, &runtime);
            (runtime, outcome)
        }
    };
    // Whatever a background task still waits for must not keep the answer from the caller.
    runtime.shutdown_background();
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn every_flag_has_a_variable_of_its_own() {
        fn collect(command: &Command, found: &mut Vec<(String, String)>) {
            for arg in command.get_arguments() {
                let Some(long) = arg
                    .get_long()
                    .filter(|long| !matches!(*long, "help" | "version"))
                else {
                    continue;
                };
                let variable = arg
                    .get_env()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                found.push((variable, format!("{} --{long}", command.get_name())));
            }
            command
                .get_subcommands()
                .for_each(|subcommand| collect(subcommand, found));
        }
        let mut found = Vec::new();
        collect(&command(), &mut found);
        assert!(found.len() > 30, "{found:?}");
        assert!(
            found
                .iter()
                .all(|(variable, _)| variable.starts_with("FARTHING_")),
            "{found:?}"
        );
        let mut variables: Vec<_> = found
            .iter()
            .map(|(variable, _)| variable.as_str())
            .collect();
        variables.sort_unstable();
        variables.dedup();
        // The node program is the one flag that several commands share.
        let shared = found
            .iter()
            .filter(|(variable, _)| variable == "FARTHING_NODE_BIN")
            .count();
        assert_eq!(variables.len(), found.len() + 1 - shared);
    }
}
