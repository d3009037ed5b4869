//! C11: service by fault. Figures, not a verdict: what is acceptable depends on the fault.
//!
//! A fault lasts from its `begin` to its `end` or the heal; a blow without duration counts for five seconds, which is
//! what the cluster is given to recover.

use super::report::Window;
use super::trace::{End, Trace};
use crate::history::{Fault, Phase};

/// How long a single blow counts, ns.
const BLOW_NS: u64 = 5_000_000_000;
const NS_PER_MS: u64 = 1_000_000;
/// Four buckets for every doubling of a latency in us.
const BUCKETS: usize = 4 * 40;

/// Figures of one stretch of time.
#[derive(Debug)]
struct Stretch {
    window: Window,
    /// Ends here by itself, ns; of a blow.
    until_ns: u64,
    last_ok_ns: u64,
    latencies: Vec<u64>,
}

impl Stretch {
    fn new(fault: &str, from_ns: u64, until_ns: u64) -> Self {
        let window = Window {
            fault: fault.into(),
            from_ms: from_ns / NS_PER_MS,
            ..Window::default()
        };
        Self {
            window,
            until_ns,
            last_ok_ns: from_ns,
            latencies: vec![0; BUCKETS],
        }
    }

    fn call(&mut self, end: End, invoke_ns: u64, time: u64) {
        match end {
            End::Ok => {
                self.gap(time);
                self.last_ok_ns = time;
                self.window.ok_count += 1;
                self.latencies[bucket(time - invoke_ns)] += 1;
            }
            End::Fail => self.window.fail_count += 1,
            End::Info => self.window.info_count += 1,
        }
    }

    fn gap(&mut self, time: u64) {
        let gap = time.saturating_sub(self.last_ok_ns) / NS_PER_MS;
        self.window.gap_ms_max = self.window.gap_ms_max.max(gap);
    }

    fn close(mut self, time: u64) -> Window {
        self.gap(time);
        self.window.to_ms = time / NS_PER_MS;
        self.window.latency_ms_p50 = self.percentile(50);
        self.window.latency_ms_p99 = self.percentile(99);
        self.window
    }

    fn percentile(&self, percent: u64) -> f64 {
        let rank = (self.window.ok_count * percent).div_ceil(100);
        let mut seen = 0;
        for (bucket, count) in self.latencies.iter().enumerate() {
            seen += count;
            if seen >= rank && seen != 0 {
                let us = 2_f64.powf((bucket + 1) as f64 / 4.0);
                return us / 1000.0;
            }
        }
        0.0
    }
}

fn bucket(latency_ns: u64) -> usize {
    let us = (latency_ns / 1000).max(1) as f64;
    ((us.log2() * 4.0) as usize).min(BUCKETS - 1)
}

/// Figures while the history is read.
#[derive(Debug, Default)]
pub(super) struct Availability {
    calm: Option<Stretch>,
    active: Vec<Stretch>,
    done: Vec<Window>,
    calm_done: Window,
}

impl Availability {
    pub(super) fn fault(&mut self, name: &str, fault: &Fault, time: u64) {
        self.expire(time);
        match fault.phase {
            Phase::Begin => self.begin(name, time, u64::MAX),
            Phase::Blow => self.begin(name, time, time + BLOW_NS),
            Phase::End => self.end_where(time, |stretch| stretch.window.fault == name),
        }
    }

    /// Whatever lasted ends.
    pub(super) fn heal(&mut self, time: u64) {
        self.expire(time);
        self.end_where(time, |stretch| stretch.until_ns == u64::MAX);
    }

    pub(super) fn call(&mut self, end: End, invoke_ns: u64, time: u64) {
        self.expire(time);
        for stretch in &mut self.active {
            stretch.call(end, invoke_ns, time);
        }
        if self.active.is_empty() {
            let calm = self
                .calm
                .get_or_insert_with(|| Stretch::new("calm", invoke_ns, u64::MAX));
            calm.call(end, invoke_ns, time);
        }
    }

    pub(super) fn finish(&mut self, time: u64) {
        self.end_where(time, |_| true);
        if let Some(calm) = self.calm.take() {
            self.calm_done = calm.close(time);
        }
    }

    fn begin(&mut self, name: &str, time: u64, until_ns: u64) {
        if let Some(calm) = &mut self.calm {
            calm.gap(time);
        }
        self.active.push(Stretch::new(name, time, until_ns));
    }

    fn expire(&mut self, time: u64) {
        if self.active.iter().any(|stretch| stretch.until_ns <= time) {
            self.end_where(time, |stretch| stretch.until_ns <= time);
        }
    }

    fn end_where(&mut self, time: u64, ends: impl Fn(&Stretch) -> bool) {
        let was_calm = self.active.is_empty();
        let (ended, active) = self
            .active
            .drain(..)
            .partition::<Vec<_>, _>(|stretch| ends(stretch));
        self.active = active;
        for stretch in ended {
            let end = time.min(stretch.until_ns);
            self.done.push(stretch.close(end));
        }
        // The time of the fault is no gap of the calm.
        if let Some(calm) = self
            .calm
            .as_mut()
            .filter(|_| !was_calm && self.active.is_empty())
        {
            calm.last_ok_ns = time;
        }
    }
}

/// All stretches: the calm first, then the faults in the order in which they ended.
pub(super) fn windows(trace: &Trace) -> Vec<Window> {
    let availability = &trace.availability;
    let mut windows = vec![availability.calm_done.clone()];
    windows.extend(availability.done.iter().cloned());
    windows
}
