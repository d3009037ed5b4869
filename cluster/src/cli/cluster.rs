//! `farthing cluster`: a cluster on this machine.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::globals::Globals;
use super::values::duration;
use crate::connect;
use crate::failure::{Code, Failure};
use crate::local::members;
use crate::local::operate::{self, UpOptions};
use crate::local::{Asker, NODE_BIN_VARIABLE, Target};
use crate::output::Printer;

#[derive(Debug, Subcommand)]
pub(super) enum ClusterCommand {
    /// Start the nodes that do not run; make the cluster first if there is none. Returns when it is healthy.
    Up {
        /// Nodes of a new cluster, 1 to 9 [default: 3].
        #[arg(long, value_name = "COUNT")]
        nodes: Option<u64>,
        #[command(flatten)]
        start: Start,
    },
    /// Stop every node; the data stays.
    Down {
        /// How long a node may take before it is killed.
        #[arg(long, default_value = "20s", value_parser = duration, value_name = "TIME")]
        timeout: Duration,
    },
    /// Show what each node is doing.
    Status,
    /// End nodes at once, as a crash would (SIGKILL).
    Kill {
        /// A node id, `leader`, `follower` or `all`.
        target: Target,
    },
    /// Stop nodes if they run and start them again.
    Restart {
        /// A node id, `leader`, `follower` or `all`.
        target: Target,
        #[command(flatten)]
        start: Start,
    },
    /// Stop nodes in their tracks until they are resumed (SIGSTOP).
    Pause {
        /// A node id, `leader`, `follower` or `all`.
        target: Target,
    },
    /// Let paused nodes go on (SIGCONT).
    Resume {
        /// A node id or `all`.
        target: Target,
    },
    /// Add a node to the running cluster: it learns, catches up, then votes.
    Add {
        #[command(flatten)]
        start: Start,
    },
    /// Take a node out of the cluster for good and stop it; its directory is set aside.
    Remove {
        /// A node id, `leader` or `follower`.
        target: Target,
        /// How long the cluster may take to agree.
        #[arg(long, default_value = "60s", value_parser = duration, value_name = "TIME")]
        wait: Duration,
    },
    /// Put a new node in the place of one that is lost or to go, in one change.
    Replace {
        /// A node id, `leader` or `follower`.
        target: Target,
        #[command(flatten)]
        start: Start,
    },
    /// Hand leadership to another node.
    TransferLeader {
        /// The node that shall lead; any that is not behind when left out.
        to: Option<u64>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Start {
    /// The node program [default: farthing-node beside this program, else on PATH].
    #[arg(long, env = NODE_BIN_VARIABLE, value_name = "FILE")]
    node_bin: Option<PathBuf>,
    /// How long the cluster may take to become healthy.
    #[arg(long, default_value = "60s", value_parser = duration, value_name = "TIME")]
    wait: Duration,
}

impl Start {
    fn options(self, nodes: Option<u64>, globals: &Globals) -> UpOptions {
        UpOptions {
            nodes,
            node_bin: self.node_bin,
            wait: self.wait,
            tethers: globals.tethers.clone(),
        }
    }
}

impl ClusterCommand {
    pub(super) async fn run(
        self,
        globals: &Globals,
        printer: Printer,
    ) -> Result<ExitCode, Failure> {
        let layout = globals.layout();
        if !globals.endpoints.is_empty()
            && !matches!(self, Self::Status | Self::TransferLeader { .. })
        {
            return Err(Failure::new(
                Code::Usage,
                "this command works on processes of this machine, not on --endpoints",
            )
            .advise("name the cluster's directory with --dir"));
        }
        let actions = match self {
            Self::Up { nodes, start } => {
                operate::up(&layout, &start.options(nodes, globals)).await?
            }
            Self::Down { timeout } => operate::down(&layout, timeout).await?,
            Self::Kill { target } => operate::kill(&layout, target).await?,
            Self::Restart { target, start } => {
                operate::restart(&layout, target, &start.options(None, globals)).await?
            }
            Self::Pause { target } => operate::pause(&layout, target).await?,
            Self::Resume { target } => operate::resume(&layout, target).await?,
            Self::Add { start } => members::add(&layout, &start.options(None, globals)).await?,
            Self::Remove { target, wait } => members::remove(&layout, target, wait).await?,
            Self::Replace { target, start } => {
                members::replace(&layout, target, &start.options(None, globals)).await?
            }
            Self::Status => {
                let health = if globals.endpoints.is_empty() {
                    let description = layout.existing()?;
                    Asker::new(&description.endpoints())?
                        .local(&layout, &description)
                        .await
                } else {
                    Asker::new(&globals.endpoints)?
                        .remote(&globals.endpoints)
                        .await
                };
                printer.print(&health)?;
                return Ok(ExitCode::SUCCESS);
            }
            Self::TransferLeader { to } => {
                let client = globals.connect().await?;
                let leader = connect::transfer_leader(&client, to).await?;
                printer.print(&leader)?;
                return Ok(ExitCode::SUCCESS);
            }
        };
        printer.print(&actions)?;
        Ok(ExitCode::SUCCESS)
    }
}
