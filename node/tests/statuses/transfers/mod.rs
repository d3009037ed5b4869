//! `create_transfers`.

mod items;
mod state;
mod table;
mod time;

use farthing_ledger::CreateTransferStatus as S;
use farthing_proto::v1::Transfer;

use crate::support::{Cluster, fresh_id, pending};
use table::Table;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_status_of_create_transfers() {
    let cluster = Cluster::start(1);
    let mut table = Table::new(cluster.leader_client().await).await;
    let a = table.account(table.usd, &[]).await;
    let b = table.account(table.usd, &[]).await;

    // Begin with the pending transfer that has to expire meanwhile.
    let expiring = fresh_id();
    let item = Transfer {
        timeout_s: 1,
        ..pending(expiring, a, b, "1", table.usd)
    };
    table.typed(&[item], &[S::Created]).await;

    items::identity(&mut table, a, b).await;
    items::repeated_ids(&mut table, a, b).await;
    items::fields(&mut table, a, b).await;
    state::accounts(&mut table, a, b).await;
    state::second_phase(&mut table, a, b, expiring).await;
    state::overflows(&mut table).await;
    time::imported(&mut table).await;
    time::timeout_past_the_end_of_time(&mut table.coverage).await;
    table.coverage.is_complete::<S>();
}
