//! Flags that every command has.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Args;
use farthing_client::Client;

use super::values::duration;
use crate::connect;
use crate::failure::Failure;
use crate::local::{Layout, Tethers};
use crate::output::Format;

/// Flags that every command has.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Globals {
    /// How the answer is written.
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(super) output: Format,
    /// Directory of a cluster on this machine; its nodes are the endpoints unless some are given.
    #[arg(
        long,
        global = true,
        default_value = "farthing-data",
        value_name = "DIR"
    )]
    pub(super) dir: PathBuf,
    /// Client addresses of nodes, HOST:PORT, separated by commas; one is enough to find the others.
    #[arg(long, global = true, value_delimiter = ',', value_name = "ADDRESSES")]
    pub(super) endpoints: Vec<String>,
    /// How long one call may take, such as 10s or 500ms.
    #[arg(long, global = true, default_value = "10s", value_parser = duration, value_name = "TIME")]
    pub(super) deadline: Duration,
    /// The connection that commands of one prompt share.
    #[arg(skip)]
    pub(super) kept: Kept,
    /// Holds nodes that end with this process, in a demo.
    #[arg(skip)]
    pub(super) tethers: Option<Arc<Tethers>>,
}

/// A connection kept from one command to the next, while they ask for the same one. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<Mutex<Option<Connection>>>);

#[derive(Clone, Debug)]
struct Connection {
    /// What was asked for: the nodes that were given, or those of the cluster then.
    endpoints: Vec<String>,
    client: Client,
}

impl Kept {
    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Globals {
    pub(super) fn layout(&self) -> Layout {
        Layout::new(&self.dir)
    }

    /// The endpoints given, else those of the local cluster.
    ///
    /// # Errors
    /// [`crate::failure::Code::NoCluster`] when there are neither.
    pub(super) fn endpoints(&self) -> Result<Vec<String>, Failure> {
        if !self.endpoints.is_empty() {
            return Ok(self.endpoints.clone());
        }
        Ok(self.layout().existing()?.endpoints())
    }

    /// A client of the cluster.
    ///
    /// # Errors
    /// As [`Globals::endpoints`], and when no node answers.
    pub(super) async fn connect(&self) -> Result<Client, Failure> {
        let endpoints = self.endpoints()?;
        let kept = self.kept.lock().clone();
        if let Some(kept) = kept
            && kept.endpoints == endpoints
        {
            return Ok(kept.client.with_deadline(self.deadline));
        }
        let client = connect::connect(&endpoints, self.deadline).await?;
        *self.kept.lock() = Some(Connection {
            endpoints,
            client: client.clone(),
        });
        Ok(client)
    }
}
