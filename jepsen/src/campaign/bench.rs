//! A cluster for figures: nodes with nothing of ours in between, and questions to them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use farthing_proto::v1::admin_client::AdminClient;
use farthing_proto::v1::{Role, StatusReply, StatusRequest};
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Endpoint;

use crate::hosts::{Cluster, Layout, Output};

/// A node that is paused does not answer at all.
const ANSWER: Duration = Duration::from_millis(300);

/// What a measured campaign is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The node program.
    pub program: PathBuf,
    /// Number of nodes.
    pub nodes: u64,
    /// Folder for the nodes' directories and logs; must not exist yet.
    pub dir: PathBuf,
    /// File of results.
    pub results: PathBuf,
    /// How often.
    pub count: u64,
    /// Transfers sent a second, whatever the answers take.
    pub rate: u32,
    /// Transfers in one request.
    pub batch: u32,
    /// Seed of every choice.
    pub seed: u64,
}

/// A cluster that runs.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) cluster: Cluster,
}

impl Bench {
    /// Starts the nodes and waits for a leader.
    pub(super) async fn start(setup: &Setup) -> anyhow::Result<Self> {
        if setup.dir.exists() {
            bail!("{} is there already", setup.dir.display());
        }
        std::fs::create_dir_all(&setup.dir)?;
        let layout = Layout {
            nodes: setup.nodes,
            program: setup.program.clone(),
            dir: setup.dir.canonicalize()?,
            flags: Vec::new(),
            namespaces: None,
            has_disks: false,
            has_spare: false,
            has_clocks: false,
            is_direct: true,
        };
        let cluster = Cluster::prepare(&layout).await;
        let cluster = cluster.context("the nodes cannot be laid out")?;
        for id in cluster.ids() {
            let started = cluster.start(id, Output::Log);
            started.context("the node program cannot be started")?;
        }
        let bench = Self { cluster };
        bench.wait_level(Duration::from_secs(60)).await?;
        Ok(bench)
    }

    pub(super) async fn status(&self, id: u64) -> Option<StatusReply> {
        let address = format!("http://{}", self.cluster.node(id).direct);
        let endpoint = Endpoint::from_shared(address).ok()?.connect_timeout(ANSWER);
        let ask = async {
            let mut admin = AdminClient::connect(endpoint).await.ok()?;
            Some(admin.status(StatusRequest {}).await.ok()?.into_inner())
        };
        timeout(ANSWER, ask).await.ok()?
    }

    /// Every node's status, `None` for those that do not answer.
    pub(super) async fn statuses(&self) -> Vec<Option<StatusReply>> {
        let mut all = Vec::new();
        for id in self.cluster.ids() {
            all.push(self.status(id).await);
        }
        all
    }

    /// Who leads.
    pub(super) async fn leader(&self) -> Option<u64> {
        let statuses = self.statuses().await;
        let leads = |it: &&StatusReply| it.role() == Role::Leader;
        let leader = statuses.iter().flatten().filter(leads);
        leader.max_by_key(|it| it.term).map(|it| it.node_id)
    }

    /// Waits until one leads, and all have applied nearly what is committed.
    pub(super) async fn wait_level(&self, longest: Duration) -> anyhow::Result<u64> {
        let until = Instant::now() + longest;
        loop {
            let statuses = self.statuses().await;
            let committed = statuses.iter().flatten().map(|it| it.committed_index).max();
            let level = |it: &StatusReply| {
                matches!(it.role(), Role::Leader | Role::Follower)
                    && it.applied_index + 200 >= committed.unwrap_or(0)
            };
            let leader = statuses
                .iter()
                .flatten()
                .find(|it| it.role() == Role::Leader);
            if let Some(leader) = leader
                && statuses.iter().all(|it| it.as_ref().is_some_and(level))
            {
                return Ok(leader.node_id);
            }
            if Instant::now() > until {
                bail!("not all nodes serve after {longest:?}; see their logs");
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until all nodes have applied the same, and returns how many transfers each has.
    pub(super) async fn transfer_counts(&self, longest: Duration) -> anyhow::Result<Vec<u64>> {
        let until = Instant::now() + longest;
        loop {
            let statuses: Vec<_> = self.statuses().await.into_iter().flatten().collect();
            let first = statuses.first().map(|it| it.applied_index);
            let equal = statuses.len() == self.cluster.nodes.len()
                && statuses.iter().all(|it| {
                    Some(it.applied_index) == first && it.applied_index == it.committed_index
                });
            if equal {
                return Ok(statuses.iter().map(|it| it.transfer_count).collect());
            }
            if Instant::now() > until {
                bail!("the nodes do not agree after {longest:?}");
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Ends the nodes and removes what they wrote, but not when it is wanted for a look.
    pub(super) fn end(self, dir: &Path, keep: bool) -> anyhow::Result<()> {
        self.cluster.close();
        drop(self);
        if !keep {
            std::fs::remove_dir_all(dir)?;
        }
        Ok(())
    }
}

/// One line of progress, at once.
pub(super) fn tell(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads it: no reason to stop.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
