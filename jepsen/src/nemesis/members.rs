//! N18: nodes that are added, removed and replaced by operators who do not give up.
//!
//! One host is spare. A step brings a node to it, lets it vote, takes another out, and in the end the founding hosts
//! have the members again, some of them under new ids: whoever reads everything at the end finds them there.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep};
use tonic::Status;

use super::damage::others_hold;
use super::field::Field;
use super::names::Name;
use super::plan::Step;
use super::replace;
use crate::history::Phase;

/// Whoever is not done by then never will be.
const PATIENCE: Duration = Duration::from_secs(100);

/// What becomes of a member while the spare host votes in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Nothing: there is one more for a while.
    Add,
    /// It is taken out by the change that lets the new one vote.
    Replace,
    /// It dies first, and its data with it.
    ReplaceLost,
}

struct Operator<'a> {
    field: &'a Field,
    until: Instant,
}

impl Operator<'_> {
    async fn join(&self, host: u64) -> Result<u64, Status> {
        replace::join(self.field, host, self.until).await
    }

    async fn change(&self, add: &[u64], remove: &[u64]) -> Result<(), Status> {
        replace::change(self.field, add.to_vec(), remove.to_vec(), self.until).await?;
        self.field.reached("members.changed");
        Ok(())
    }

    /// Ends a node that is no member any more, or lost; its data is set aside.
    fn clear(&self, host: u64) {
        self.field.cluster.node(host).kill();
        if let Err(error) = self.field.cluster.set_aside(host) {
            self.field
                .trouble(format!("host {host} cannot be cleared: {error}"));
        }
    }

    async fn carry_out(
        &self,
        kind: Kind,
        host: u64,
        spare: u64,
        hold: Duration,
    ) -> Result<(), Status> {
        let node = self.field.cluster.node(host);
        if kind == Kind::ReplaceLost {
            self.clear(host);
        }
        let new = self.join(spare).await?;
        if kind == Kind::Add {
            self.change(&[new], &[]).await?;
            sleep(hold).await;
            self.change(&[], &[new]).await?;
        } else {
            self.change(&[new], &[node.member()]).await?;
            if kind == Kind::Replace {
                self.clear(host);
            }
            sleep(hold).await;
            let back = self.join(host).await?;
            self.change(&[back], &[new]).await?;
        }
        self.clear(spare);
        Ok(())
    }
}

/// Changes members and puts them back.
pub(super) async fn change(field: &Arc<Field>, step: &Step, random: &mut StdRng) {
    let Some(spare) = field.cluster.spare.as_ref().map(|spare| spare.id) else {
        field.trouble("there is no spare host for a new member");
        return;
    };
    let host = field.nodes(step.target, random)[0];
    let Some(_taken) = field.take(vec![host, spare]) else {
        return;
    };
    let mut kind = [Kind::Add, Kind::Replace, Kind::ReplaceLost][random.random_range(0..3)];
    if kind == Kind::ReplaceLost {
        let _turn = field.turn.lock().await;
        if others_hold(field, host).await {
            // Whoever looks next finds it without its data.
            field.cluster.node(host).kill();
        } else {
            field.reached("damage.withheld");
            kind = Kind::Replace;
        }
    }
    let name = Name::Members.text();
    let detail = format!("{kind:?} of node {}", field.cluster.node(host).member());
    field.note(name, Phase::Begin, &[host], detail);
    let operator = Operator {
        field,
        until: Instant::now() + PATIENCE,
    };
    match operator.carry_out(kind, host, spare, step.hold).await {
        Ok(()) => field.reached(&format!("members.{kind:?}").to_lowercase()),
        // The members stay as they are; that not all of them get ready is for the checkers.
        Err(status) => field.reached(&format!("members.stuck: {}", status.message())),
    }
    field.note(name, Phase::End, &[host], "");
}
