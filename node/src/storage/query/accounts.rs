//! Which accounts match, with their balances of this cut.
//!
//! Without a list the accounts are scanned by their timestamps, which rise in the order of the log.

use std::ops::ControlFlow;

use farthing_ledger::{Account, AccountFilter, AccountId, EventBody, Order};

use super::filter;
use super::walk::Walk;
use super::{Effort, Mark, Page, Paging, Span};
use crate::storage::error::Error;
use crate::storage::reader::{Change, Reader};
use crate::storage::rows::{account_times, events, family, u64_key};

/// Accounts that are looked up together.
const TOGETHER: usize = 256;

/// An account as it was created.
#[derive(Clone, Copy)]
struct Created {
    time: u64,
    id: AccountId,
}

/// Timestamps from `from` to `to`, both included.
#[derive(Clone, Copy)]
struct Times {
    from: u64,
    to: u64,
}

impl Times {
    fn holds(self, time: u64) -> bool {
        (self.from..=self.to).contains(&time)
    }

    /// What is left of it once `time` was met; `None`: nothing.
    fn past(self, order: Order, time: u64) -> Option<Self> {
        let left = match order {
            Order::Forward => Self {
                from: time.checked_add(1)?,
                ..self
            },
            Order::Reversed => Self {
                to: time.checked_sub(1)?,
                ..self
            },
        };
        (left.from <= left.to).then_some(left)
    }
}

impl Reader {
    /// The accounts that match a filter, in the order in which they were created, a page of them.
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn query_accounts(
        &self,
        filter: &AccountFilter,
        paging: &Paging,
    ) -> Result<Page<Account>, Error> {
        let keys = filter::of_accounts(filter);
        if keys.is_empty() {
            return self.scan_accounts(filter, paging);
        }
        let whole = Span {
            low: self.account_sequence_at(filter.timestamp_min)?,
            high: self.applied().clock.sequence,
        };
        let span = whole.behind(paging);
        if span.is_empty() {
            return Ok(Page::empty());
        }
        let walk = Walk::open(self, &keys, paging.order, span)?;
        let created = self.walk_changes(walk, paging, |change| {
            let Change::Event(event) = change else {
                return ControlFlow::Continue(None);
            };
            ControlFlow::Continue(match event.body {
                EventBody::AccountCreated(account) if filter.matches(&account) => Some(account.id),
                _ => None,
            })
        })?;
        Ok(Page {
            rows: self.existing(&created.rows)?,
            next: created.next,
        })
    }

    /// Accounts that are known to exist.
    fn existing(&self, ids: &[AccountId]) -> Result<Vec<Account>, Error> {
        let accounts = self.accounts(ids)?.into_iter().zip(ids);
        accounts
            .map(|(account, id)| {
                account.ok_or_else(|| Error::damaged("account", format!("{} is missing", id.0)))
            })
            .collect()
    }

    /// A sequence before which no account on disk is as late as `time`.
    fn account_sequence_at(&self, time: u64) -> Result<u64, Error> {
        if time == 0 {
            return Ok(1);
        }
        let mut times = self.iterator(family::ACCOUNT_TIMES, true)?;
        times.seek(time.to_be_bytes());
        times.status().map_err(Error::database("search accounts"))?;
        let recent = self.committed_sequence() + 1;
        let Some(value) = times.value() else {
            return Ok(recent);
        };
        let (_, sequence) = account_times::read_value(value).ok_or_else(malformed)?;
        Ok(sequence.min(recent))
    }

    fn scan_accounts(
        &self,
        filter: &AccountFilter,
        paging: &Paging,
    ) -> Result<Page<Account>, Error> {
        let mut effort = Effort::new(paging);
        let mut rows = vec![];
        let whole = Times {
            from: filter.timestamp_min,
            to: filter.timestamp_max.unwrap_or(u64::MAX),
        };
        let mut left = match paging.after {
            Some(mark) => whole.past(paging.order, mark.timestamp),
            None => Some(whole),
        };
        while let Some(times) = left {
            let created = self.created(paging.order, times)?;
            let ids: Vec<AccountId> = created.iter().map(|it| it.id).collect();
            for (account, created) in self.existing(&ids)?.into_iter().zip(&created) {
                left = times.past(paging.order, created.time);
                if filter.matches(&account) {
                    rows.push(account);
                    if rows.len() >= paging.limit {
                        break;
                    }
                }
            }
            let is_full = rows.len() >= paging.limit;
            if created.is_empty() || left.is_none() {
                break;
            }
            if is_full || effort.spent(created.len() as u64) {
                let next = left.map(|left| Mark {
                    sequence: 0,
                    timestamp: match paging.order {
                        Order::Forward => left.from - 1,
                        Order::Reversed => left.to + 1,
                    },
                });
                return Ok(Page { rows, next });
            }
        }
        Ok(Page { rows, next: None })
    }

    /// The next accounts of a time range in `order`; none at the end.
    fn created(&self, order: Order, times: Times) -> Result<Vec<Created>, Error> {
        let found = match order {
            Order::Forward => self.created_on_disk(order, times)?,
            Order::Reversed => self.created_recently(order, times)?,
        };
        if !found.is_empty() {
            return Ok(found);
        }
        match order {
            Order::Forward => self.created_recently(order, times),
            Order::Reversed => self.created_on_disk(order, times),
        }
    }

    fn created_on_disk(&self, order: Order, times: Times) -> Result<Vec<Created>, Error> {
        let mut found = vec![];
        let mut rows = self.iterator(family::ACCOUNT_TIMES, true)?;
        match order {
            Order::Forward => rows.seek(times.from.to_be_bytes()),
            Order::Reversed => rows.seek_for_prev(times.to.to_be_bytes()),
        }
        while found.len() < TOGETHER {
            rows.status().map_err(Error::database("scan accounts"))?;
            let Some((key, value)) = rows.item() else {
                break;
            };
            let time = u64_key(key).ok_or_else(malformed)?;
            if !times.holds(time) {
                break;
            }
            let (id, sequence) = account_times::read_value(value).ok_or_else(malformed)?;
            // Behind the commit record stands what an unfinished run left.
            if sequence <= self.committed_sequence() {
                let id = AccountId(id);
                found.push(Created { time, id });
            }
            match order {
                Order::Forward => rows.next(),
                Order::Reversed => rows.prev(),
            }
        }
        Ok(found)
    }

    fn created_recently(&self, order: Order, times: Times) -> Result<Vec<Created>, Error> {
        let mut found = vec![];
        let mut chunks: Vec<_> = self.recent_chunks().collect();
        if order == Order::Reversed {
            chunks.reverse();
        }
        for chunk in chunks {
            let mut of_chunk = vec![];
            for (sequence, value) in chunk.events() {
                let event = events::read_value(sequence, value).ok_or_else(|| {
                    Error::Broken(format!("event {sequence} cannot be read back"))
                })?;
                if let EventBody::AccountCreated(account) = event.body
                    && times.holds(account.timestamp)
                {
                    of_chunk.push(Created {
                        time: account.timestamp,
                        id: account.id,
                    });
                }
            }
            if order == Order::Reversed {
                of_chunk.reverse();
            }
            found.extend(of_chunk);
            if found.len() >= TOGETHER {
                break;
            }
        }
        Ok(found)
    }
}

fn malformed() -> Error {
    Error::damaged("account_times", "malformed row")
}
