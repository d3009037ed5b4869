//! What to measure.

use serde::Serialize;

use crate::failure::{Code, Failure};

/// Transfers one request may hold.
pub(super) const BATCH_ITEMS_MAX: u64 = 8_189;
/// Requests that one client may have under way.
const IN_FLIGHT_MAX: u64 = 64;
/// Accounts at most: their ids and balances are held in memory.
const ACCOUNTS_MAX: u64 = 20_000_000;

/// Transfers of a run at most.
pub const TRANSFERS_MAX: u64 = u32::MAX as u64 * 16;

/// Order in which transfer ids come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum IdOrder {
    /// One after another.
    Sequential,
    /// Without any order: the hard case for the search for duplicates.
    Random,
    /// Each below the one before.
    Reversed,
    /// As the SDK makes them: by time.
    #[default]
    Time,
}

/// Settings of a run. All of them are part of its report.
#[derive(Clone, Debug, Serialize)]
pub struct BenchOptions {
    /// Accounts, at least 2.
    pub account_count: u64,
    /// Accounts that are hot.
    pub account_count_hot: u64,
    /// Share of transfers that debit a hot account, in percent.
    pub transfer_hot_percent: u8,
    /// Transfers measured.
    pub transfer_count: u64,
    /// When given: the run ends after so many seconds, if its transfers last that long.
    pub duration_s: Option<u64>,
    /// Transfers before those, not measured.
    pub warmup: u64,
    /// Transfers in a request, 1 to 8,189.
    pub transfer_batch_size: u64,
    /// Make them pending.
    pub transfer_pending: bool,
    /// Give every transfer user data of its own, 128, 64 and 32 bits, which are indexed.
    pub user_data: bool,
    /// Order of ids.
    pub id_order: IdOrder,
    /// Share of ids that are random whatever the order, in percent.
    pub random_id_percent: u8,
    /// Clients, each with connections of its own.
    pub clients: u64,
    /// Connections of a client.
    pub connections: u64,
    /// Requests each client has under way at most; `None` is 1, or 64 with a rate, which shall not wait for answers.
    pub in_flight: Option<u64>,
    /// When above zero: so many callers share the clients, each sending one transfer at a time.
    pub callers: u64,
    /// Transfers sent a second, whatever the answers take; as many as go when `None`.
    pub rate: Option<u64>,
    /// Questions asked a second meanwhile: an account's newest 100 transfers, linearizable; 0 = none.
    pub queries: u64,
    /// Subscribers that follow the events meanwhile.
    pub subscribers: u64,
    /// Subscribers that stop reading as soon as they are served.
    pub stuck_subscribers: u64,
    /// Seed of accounts and amounts.
    pub seed: u64,
}

impl Default for BenchOptions {
    fn default() -> Self {
        Self {
            account_count: 10_000,
            account_count_hot: 0,
            transfer_hot_percent: 100,
            transfer_count: 1_000_000,
            duration_s: None,
            warmup: 0,
            transfer_batch_size: BATCH_ITEMS_MAX,
            transfer_pending: false,
            user_data: false,
            id_order: IdOrder::default(),
            random_id_percent: 0,
            clients: 1,
            connections: 1,
            in_flight: None,
            callers: 0,
            rate: None,
            queries: 0,
            subscribers: 0,
            stuck_subscribers: 0,
            seed: 1,
        }
    }
}

impl BenchOptions {
    /// Checks the ranges and that the settings go together.
    ///
    /// # Errors
    /// [`Code::Usage`] naming the flag.
    pub fn check(&self) -> Result<(), Failure> {
        let in_range = |flag: &str, value: u64, range: std::ops::RangeInclusive<u64>| {
            if range.contains(&value) {
                Ok(())
            } else {
                Err(Failure::new(
                    Code::Usage,
                    format!(
                        "--{flag} {value} is not between {} and {}",
                        range.start(),
                        range.end()
                    ),
                ))
            }
        };
        in_range("account-count", self.account_count, 2..=ACCOUNTS_MAX)?;
        in_range(
            "account-count-hot",
            self.account_count_hot,
            0..=self.account_count - 1,
        )?;
        in_range(
            "transfer-hot-percent",
            u64::from(self.transfer_hot_percent),
            0..=100,
        )?;
        in_range(
            "random-id-percent",
            u64::from(self.random_id_percent),
            0..=100,
        )?;
        in_range("transfer-count", self.transfer_count, 1..=TRANSFERS_MAX)?;
        in_range("duration", self.duration_s.unwrap_or(1), 1..=7 * 86_400)?;
        in_range(
            "transfer-batch-size",
            self.transfer_batch_size,
            1..=BATCH_ITEMS_MAX,
        )?;
        in_range("clients", self.clients, 1..=256)?;
        in_range("connections", self.connections, 1..=64)?;
        in_range("in-flight", self.in_flight(), 1..=IN_FLIGHT_MAX)?;
        in_range("callers", self.callers, 0..=100_000)?;
        in_range("queries", self.queries, 0..=100_000)?;
        in_range("subscribers", self.subscribers, 0..=256)?;
        in_range("stuck-subscribers", self.stuck_subscribers, 0..=900)?;
        in_range("rate", self.rate.unwrap_or(1), 1..=1_000_000_000)
    }

    /// Requests each client has under way at most.
    pub(super) fn in_flight(&self) -> u64 {
        let default = if self.rate.is_some() {
            IN_FLIGHT_MAX
        } else {
            1
        };
        self.in_flight.unwrap_or(default)
    }

    /// Transfers in one call: one when callers are counted, a batch otherwise.
    pub(super) fn call_size(&self) -> u64 {
        if self.callers > 0 {
            1
        } else {
            self.transfer_batch_size
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_is_named() {
        assert!(BenchOptions::default().check().is_ok());
        let wrong = BenchOptions {
            transfer_batch_size: 8_190,
            ..BenchOptions::default()
        };
        assert!(
            wrong
                .check()
                .unwrap_err()
                .what
                .contains("--transfer-batch-size 8190")
        );
        let all_hot = BenchOptions {
            account_count: 10,
            account_count_hot: 10,
            ..BenchOptions::default()
        };
        assert!(
            all_hot.check().is_err(),
            "a hot account needs one that is not"
        );
    }
}
