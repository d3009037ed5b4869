//! Sums of an account's transfers.

use std::collections::BTreeMap;
use std::time::Duration;

use farthing_ledger::TransferFilter;
use farthing_proto::convert;
use farthing_proto::v1;

use super::QueryOptions;
use super::read::{self, unreadable};
use crate::client::Client;
use crate::error::Error;

/// Rows that sums may have: a bound on what a server can make us keep.
const ROWS_MAX: usize = 1 << 20;

/// How time is parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Period {
    /// Not at all.
    #[default]
    Whole,
    /// Into pieces of so long, whole seconds, from multiples of it since 1970: a day is one in UTC.
    Of(Duration),
}

/// Sums of the settled transfers of an account in one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SumRow {
    /// Where the period begins, in ns; 0 when time is not parted.
    pub period_start: u64,
    /// The transfers' code; 0 when codes are summed together.
    pub code: u16,
    /// Transfers that debit the account: plain ones and posts.
    pub debit_count: u64,
    /// Their amounts, in the ledger's smallest unit.
    pub debits_posted: u128,
    /// Transfers that credit the account.
    pub credit_count: u64,
    /// Their amounts, in the ledger's smallest unit.
    pub credits_posted: u128,
}

impl Client {
    /// Sums of the settled transfers of the account that `filter` names, by period and code, oldest first. They are
    /// computed page by page; transfers that settle meanwhile may be in them.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn sum_transfers(
        &self,
        filter: &TransferFilter,
        by_code: bool,
        period: Period,
        options: &QueryOptions,
    ) -> Result<Vec<SumRow>, Error> {
        let period_s = match period {
            Period::Whole => 0,
            Period::Of(length) => u32::try_from(length.as_secs()).unwrap_or(u32::MAX).max(1),
        };
        let mut rows: BTreeMap<(u64, u16), SumRow> = BTreeMap::new();
        let mut token = String::new();
        loop {
            let request = v1::SumTransfersRequest {
                filter: Some(convert::query::transfers_to_wire(filter)),
                by_code,
                period_s,
                page: Some(options.page(&token)),
                consistency: options.consistency.into(),
            };
            let reply = self
                .ask_queries(options.consistency, request, |mut client, request| {
                    Box::pin(async move { client.sum_transfers(request).await })
                })
                .await?;
            for row in read::sums(&reply)? {
                add(&mut rows, &row);
            }
            if reply.next_page_token.is_empty() {
                return Ok(rows.into_values().collect());
            }
            if reply.next_page_token == token || rows.len() > ROWS_MAX {
                return Err(unreadable("its pages do not end"));
            }
            token = reply.next_page_token;
        }
    }
}

/// Rows of equal period and code add up.
fn add(rows: &mut BTreeMap<(u64, u16), SumRow>, part: &SumRow) {
    let row = rows.entry((part.period_start, part.code)).or_default();
    row.period_start = part.period_start;
    row.code = part.code;
    row.debit_count += part.debit_count;
    row.credit_count += part.credit_count;
    row.debits_posted = row.debits_posted.saturating_add(part.debits_posted);
    row.credits_posted = row.credits_posted.saturating_add(part.credits_posted);
}
