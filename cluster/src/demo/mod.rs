//! A cluster to play with: three nodes in a temporary directory, which end with the program that began them, and a
//! network between them that can be cut.
//!
//! ```text
//!   clients --> proxy of node 1 --> node 1, client address
//!   node 2  --> proxy of node 1 --> node 1, peer address
//! ```
//!
//! Every address that nodes and clients know is a proxy's, in this process; where a node really listens is known to
//! its proxies only. A node that is cut off ([`Cuts`]) neither hears nor is heard, as if its cable were pulled: bytes
//! wait, nothing is refused.
//!
//! It deliberately knows nothing of prompts: [`crate::cli`] asks for harm and prints what came of it. Start reading at
//! [`Demo`].

mod books;
mod harm;
mod load;
mod network;
mod owner;
mod proxy;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use farthing_client::Client;
use tempfile::TempDir;

use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::local::operate::{self, UpOptions};
use crate::local::{ClusterHealth, Layout, Target, Tethers, stop};

pub use books::{Books, PURSE_LEDGER, PURSES};
pub use harm::Harm;
pub use load::{LoadFigures, RATE_DEFAULT, RATE_MAX, Say};
pub use network::Cuts;

use load::Load;
use network::Network;

/// Nodes of a demo.
const NODES: u64 = 3;
/// How long the nodes may take to agree on a leader.
const START_WAIT: Duration = Duration::from_secs(60);
/// How long nodes whose directory is kept may take to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// An attempt that is not answered by then is made at another node. Shorter than the SDK's own, which is made for
/// networks that are slow and not cut on purpose.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a call may take in all.
const CALL_DEADLINE: Duration = Duration::from_secs(20);

/// A running demo. Ended by [`Demo::end`]; one that is dropped, or whose process is killed, leaves no node behind
/// either, since the nodes end with it.
#[derive(Debug)]
pub struct Demo {
    layout: Layout,
    options: UpOptions,
    network: Network,
    client: Client,
    load: Mutex<Option<Load>>,
    dir: Mutex<Option<TempDir>>,
}

impl Drop for Demo {
    /// A demo that was called off while it started; one that ended has no directory any more.
    fn drop(&mut self) {
        let dir = self.dir.get_mut().unwrap_or_else(PoisonError::into_inner);
        if dir.is_some() {
            stop::end_at_once(&self.layout, 1..=NODES);
        }
    }
}

impl Demo {
    /// Starts the nodes, and waits until they are healthy.
    ///
    /// # Errors
    /// [`Code::Process`] and [`Code::NotReachable`] when they do not start, [`Code::Io`] for the directory.
    pub async fn start(node_bin: Option<&Path>) -> Result<Self, Failure> {
        let dir = tempfile::Builder::new().prefix("farthing-demo-").tempdir();
        let dir = dir.map_err(|error| {
            Failure::new(Code::Io, "cannot make a temporary directory").because(error)
        })?;
        let layout = Layout::new(dir.path().join("cluster"));
        let options = UpOptions {
            nodes: None,
            node_bin: node_bin.map(Path::to_owned),
            wait: START_WAIT,
            tethers: Some(Arc::default()),
        };
        let network = Network::start(&layout, NODES).await?;
        let client = Client::builder()
            .endpoints(network.endpoints())
            .deadline(CALL_DEADLINE)
            .attempt_timeout(ATTEMPT_TIMEOUT)
            .build()
            .map_err(failure)?;
        let demo = Self {
            layout,
            options,
            network,
            client,
            load: Mutex::default(),
            dir: Mutex::new(Some(dir)),
        };
        if let Err(failure) = operate::up(&demo.layout, &demo.options).await {
            demo.end(false).await?;
            return Err(failure);
        }
        Ok(demo)
    }

    /// Directory of the cluster, as other commands take it.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.layout.dir()
    }

    /// What holds the nodes: those that are started with it end with this process.
    #[must_use]
    pub fn tethers(&self) -> Arc<Tethers> {
        self.options.tethers.clone().unwrap_or_default()
    }

    /// A client that is quick to look for another leader.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// What each node is doing.
    ///
    /// # Errors
    /// [`Code::NoCluster`] when the directory is gone.
    pub async fn health(&self) -> Result<ClusterHealth, Failure> {
        let description = self.layout.existing()?;
        let asker = crate::local::Asker::new(&description.endpoints())?;
        Ok(asker.local(&self.layout, &description).await)
    }

    /// Nodes that are cut off now.
    #[must_use]
    pub fn cut_off(&self) -> Vec<u64> {
        self.network.cuts().cut_off()
    }

    /// Begins a small steady load of so many transfers a second, in place of one that runs. `say` gets a line now and
    /// then.
    ///
    /// # Errors
    /// [`Code::Usage`] for a rate out of range.
    pub fn load(&self, rate: u64, say: Say) -> Result<(), Failure> {
        let load = Load::start(self.client.clone(), rate, say)?;
        *self.running_load() = Some(load);
        Ok(())
    }

    /// What the load that runs has done; `None` when none runs.
    #[must_use]
    pub fn load_figures(&self) -> Option<LoadFigures> {
        self.running_load().as_ref().map(Load::figures)
    }

    /// Ends the load; what it did, or `None` when none ran.
    pub fn stop_load(&self) -> Option<LoadFigures> {
        let load = self.running_load().take();
        load.map(|load| load.figures())
    }

    fn running_load(&self) -> MutexGuard<'_, Option<Load>> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all nodes and removes the directory, or keeps it: then the cluster can be started again there as any other.
    /// The second time there is nothing to do.
    ///
    /// # Errors
    /// [`Code::Process`] when a node cannot be ended, [`Code::Io`] when the directory cannot be removed.
    pub async fn end(&self, keep: bool) -> Result<(), Failure> {
        let dir = self
            .dir
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(dir) = dir else {
            return Ok(());
        };
        self.stop_load();
        if !keep {
            operate::kill(&self.layout, Target::All).await?;
            let path = dir.path().to_owned();
            return dir
                .close()
                .map_err(|error| Failure::io("remove", &path, &error));
        }
        let _ = dir.keep();
        self.network.cuts().heal();
        operate::resume(&self.layout, Target::All).await?;
        operate::down(&self.layout, STOP_TIMEOUT).await?;
        // The proxies go with this process, and the nodes take their places.
        self.network.without_proxies(&self.layout)
    }
}
