//! What is done to a cluster, and how it is all mended.

use std::time::Duration;

use farthing_node::consensus::clocks::SAMPLE_AGE_MAX;

use crate::cluster::Cluster;
use crate::messages::Order;
use crate::node::host;
use crate::plan::Trouble;
use crate::trace;

/// Something that ends by itself.
#[derive(Debug, Clone)]
enum Lasting {
    /// No datagrams between two hosts, in one direction or both.
    Cut(Vec<(String, String)>, bool),
    /// Datagrams between hosts wait.
    Held(Vec<(String, String)>),
    /// A disk is slow.
    Slow(u64),
    /// A clock is wrong.
    Clock(u64),
}

/// Makes trouble for one cluster.
#[derive(Debug, Default)]
pub struct Troublemaker {
    next: Duration,
    lasting: Vec<(Duration, Lasting)>,
    added: u64,
    removed: bool,
    /// Whose clock was the last to be wrong, and when it was set right or will be.
    wrong_clock: Option<(u64, Duration)>,
}

impl Troublemaker {
    /// Called after each step.
    pub fn work(&mut self, cluster: &mut Cluster) {
        let now = cluster.now();
        let over: Vec<Lasting> = self
            .lasting
            .extract_if(.., |(until, _)| *until <= now)
            .map(|(_, lasting)| lasting)
            .collect();
        for lasting in over {
            end(cluster, &lasting);
        }
        if now < self.next {
            return;
        }
        let pause = cluster.plan.pause_ms_max;
        self.next = now + cluster.random.millis(50, pause);
        let troubles = cluster.plan.troubles.clone();
        let trouble = cluster.random.pick(&troubles);
        self.begin(cluster, trouble);
    }

    fn begin(&mut self, cluster: &mut Cluster, trouble: Trouble) {
        let up = cluster.up();
        if up.is_empty() {
            return;
        }
        let leader = cluster.leader();
        let mut one = cluster.random.pick(&up);
        // Leaders have more to lose.
        if up.contains(&leader) && cluster.random.chance(40) {
            one = leader;
        }
        let long = cluster.now() + cluster.random.millis(100, 3_000);
        trace!("trouble: {trouble:?} at n{one}");
        match trouble {
            Trouble::PowerLoss => {
                if cluster.random.chance(50) {
                    cluster.cut_power(one);
                } else if let Some(machine) = cluster.machine(one).cloned() {
                    let operations = cluster.random.below(40);
                    machine.disk.switch().off_after(operations);
                }
            }
            Trouble::AllPowerLoss => {
                for id in up {
                    cluster.cut_power(id);
                }
                trace::reached("all lost power");
            }
            Trouble::Kill => cluster.kill(one),
            Trouble::FailSync => {
                if let Some(machine) = cluster.machine(one) {
                    machine.disk.switch().fail_next_sync();
                }
            }
            Trouble::SlowSync => {
                if let Some(machine) = cluster.machine(one).cloned() {
                    let slowest = cluster.random.between(50, 1_500);
                    machine.set_sync_ms(Some((slowest / 2, slowest)));
                    trace::reached("slow disk");
                    self.lasting.push((long, Lasting::Slow(one)));
                }
            }
            Trouble::Clock => self.move_clock(cluster, one, long),
            Trouble::Partition => self.cut(cluster, one, long),
            Trouble::Hold => self.hold(cluster, one, long),
            Trouble::HandOver => cluster.order(Order::HandOver { to: None }),
            Trouble::Snapshot => cluster.order(Order::Snapshot),
            Trouble::Members => self.change_members(cluster),
        }
    }

    /// One clock at a time is wrong: of more wrong ones nothing is promised. What a node has heard of a clock counts
    /// for [`SAMPLE_AGE_MAX`], so a clock is only right again for everybody after that time.
    fn move_clock(&mut self, cluster: &mut Cluster, one: u64, until: Duration) {
        let now = cluster.now();
        let is_too_soon = |(id, right): (u64, Duration)| {
            right > now || (id != one && right + SAMPLE_AGE_MAX > now)
        };
        if self.wrong_clock.is_some_and(is_too_soon) {
            return;
        }
        let second = 1_000_000_000_i64;
        let offset = cluster.random.pick(&[
            -3_600 * second,
            -5 * second,
            -second / 2,
            second,
            60 * second,
            10 * 365 * 24 * 3_600 * second,
        ]);
        if let Some(machine) = cluster.machine(one) {
            machine.clock.set_offset_ns(offset);
            trace::reached("clock jumped");
            self.wrong_clock = Some((one, until));
            self.lasting.push((until, Lasting::Clock(one)));
        }
    }

    fn is_network_free(&self) -> bool {
        let is_network = |lasting: &Lasting| matches!(lasting, Lasting::Cut(..) | Lasting::Held(_));
        !self.lasting.iter().any(|(_, lasting)| is_network(lasting))
    }

    fn cut(&mut self, cluster: &mut Cluster, one: u64, until: Duration) {
        if !self.is_network_free() {
            return;
        }
        let pairs = sides(cluster, one);
        let one_way = cluster.random.chance(35);
        for (from, to) in &pairs {
            if one_way {
                cluster.sim.partition_oneway(from.as_str(), to.as_str());
            } else {
                cluster.sim.partition(from.as_str(), to.as_str());
            }
        }
        let point = if one_way { "one-way cut" } else { "partition" };
        trace::reached(point);
        self.lasting.push((until, Lasting::Cut(pairs, one_way)));
    }

    fn hold(&mut self, cluster: &mut Cluster, one: u64, until: Duration) {
        if !self.is_network_free() {
            return;
        }
        let pairs = sides(cluster, one);
        for (from, to) in &pairs {
            cluster.sim.hold(from.as_str(), to.as_str());
        }
        trace::reached("datagrams held");
        self.lasting.push((until, Lasting::Held(pairs)));
    }

    fn change_members(&mut self, cluster: &mut Cluster) {
        let first = cluster.plan.nodes + 1;
        if self.added < cluster.plan.spares {
            let id = first + self.added;
            if cluster.random.chance(50) {
                cluster.order(Order::AddLearner { id });
                return;
            }
            self.added += u64::from(cluster.random.chance(40));
            let add = Some(id);
            cluster.order(Order::ChangeVoters { add, remove: None });
        } else if !self.removed {
            self.removed = true;
            let id = cluster.random.between(1, first - 1);
            let remove = Some(id);
            cluster.order(Order::ChangeVoters { add: None, remove });
        }
    }

    /// Mends everything.
    pub fn heal(&mut self, cluster: &mut Cluster) {
        for (_, lasting) in std::mem::take(&mut self.lasting) {
            end(cluster, &lasting);
        }
        cluster.sim.set_fail_rate(0.0);
        for one in names(cluster) {
            for other in names(cluster) {
                if one < other {
                    cluster.sim.repair(one.as_str(), other.as_str());
                }
            }
        }
        for id in cluster.ids() {
            if let Some(machine) = cluster.machine(id).filter(|_| cluster.up().contains(&id)) {
                machine.disk.switch().on();
            }
        }
        cluster.restart_all();
    }
}

fn end(cluster: &mut Cluster, lasting: &Lasting) {
    trace!("over: {lasting:?}");
    match lasting {
        Lasting::Cut(pairs, one_way) => {
            for (from, to) in pairs {
                if *one_way {
                    cluster.sim.repair_oneway(from.as_str(), to.as_str());
                } else {
                    cluster.sim.repair(from.as_str(), to.as_str());
                }
            }
        }
        Lasting::Held(pairs) => {
            for (from, to) in pairs {
                cluster.sim.release(from.as_str(), to.as_str());
            }
        }
        Lasting::Slow(id) => {
            if let Some(machine) = cluster.machine(*id) {
                machine.set_sync_ms(None);
            }
        }
        Lasting::Clock(id) => {
            if let Some(machine) = cluster.machine(*id) {
                machine.clock.set_offset_ns(0);
            }
        }
    }
}

fn names(cluster: &Cluster) -> Vec<String> {
    let mut names: Vec<String> = cluster.ids().into_iter().map(host).collect();
    names.push("callers".into());
    names
}

/// Pairs of hosts on two sides: one against the others, halves, or two of all.
fn sides(cluster: &mut Cluster, one: u64) -> Vec<(String, String)> {
    let all = cluster.ids();
    let way = cluster.random.below(4);
    let mut left: Vec<u64> = match way {
        0 | 1 => vec![one],
        2 => all
            .iter()
            .copied()
            .filter(|_| cluster.random.chance(50))
            .collect(),
        _ => vec![one],
    };
    if left.is_empty() {
        left.push(one);
    }
    let right: Vec<u64> = match way {
        3 => {
            let others: Vec<u64> = all.iter().copied().filter(|id| *id != one).collect();
            vec![cluster.random.pick(&others)]
        }
        _ => all
            .iter()
            .copied()
            .filter(|id| !left.contains(id))
            .collect(),
    };
    let callers_too = cluster.random.chance(30);
    let mut pairs = Vec::new();
    for from in &left {
        for to in &right {
            pairs.push((host(*from), host(*to)));
        }
        if callers_too {
            pairs.push((host(*from), "callers".into()));
        }
    }
    pairs
}
