//! A worker as a process of its own, which can be killed: this test program, run again with one test and an environment.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use farthing_client::events::EventFilter;
use farthing_client::settlement::{BoxError, Decision, PendingTransfer, SettlementWorker};
use farthing_client::{Amount, Client};
use rustix::process::{Pid, Signal, kill_process};
use tokio::runtime::Runtime;

use super::{CODE, LEDGER};

const ENDPOINTS: &str = "FARTHING_TEST_SETTLE";
const REPORT: &str = "FARTHING_TEST_SETTLE_REPORT";

/// What is to become of a pending transfer: nothing but its number decides it, so that it can be recomputed.
pub(super) fn rule(number: u128, amount: u128) -> Decision {
    match number % 10 {
        0 => Decision::Void,
        1 => Decision::PostAmount(Amount::Units(amount / 2)),
        _ => Decision::Post,
    }
}

/// Takes its time, puts off and fails, as a rail does.
async fn decide(pending: PendingTransfer) -> Result<Decision, BoxError> {
    let number = pending.transfer.id.0;
    tokio::time::sleep(Duration::from_millis((number % 40) as u64)).await;
    match number % 10 {
        2 if pending.asked_before == 0 => Ok(Decision::Later(Duration::from_millis(200))),
        3 if pending.asked_before == 0 => Err("the rail is away".into()),
        4 if number % 100 == 4 && pending.asked_before == 0 => panic!("a mistake"),
        _ => Ok(rule(number, pending.transfer.amount)),
    }
}

/// Killed when dropped.
pub(super) struct Worker(Child);

impl Worker {
    pub(super) fn start(endpoints: &[String], report: &Path) -> Worker {
        let program = std::env::current_exe().unwrap();
        let child = Command::new(program)
            .args(["--exact", "settlement::process::the_process_of_a_worker"])
            .env(ENDPOINTS, endpoints.join(","))
            .env(REPORT, report)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Worker(child)
    }

    /// With SIGKILL, while it runs.
    pub(super) fn kill(&mut self) {
        assert!(self.0.try_wait().unwrap().is_none(), "it ended by itself");
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Asks it to stop, and waits for that.
    pub(super) fn stop(mut self) {
        let id = Pid::from_child(&self.0);
        kill_process(id, Signal::INT).unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Nothing, unless it is the process of a [`Worker`].
#[test]
fn the_process_of_a_worker() {
    let Ok(endpoints) = std::env::var(ENDPOINTS) else {
        return;
    };
    Runtime::new().unwrap().block_on(async {
        let client = Client::builder().endpoint(endpoints).build().unwrap();
        let filter = EventFilter {
            ledger: Some(LEDGER),
            code: Some(CODE),
            ..EventFilter::default()
        };
        let worker = SettlementWorker::builder(&client, "cards")
            .filter(filter)
            .concurrency(64)
            .save_interval(Duration::from_millis(100))
            .retry(Duration::from_millis(10), Duration::from_secs(1))
            .build(decide)
            .unwrap();
        let stop = async { tokio::signal::ctrl_c().await.unwrap() };
        let last = worker.run(stop).await.unwrap();
        let report = std::env::var_os(REPORT).unwrap();
        let text = format!("{} {} {}", last.settled, last.open, last.saved);
        std::fs::write(report, text).unwrap();
    });
}
