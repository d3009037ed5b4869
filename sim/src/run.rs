//! One seed from beginning to end: trouble, then healing, then the last questions.

use std::io::Write;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::oracle;
use crate::plan::Plan;
use crate::trace::{self, Summary};
use crate::trouble::Troublemaker;
use crate::wire;

/// Virtual time within which a mended cluster must serve everybody again.
pub const HEAL_MAX: Duration = Duration::from_secs(30);
/// Answers that a mended cluster must give.
const ANSWERS_MIN: u64 = 10;

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was found wrong; empty is good.
    pub violations: Vec<String>,
    /// Trace and points.
    pub summary: Summary,
    /// Virtual time it took.
    pub virtual_time: Duration,
    /// Virtual time until the mended cluster served again.
    pub healed_in: Duration,
    /// Answers to callers.
    pub answers: u64,
}

/// Runs one seed, with a mistake of this name switched on, or none.
pub fn run(seed: u64, planted: &'static str, out: Option<Box<dyn Write>>) -> Outcome {
    trace::begin(out);
    wire::set_closed(false);
    oracle::begin(planted);
    farthing_node::consensus::runtime::seed(seed);
    let plan = Plan::new(seed);
    crate::trace!("{plan:?}");
    let mut healed_in = Duration::ZERO;
    let mut virtual_time = Duration::ZERO;
    let simulated = Cluster::new(plan).and_then(|mut cluster| {
        let result = all(&mut cluster, &mut healed_in);
        virtual_time = cluster.now();
        wire::set_closed(true);
        result
    });
    if let Err(error) = simulated {
        oracle::violation(format!("{error:#}"));
    }
    let outcome = Outcome {
        violations: oracle::violations(),
        summary: Summary::default(),
        virtual_time,
        healed_in,
        answers: oracle::acknowledged().0,
    };
    Outcome {
        summary: trace::end(),
        ..outcome
    }
}

fn all(cluster: &mut Cluster, healed_in: &mut Duration) -> anyhow::Result<()> {
    let mut troublemaker = Troublemaker::default();
    let calm = Duration::from_millis(2_000);
    let until = calm + cluster.plan.trouble_time;
    while cluster.now() < until {
        cluster.step()?;
        if cluster.now() > calm {
            troublemaker.work(cluster);
        }
        if !oracle::violations().is_empty() {
            return Ok(());
        }
    }
    crate::trace!("healing");
    troublemaker.heal(cluster);
    let began = cluster.now();
    let answers = oracle::acknowledged().0;
    loop {
        cluster.step()?;
        if !oracle::violations().is_empty() {
            return Ok(());
        }
        let served = oracle::acknowledged().0 >= answers + ANSWERS_MIN;
        *healed_in = cluster.now() - began;
        if !healed_in.as_millis().is_multiple_of(50) {
            continue;
        }
        let settled = cluster.settled();
        if served && settled.is_ok() {
            break;
        }
        if *healed_in > HEAL_MAX {
            let answered = oracle::acknowledged().0 - answers;
            anyhow::bail!("not mended in {HEAL_MAX:?}: {answered} answers; {settled:?}");
        }
    }
    oracle::check_model();
    Ok(())
}
