//! All hosts of one simulation, moved on step by step, and what must hold after every step.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use farthing_node::consensus::Role;
use turmoil::Sim;

use crate::caller::{self, Callers};
use crate::messages::Order;
use crate::node::{Machine, host};
use crate::oracle;
use crate::plan::Plan;
use crate::random::Random;
use crate::trace;

/// Virtual time of one step.
const STEP: Duration = Duration::from_millis(1);
/// Steps between two comparisons of all logs.
const LOGS_INTERVAL: u64 = 500;

/// A machine as the simulation sees it from outside.
struct Seat {
    machine: Machine,
    /// When a process that has ended is started again.
    restart_at: Option<Duration>,
    /// Term and index of the end of its log, as last seen.
    log_end: Option<(u64, u64)>,
    purged: Option<u64>,
}

/// See the module.
pub struct Cluster {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Chance of what is done to the hosts.
    pub random: Random,
    /// The simulated hosts and their network.
    pub sim: Sim<'static>,
    seats: BTreeMap<u64, Seat>,
    orders: Rc<RefCell<Vec<Order>>>,
    leader: Rc<Cell<u64>>,
    steps: u64,
    /// Where the nodes' small files are.
    root: PathBuf,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

impl Cluster {
    /// The hosts of a plan, started.
    ///
    /// # Errors
    /// When there is no room for the nodes' small files.
    pub fn new(plan: Plan) -> anyhow::Result<Self> {
        let root = std::env::temp_dir();
        let shared = std::path::Path::new("/dev/shm");
        let root = if shared.is_dir() { shared } else { &root };
        let name = format!("farthing-sim-{}-{}", std::process::id(), plan.seed);
        let root = root.join(name);
        let plan = Arc::new(plan);
        let mut sim = turmoil::Builder::new()
            .epoch(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))
            .simulation_duration(Duration::from_secs(86_400))
            .tick_duration(STEP)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(plan.latency_max)
            .fail_rate(plan.loss)
            .repair_rate(0.2)
            .udp_capacity(1 << 16)
            .rng_seed(plan.seed)
            .build();
        let mut seats = BTreeMap::new();
        for id in 1..=plan.nodes + plan.spares {
            let dir = root.join(host(id));
            std::fs::create_dir_all(&dir)?;
            let machine = Machine::new(id, Arc::clone(&plan), dir);
            let process = machine.clone();
            sim.host(host(id), move || process.clone().run());
            let seat = Seat {
                machine,
                restart_at: None,
                log_end: None,
                purged: None,
            };
            seats.insert(id, seat);
        }
        let callers = Rc::new(Callers::new(Arc::clone(&plan)));
        sim.host("callers", move || caller::run(Rc::clone(&callers)));
        let orders: Rc<RefCell<Vec<Order>>> = Rc::default();
        let leader: Rc<Cell<u64>> = Rc::default();
        let (given, led) = (Rc::clone(&orders), Rc::clone(&leader));
        sim.host("operator", move || {
            caller::operate(Rc::clone(&given), Rc::clone(&led))
        });
        Ok(Self {
            root,
            random: Random::new(plan.seed, "trouble"),
            plan,
            sim,
            seats,
            orders,
            leader,
            steps: 0,
        })
    }

    /// Virtual time since the beginning.
    pub fn now(&self) -> Duration {
        self.sim.elapsed()
    }

    /// The node that leads the highest term, or 0.
    pub fn leader(&self) -> u64 {
        self.leader.get()
    }

    /// Numbers of all machines.
    pub fn ids(&self) -> Vec<u64> {
        self.seats.keys().copied().collect()
    }

    /// Numbers of those whose process runs.
    pub fn up(&self) -> Vec<u64> {
        let up = self
            .seats
            .iter()
            .filter(|(_, seat)| seat.restart_at.is_none());
        up.map(|(id, _)| *id).collect()
    }

    /// A machine.
    pub fn machine(&self, id: u64) -> Option<&Machine> {
        self.seats.get(&id).map(|seat| &seat.machine)
    }

    /// Gives an order to whoever leads.
    pub fn order(&self, order: Order) {
        self.orders.borrow_mut().push(order);
    }

    /// One step of virtual time, then all checks.
    pub fn step(&mut self) -> anyhow::Result<()> {
        let stepped = self.sim.step();
        stepped.map_err(|error| anyhow::anyhow!("a host failed: {error}"))?;
        trace::set_now(self.sim.elapsed());
        self.steps += 1;
        self.look_at_ends();
        self.restart();
        self.check_nodes();
        if self.steps.is_multiple_of(LOGS_INTERVAL) {
            self.check_logs();
        }
        Ok(())
    }

    /// Processes that ended by themselves, and machines whose power went in the middle of something.
    fn look_at_ends(&mut self) {
        for id in self.ids() {
            let Some(machine) = self.machine(id).cloned() else {
                continue;
            };
            let switch = machine.disk.switch();
            let ended = machine.take_ended();
            if switch.is_off() {
                self.cut_power(id);
            } else if let Some(why) = ended {
                if !switch.has_failed() {
                    oracle::violation(format!("n{id} ended by itself: {why}"));
                }
                machine.silence();
                self.sim.crash(host(id));
                machine.disk.end_process(true);
                self.plan_restart(id);
            }
        }
    }

    fn plan_restart(&mut self, id: u64) {
        let pause = self.random.millis(20, 2_500);
        let at = self.now() + pause;
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.restart_at = Some(at);
            seat.log_end = None;
        }
    }

    fn restart(&mut self) {
        let now = self.now();
        for (id, seat) in &mut self.seats {
            if seat.restart_at.is_some_and(|at| at <= now) {
                seat.restart_at = None;
                trace::reached("node restarted");
                self.sim.bounce(host(*id));
            }
        }
    }

    /// Starts everything that is down.
    pub fn restart_all(&mut self) {
        let now = self.now();
        for seat in self.seats.values_mut() {
            seat.restart_at = seat.restart_at.map(|at| at.min(now));
        }
        self.restart();
    }

    /// A machine loses its power now.
    pub fn cut_power(&mut self, id: u64) {
        let Some(machine) = self.machine(id).cloned() else {
            return;
        };
        trace::reached("power lost");
        machine.silence();
        self.sim.crash(host(id));
        machine.take_ended();
        machine.disk.lose_power(&mut self.random);
        self.plan_restart(id);
    }

    /// A process is killed now.
    pub fn kill(&mut self, id: u64) {
        let Some(machine) = self.machine(id).cloned() else {
            return;
        };
        trace::reached("process killed");
        trace!("n{id} is killed");
        machine.silence();
        self.sim.crash(host(id));
        machine.take_ended();
        machine.disk.end_process(false);
        self.plan_restart(id);
    }

    /// One leader a term, which has everything that was ever applied; logs change only as logs may.
    fn check_nodes(&mut self) {
        let mut newest = (0, 0);
        for (id, seat) in &mut self.seats {
            let Some(running) = seat.machine.running() else {
                continue;
            };
            let log = &running.log;
            let state = log.state();
            let end = state.last.map(|last| (last.term, last.index));
            let purged = state.last_purged.map(|purged| purged.index);
            if let Some((term, index)) = seat.log_end {
                let now = log.log_id_at(index);
                if purged < Some(index) && now.is_none_or(|now| now.term != term) {
                    trace::reached("log truncated");
                }
            }
            if purged > seat.purged {
                trace::reached("log purged");
            }
            seat.log_end = end;
            seat.purged = purged;
            if running.consensus.is_leader() {
                let status = running.consensus.status();
                if status.role == Role::Leader {
                    newest = newest.max((status.term, *id));
                    oracle::leads(*id, status.term);
                }
            }
        }
        if newest.1 != 0 {
            self.leader.set(newest.1);
        }
    }

    /// Two logs with equal log ids at one index are equal below; what was applied is in the logs as it was applied.
    fn check_logs(&self) {
        let logs: Vec<_> = self
            .seats
            .iter()
            .filter_map(|(id, seat)| Some((*id, seat.machine.running()?.log)))
            .collect();
        for (at, (one, log)) in logs.iter().enumerate() {
            for (two, other) in &logs[at + 1..] {
                let (Some(a), Some(b)) = (log.state().last, other.state().last) else {
                    continue;
                };
                let mut matched = false;
                for index in (1..=a.index.min(b.index)).rev() {
                    let (Some(a), Some(b)) = (log.log_id_at(index), other.log_id_at(index)) else {
                        break;
                    };
                    if matched && a.term != b.term {
                        oracle::violation(format!(
                            "the logs of n{one} and n{two} agree above {index} and differ there"
                        ));
                        break;
                    }
                    matched = matched || a.term == b.term;
                }
            }
        }
        let leader = self.machine(self.leader.get()).and_then(Machine::running);
        let Some(leader) = leader.filter(|running| running.consensus.is_leader()) else {
            return;
        };
        let last = oracle::last_index();
        let Some(applied_term) = oracle::term_of(last) else {
            return;
        };
        let term = leader.log.log_id_at(last).map(|id| id.term);
        let is_newest = leader.consensus.status().term >= applied_term;
        let is_purged = leader.log.state().last_purged.map(|id| id.index) >= Some(last);
        if is_newest && !is_purged && term != Some(applied_term) {
            oracle::violation(format!(
                "n{} leads and has a log entry {last} of term {term:?}, not the one that was applied",
                self.leader.get()
            ));
        }
    }

    /// Whether all members have applied everything that was answered, with one digest; or who has not.
    pub fn settled(&self) -> Result<(), String> {
        let leader = self.machine(self.leader.get()).and_then(Machine::running);
        let Some(leader) = leader else {
            return Err("nobody leads".into());
        };
        let answered = oracle::acknowledged().1;
        for member in leader.consensus.status().members {
            let Some(running) = self.machine(member.id).and_then(Machine::running) else {
                return Err(format!("n{} does not run", member.id));
            };
            let (index, digest) = running.memory.position();
            if index < answered {
                return Err(format!("n{} is at {index} of {answered}", member.id));
            }
            if oracle::digest_of(index) != Some(digest) {
                return Err(format!("n{} has another digest at {index}", member.id));
            }
        }
        Ok(())
    }
}
