//! Settles pending transfers of a ledger until Ctrl-C: asks a rail about each, which here is a pretence that takes its
//! time, puts some off and declines some, and posts or voids as it says. Kill it and start it again: none is lost, none is
//! settled twice.
//!
//! ```text
//! cargo run --release -p farthing-client --example settle -- 127.0.0.1:3001 840 cards
//! ```

#![allow(clippy::print_stdout)] // an example shows its results

use std::error::Error;
use std::time::Duration;

use farthing_client::events::EventFilter;
use farthing_client::settlement::{
    AfterRefusal, BoxError, Decision, PendingTransfer, ProgressHandle, Refusal, SettlementWorker,
};
use farthing_client::{Client, format_id};
use tokio::time::sleep;

/// What a rail says of a payment. It is asked by the payment's id, and says the same when it is asked again: after a crash
/// it may be.
async fn ask_rail(pending: PendingTransfer) -> Result<Decision, BoxError> {
    sleep(Duration::from_millis(20)).await;
    Ok(match pending.transfer.id.0 % 10 {
        0 => Decision::Void,
        1 if pending.asked_before == 0 => Decision::Later(Duration::from_secs(2)),
        _ => Decision::Post,
    })
}

/// Somebody has to look at these; until then they are left as they are, in nobody's way.
async fn tell_somebody(refusal: Refusal) -> AfterRefusal {
    let id = format_id(refusal.pending.transfer.id.0);
    println!("{id} stays pending: {}", refusal.cause);
    AfterRefusal::Leave
}

async fn show(progress: ProgressHandle) {
    let mut shown = progress.get();
    loop {
        sleep(Duration::from_secs(1)).await;
        let now = progress.get();
        if now != shown {
            println!(
                "settled {}: {} posted, {} voided, {} expired; open {}, behind by {} events, {} retries",
                now.settled,
                now.posted,
                now.voided,
                now.expired,
                now.open,
                now.lag(),
                now.retries
            );
            shown = now;
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoints, ledger, name] = arguments.as_slice() else {
        return Err("usage: settle ENDPOINTS LEDGER NAME".into());
    };
    let client = Client::connect([endpoints]).await?;
    let filter = EventFilter {
        ledger: Some(ledger.parse()?),
        ..EventFilter::default()
    };
    let worker = SettlementWorker::builder(&client, name)
        .filter(filter)
        .on_refused(tell_somebody)
        .on_settled(|settlement| {
            if settlement.contradicts() {
                let id = format_id(settlement.pending.transfer.id.0);
                println!("{id} is {:?}, not as decided", settlement.end);
            }
        })
        .build(ask_rail)?;
    let shown = tokio::spawn(show(worker.progress()));
    let last = worker
        .run(async {
            // An error means that nobody can press it.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    shown.abort();
    println!(
        "stopped: settled {}, open {}; the next one goes on behind event {}",
        last.settled, last.open, last.saved
    );
    Ok(())
}
