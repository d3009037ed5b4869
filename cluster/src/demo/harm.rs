//! What is done to nodes on purpose, and how long writes took to go on.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::{Demo, books};
use crate::connect::may_pass;
use crate::failure::{Code, Failure};
use crate::local::operate;
use crate::local::{Actions, Target};
use crate::output::{self, Report, Table};

/// What happened, and how writes fared.
#[derive(Clone, Debug, Serialize)]
pub struct Harm {
    /// What was done, a sentence.
    pub what: String,
    /// Milliseconds from then until a write was acknowledged; `None` when none was while it was tried.
    pub write_acknowledged_after_ms: Option<u64>,
    /// The leader afterwards.
    pub leader: Option<u64>,
    /// Its term.
    pub term: u64,
    /// What to do when no write gets through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Report for Harm {
    fn table(&self) -> Table {
        let after = self.write_acknowledged_after_ms;
        Table::pairs([
            ("what", self.what.clone()),
            (
                "write acknowledged after ms",
                after.map(|ms| ms.to_string()).unwrap_or_default(),
            ),
            (
                "leader",
                self.leader.map(|id| id.to_string()).unwrap_or_default(),
            ),
            ("term", self.term.to_string()),
        ])
    }

    fn prose(&self) -> Option<String> {
        let writes = match self.write_acknowledged_after_ms {
            Some(ms) => format!(
                "The next write was acknowledged {} later.",
                output::duration(Duration::from_millis(ms))
            ),
            None => format!(
                "No write was acknowledged within {}: {}.",
                output::duration(PATIENCE),
                self.advice.as_deref().unwrap_or("see `status`")
            ),
        };
        let leader = match self.leader {
            Some(id) => format!(" Node {id} leads in term {}.", self.term),
            None => " No node leads.".to_owned(),
        };
        Some(format!("{}\n{writes}{leader}\n", self.what))
    }
}

/// How long a write is tried before it is said that none gets through.
const PATIENCE: Duration = Duration::from_secs(10);

impl Demo {
    /// Ends nodes at once, as a crash would.
    ///
    /// # Errors
    /// [`crate::failure::Code::NotFound`] for an unknown node or when nobody leads, [`crate::failure::Code::Process`].
    pub async fn kill(&self, target: Target) -> Result<Harm, Failure> {
        let leader = self.health().await?.leader;
        let begun = Instant::now();
        let done = operate::kill(&self.layout, target).await?;
        Ok(self.after(&done, leader, begun).await)
    }

    /// Starts nodes that do not run, and stops and starts those that do.
    ///
    /// # Errors
    /// As [`Demo::kill`], and when a node does not start.
    pub async fn restart(&self, target: Target) -> Result<Harm, Failure> {
        let leader = self.health().await?.leader;
        let begun = Instant::now();
        let done = operate::restart(&self.layout, target, &self.options).await?;
        Ok(self.after(&done, leader, begun).await)
    }

    /// Stops nodes in their tracks.
    ///
    /// # Errors
    /// As [`Demo::kill`].
    pub async fn pause(&self, target: Target) -> Result<Harm, Failure> {
        let leader = self.health().await?.leader;
        let begun = Instant::now();
        let done = operate::pause(&self.layout, target).await?;
        Ok(self.after(&done, leader, begun).await)
    }

    /// Lets paused nodes go on.
    ///
    /// # Errors
    /// As [`Demo::kill`].
    pub async fn resume(&self, target: Target) -> Result<Harm, Failure> {
        let begun = Instant::now();
        let done = operate::resume(&self.layout, target).await?;
        Ok(self.after(&done, None, begun).await)
    }

    /// Cuts nodes off from the others and from clients.
    ///
    /// # Errors
    /// As [`Demo::kill`].
    pub async fn partition(&self, target: Target) -> Result<Harm, Failure> {
        let description = self.layout.existing()?;
        let leader = self.health().await?.leader;
        let mut done = Actions::default();
        let begun = Instant::now();
        for id in operate::resolve(&self.layout, &description, target).await? {
            if !self.network.stands_before(id) {
                let what = format!("node {id} cannot be cut off");
                return Err(Failure::new(Code::Process, what)
                    .because("it was added after the demo began: nothing stands between it and the others")
                    .advise(format!("use `pause {id}`, which stops the node instead")));
            }
            let fresh = self.network.cuts().cut(id)?;
            done.add(id, if fresh { "cut off" } else { "cut off already" });
        }
        Ok(self.after(&done, leader, begun).await)
    }

    /// Connects all nodes again.
    ///
    /// # Errors
    /// None so far.
    pub async fn heal(&self) -> Result<Harm, Failure> {
        let begun = Instant::now();
        let healed = self.network.cuts().heal();
        let mut done = Actions::default();
        healed
            .iter()
            .for_each(|id| done.add(*id, "connected again"));
        Ok(self.after(&done, None, begun).await)
    }

    async fn after(&self, done: &Actions, leader: Option<u64>, begun: Instant) -> Harm {
        let written = self.write_after(begun).await;
        let health = self.health().await.ok();
        // A leader that is cut off or paused still believes in itself; asked is who leads now.
        let leads = health.as_ref().and_then(|health| {
            let id = health.leader?;
            health.node(id)
        });
        Harm {
            what: sentence(done, leader),
            write_acknowledged_after_ms: written
                .map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            leader: leads.map(|node| node.id),
            term: leads.map_or(0, |node| node.term),
            advice: written.is_none().then(|| self.advice(health.as_ref())),
        }
    }

    /// Time from `begun` until a write was acknowledged.
    async fn write_after(&self, begun: Instant) -> Option<Duration> {
        let client = self.client.with_deadline(PATIENCE);
        // One id for all attempts: it is one write.
        let transfer = books::load_transfer();
        loop {
            match client.create_transfers(vec![transfer]).await {
                Ok(_) => return Some(begun.elapsed()),
                Err(error) if may_pass(&error) && begun.elapsed() < PATIENCE => {}
                Err(_) => return None,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn advice(&self, health: Option<&crate::local::ClusterHealth>) -> String {
        let nodes = health
            .map(|health| health.nodes.as_slice())
            .unwrap_or_default();
        let silent = nodes.iter().filter(|node| !node.reachable).count();
        let heal = if self.cut_off().is_empty() {
            ""
        } else {
            ", `heal`"
        };
        format!(
            "{silent} of {} nodes do not answer, and two are a majority; `restart ID`, `resume ID`{heal} bring them back",
            nodes.len()
        )
    }
}

fn sentence(done: &Actions, leader: Option<u64>) -> String {
    let one = |action: &crate::local::Action| {
        let role = if Some(action.id) == leader {
            ", which led,"
        } else {
            ""
        };
        match action.did {
            did @ ("nothing to do" | "not running") => format!("Node {}{role}: {did}.", action.id),
            did => format!("Node {}{role} was {did}.", action.id),
        }
    };
    // A restart says of a node that it was stopped and that it was started.
    let parts: Vec<String> = done.nodes.iter().map(one).collect();
    if parts.is_empty() {
        "There was nothing to do.".to_owned()
    } else {
        parts.join(" ")
    }
}
