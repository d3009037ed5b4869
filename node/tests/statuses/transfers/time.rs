//! Items that bring their own time, and one that would outlive time.

use std::time::Duration;

use farthing_ledger::CreateTransferStatus as S;
use farthing_proto::v1::{Transfer, TransferFlag};

use super::table::{Table, flags};
use crate::coverage::Coverage;
use crate::support::{Cluster, fresh_id, pending, transfer};

/// Imported transfers, whose timestamps must fit between those of accounts and other transfers.
pub(crate) async fn imported(table: &mut Table) {
    let usd = table.usd;
    let (older, older_at) = table.account_at(usd, &[]).await;
    let (younger, younger_at) = table.account_at(usd, &[]).await;
    let import = |debit, credit, timestamp| Transfer {
        timestamp,
        flags: flags(&[TransferFlag::Imported]),
        ..transfer(debit, credit, "1", usd)
    };
    let between = older_at + 1;
    assert!(between < younger_at);
    let holds = Transfer {
        flags: flags(&[TransferFlag::Imported, TransferFlag::Pending]),
        timeout_s: 9,
        ..import(older, younger, younger_at + 1)
    };
    table
        .rows(vec![
            (
                S::ImportedEventTimestampMustNotRegress,
                import(older, younger, 1),
            ),
            // Nobody's timestamp may be used again.
            (
                S::ImportedEventTimestampMustNotRegress,
                import(older, younger, younger_at),
            ),
            (
                S::ImportedEventTimestampMustPostdateDebitAccount,
                import(younger, older, between),
            ),
            (
                S::ImportedEventTimestampMustPostdateCreditAccount,
                import(older, younger, between),
            ),
            (S::ImportedEventTimeoutMustBeZero, holds),
        ])
        .await;
    let taken = table
        .typed(&[import(older, younger, younger_at + 1)], &[S::Created])
        .await;
    assert_eq!(
        taken,
        [younger_at + 1],
        "an imported transfer keeps its own time"
    );
}

/// The longest timeout is 136 years, so today no transfer can time out after the year 2262: only a cluster whose clock
/// is that far ahead can answer this.
pub(crate) async fn timeout_past_the_end_of_time(coverage: &mut Coverage) {
    let years = Duration::from_secs(110 * 365 * 24 * 3_600);
    let skew = years.as_millis().to_string();
    let cluster = Cluster::start_with(1, &[("--clock-skew-ms", &skew)]);
    let mut table = Table::new(cluster.leader_client().await).await;
    let (a, b) = (
        table.account(table.usd, &[]).await,
        table.account(table.usd, &[]).await,
    );
    let hold = |timeout_s| Transfer {
        timeout_s,
        ..pending(fresh_id(), a, b, "1", table.usd)
    };
    let rows = vec![
        (S::OverflowsTimeout, hold(u32::MAX)),
        (S::Created, hold(3_600)),
    ];
    table.rows(rows).await;
    coverage.absorb(table.coverage);
}
