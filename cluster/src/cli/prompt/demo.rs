//! `farthing demo`: a prompt on nodes of its own, with words that break them.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::{Args, Subcommand};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use super::super::globals::Globals;
use super::language::Language;
use super::{INTERRUPTED, Prompt};
use crate::demo::{Books, Demo, PURSE_LEDGER, PURSES, RATE_DEFAULT};
use crate::failure::Failure;
use crate::local::{NODE_BIN_VARIABLE, Target};
use crate::output::{self, Printer};

/// Exit status of what was ended by SIGTERM, as of a shell.
const TERMINATED: u8 = 143;

/// Three nodes to play with, in a temporary directory, with sample ledgers, accounts and payments, and a prompt whose
/// words can kill, pause and cut off nodes and show how long writes took to go on.
///
/// `exit`, Ctrl-D, Ctrl-C at the prompt, or the end of a pipe end the nodes and remove the directory. When the demo
/// itself is killed, its nodes end too.
#[derive(Debug, Args)]
pub(in crate::cli) struct DemoArgs {
    /// Keep the directory; `farthing --dir DIR cluster up` starts the nodes again.
    #[arg(long)]
    keep: bool,
    /// From a pipe: go on after a command that failed, and end with the exit status of the first.
    #[arg(long)]
    keep_going: bool,
    /// The node program [default: farthing-node beside this program, else on PATH].
    #[arg(long, env = NODE_BIN_VARIABLE, value_name = "FILE")]
    node_bin: Option<PathBuf>,
}

/// What can be said in a demo only.
#[derive(Debug, Subcommand)]
pub(super) enum DemoWord {
    /// End the node that leads, as a crash would; see how long writes take to go on.
    KillLeader,
    /// End a node, as a crash would.
    Kill {
        /// A node id, `leader`, `follower` or `all`.
        target: Target,
    },
    /// Start a node that does not run; stop and start one that does.
    Restart {
        /// A node id or `all`.
        target: Target,
    },
    /// Stop a node in its tracks.
    Pause {
        /// A node id, `leader`, `follower` or `all`.
        target: Target,
    },
    /// Let a paused node go on.
    Resume {
        /// A node id or `all`.
        target: Target,
    },
    /// Cut a node off from the others and from clients, as if its cable were pulled.
    Partition {
        /// A node id, `leader`, `follower` or `all`.
        target: Target,
    },
    /// Connect all nodes again.
    Heal,
    /// Show what each node is doing, who is cut off, and how the load goes.
    Status,
    /// A small steady load in the background.
    #[command(subcommand)]
    Load(LoadWord),
}

#[derive(Debug, Subcommand)]
pub(super) enum LoadWord {
    /// Begin to send so many transfers a second, and tell every two seconds how many are acknowledged.
    Start {
        /// Transfers a second.
        #[arg(default_value_t = RATE_DEFAULT)]
        rate: u64,
    },
    /// End it, and tell what it did.
    Stop,
}

impl DemoArgs {
    pub(in crate::cli) fn run(
        self,
        mut globals: Globals,
        runtime: &Runtime,
    ) -> Result<ExitCode, Failure> {
        let at_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        let ending = Ending::watch(runtime)?;
        let begun = Instant::now();
        output::tell("Starting three nodes ...");
        let demo = runtime.block_on(async {
            tokio::select! {
                demo = Demo::start(self.node_bin.as_deref()) => demo.map(Some),
                // Whatever was started ends with this process; the directory goes with what is dropped here.
                () = ending.asked() => Ok(None),
            }
        })?;
        let Some(demo) = demo else {
            return Ok(ExitCode::from(INTERRUPTED));
        };
        let demo = Arc::new(demo);
        ending.ends(&demo, self.keep);
        globals.dir = demo.dir().to_owned();
        globals.endpoints = Vec::new();
        globals.tethers = Some(demo.tethers());
        let played = runtime.block_on(introduce(&demo, begun)).and_then(|()| {
            let language = Language {
                globals,
                demo: true,
            };
            let mut prompt = Prompt::new(language, runtime, Some(Arc::clone(&demo)));
            if at_terminal {
                // From here on Ctrl-C is a key, or ends one command.
                ending.leave_interrupts_alone();
                prompt.at_terminal("demo> ")
            } else {
                prompt.at_pipe(self.keep_going)
            }
        });
        runtime.block_on(demo.end(self.keep))?;
        if self.keep {
            output::tell(format!(
                "The nodes have stopped. `farthing --dir {} cluster up` starts them again.",
                demo.dir().display()
            ));
        } else {
            output::tell("The nodes have ended and their directory is removed.");
        }
        played
    }
}

/// Writes what the demo begins with and says what can be done with it.
async fn introduce(demo: &Demo, begun: Instant) -> Result<(), Failure> {
    let health = demo.health().await?;
    output::tell(format!(
        "They run in {}, and node {} leads ({}).",
        demo.dir().display(),
        health.leader.unwrap_or(0),
        output::duration(begun.elapsed())
    ));
    let books = Books::write(demo.client(), demo.dir()).await?;
    let payments = &books.payments;
    output::tell(format!(
        "Ledger 840 holds {} sample payments of {} {}, imported at {} a second.",
        output::count(payments.rows),
        payments.amount,
        payments.currency,
        output::count(payments.transfers_per_second)
    ));
    let purses: Vec<String> = PURSES
        .iter()
        .map(|(id, what)| format!("{id} ({what})"))
        .collect();
    output::tell(format!(
        "Ledger {PURSE_LEDGER} (EUR) has accounts {}.\n\nTry\n  \
         account get 1 2\n  \
         transfer create --debit 1 --credit 2 --amount 12.50 --ledger {PURSE_LEDGER} --code 1\n  \
         transfer create --debit 1 --credit 2 --amount 500 --ledger {PURSE_LEDGER} --code 1    refused: `explain exceeds_credits`\n  \
         load start\n  \
         kill-leader\n  \
         status\n  \
         restart all\n  \
         verify\n\n\
         `help` lists all commands, Tab completes. `exit`, Ctrl-D or Ctrl-C ends the nodes.\n",
        purses.join(", "),
    ));
    Ok(())
}

impl DemoWord {
    pub(super) async fn run(self, prompt: &Prompt<'_>, settings: &Globals) -> Result<u8, Failure> {
        // The words are part of the language only where there is a demo.
        let Some(demo) = prompt.demo.as_deref() else {
            return Ok(0);
        };
        let printer = Printer::new(settings.output);
        let harm = match self {
            Self::KillLeader => demo.kill(Target::Leader).await?,
            Self::Kill { target } => demo.kill(target).await?,
            Self::Restart { target } => demo.restart(target).await?,
            Self::Pause { target } => demo.pause(target).await?,
            Self::Resume { target } => demo.resume(target).await?,
            Self::Partition { target } => demo.partition(target).await?,
            Self::Heal => demo.heal().await?,
            Self::Status => {
                printer.print(&demo.health().await?)?;
                for id in demo.cut_off() {
                    printer.say(&format!("Node {id} is cut off; `heal` connects it again."))?;
                }
                if let Some(figures) = demo.load_figures() {
                    printer.say(&format!(
                        "The load sends {} transfers a second; {} are acknowledged.",
                        figures.rate,
                        output::count(figures.acknowledged)
                    ))?;
                }
                return Ok(0);
            }
            Self::Load(LoadWord::Start { rate }) => {
                demo.load(rate, Arc::clone(&prompt.say))?;
                printer.say(&format!(
                    "{rate} transfers a second are sent from now on; `load stop` ends it."
                ))?;
                return Ok(0);
            }
            Self::Load(LoadWord::Stop) => {
                match demo.stop_load() {
                    Some(figures) => printer.print(&figures)?,
                    None => printer.say("No load runs.")?,
                }
                return Ok(0);
            }
        };
        printer.print(&harm)?;
        Ok(0)
    }
}

/// Ends the demo when the system asks for it.
struct Ending {
    runtime: tokio::runtime::Handle,
    interrupts: Arc<AtomicBool>,
    asked: tokio::sync::watch::Receiver<Option<u8>>,
}

impl Ending {
    /// Listens for signals from now on.
    fn watch(runtime: &Runtime) -> Result<Self, Failure> {
        let _inside = runtime.enter();
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(crate::failure::Code::Internal, "cannot listen for signals")
                    .because(error)
            })
        };
        let mut terminate = listen(SignalKind::terminate())?;
        let mut hang_up = listen(SignalKind::hangup())?;
        let mut interrupt = listen(SignalKind::interrupt())?;
        let interrupts = Arc::new(AtomicBool::new(true));
        let (ask, asked) = tokio::sync::watch::channel(None);
        let heeded = Arc::clone(&interrupts);
        runtime.spawn(async move {
            let status = loop {
                tokio::select! {
                    _ = terminate.recv() => break TERMINATED,
                    _ = hang_up.recv() => break TERMINATED,
                    _ = interrupt.recv() => if heeded.load(Ordering::Relaxed) { break INTERRUPTED },
                }
            };
            let _ = ask.send(Some(status));
            // A dropped sender would look like a signal to whoever waits after it.
            std::future::pending::<()>().await;
        });
        Ok(Self {
            runtime: runtime.handle().clone(),
            interrupts,
            asked,
        })
    }

    /// Resolves when the demo is to end.
    async fn asked(&self) {
        let _ = self.asked.clone().wait_for(Option::is_some).await;
    }

    /// From now on a signal ends the nodes and this process, whatever it is doing.
    fn ends(&self, demo: &Arc<Demo>, keep: bool) {
        let mut asked = self.asked.clone();
        let demo = Arc::clone(demo);
        // A line is read in raw mode; whoever used the terminal before gets it back as it was.
        let terminal = tcgetattr(io::stdin()).ok();
        self.runtime.spawn(async move {
            let status = match asked.wait_for(Option::is_some).await {
                Ok(status) => status.unwrap_or(TERMINATED),
                Err(_) => return,
            };
            if let Err(failure) = demo.end(keep).await {
                output::print_failure(&failure, output::Format::Table);
            }
            if let Some(terminal) = terminal {
                let _ = tcsetattr(io::stdin(), OptionalActions::Now, &terminal);
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "main waits for a key that may never come"
            )]
            std::process::exit(i32::from(status));
        });
    }

    fn leave_interrupts_alone(&self) {
        self.interrupts.store(false, Ordering::Relaxed);
    }
}
