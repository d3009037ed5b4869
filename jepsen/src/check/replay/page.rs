//! One page of an answer against the model's state at its index: the rows that come next, all of them, in order, and
//! nothing after them when the page says that it is the last. A page may end early and say that there is more.

use std::collections::BTreeMap;

use farthing_client::{Transfer, TransferFlags};

use super::Replay;
use super::read::Freshness;
use crate::check::real_time::Interval;
use crate::check::report::Checker;
use crate::check::trace::Asked;
use crate::history::{
    AccountState, Amounts, Filter, Hex, Lookup, Number, Rows, Statement, Sum, TransferRow,
};
use crate::model::Stretch;

const NS_PER_S: u64 = 1_000_000_000;
const EMPTY: Amounts = [Number(0); 4];

impl Replay<'_> {
    pub(super) fn look_at_page(&mut self, asked: &Asked, until: u64) {
        let index = asked.page.applied_index;
        self.freshness(&Freshness {
            applied_index: index,
            consistency: asked.query.consistency,
            interval: Interval {
                invoke_ns: asked.invoke_ns,
                complete_ns: asked.complete_ns,
                invoke_event: asked.invoke_event,
                complete_event: asked.complete_event,
            },
        });
        if let Some(wrong) = self.search(until, |replay| replay.wrong_page(asked)) {
            let events = vec![
                u64::from(asked.invoke_event),
                u64::from(asked.complete_event),
            ];
            let message = format!("page at log index {index}: {wrong}");
            self.findings.derive(Checker::C1, events, message);
        }
    }

    fn wrong_page(&self, asked: &Asked) -> Option<String> {
        let (query, page) = (&asked.query, &asked.page);
        if page.rows.len() > query.size as usize {
            return Some(format!(
                "{} rows, {} asked for",
                page.rows.len(),
                query.size
            ));
        }
        let stretch = Stretch {
            reversed: query.reversed,
            after: query.after,
            // One more than it says there is.
            limit: page.rows.len() + usize::from(!page.more),
        };
        match &page.rows {
            Rows::Transfers(rows) => {
                let expected = self.model.list_transfers(&query.filter, stretch);
                let expected: Vec<TransferRow> = expected.into_iter().map(TransferRow).collect();
                differ(rows, &expected)
            }
            Rows::Accounts(rows) => {
                let expected = self.model.list_accounts(&query.filter, stretch);
                let expected: Vec<AccountState> = expected.into_iter().map(AccountState).collect();
                differ(rows, &expected)
            }
            Rows::Statement(statement) => {
                let account = query.filter.account.unwrap_or_default();
                self.wrong_statement(account, statement.as_ref(), page.more)
            }
            Rows::Sums(_) if page.more => None, // parts of rows
            Rows::Sums(rows) => {
                let mut rows = rows.clone();
                rows.sort_unstable();
                differ(&rows, &self.sums(query.filter.account.unwrap_or_default()))
            }
        }
    }

    /// A statement whose newest rows come first: it ends at the account's balances, its rows lead there one after the
    /// other, and its transfers are the account's newest.
    fn wrong_statement(
        &self,
        account: Hex,
        statement: Option<&Statement>,
        more: bool,
    ) -> Option<String> {
        let (now, statement) = match (self.model.account(account.0), statement) {
            (None, None) => return None,
            (Some(it), Some(statement)) => {
                let now = [
                    it.debits_pending,
                    it.debits_posted,
                    it.credits_pending,
                    it.credits_posted,
                ];
                (now.map(Number), statement)
            }
            (_, seen) => {
                let words = ["does not exist", "exists"];
                return Some(format!(
                    "account {account} {}",
                    words[usize::from(seen.is_some())]
                ));
            }
        };
        let mut balances = statement.opening;
        if !more && balances != EMPTY {
            return Some(format!("account {account} began with {balances:?}"));
        }
        let mut transfers = Vec::new();
        for row in statement.rows.iter().rev() {
            let Lookup::Found(transfer) = self.model.lookup(row.id.0) else {
                return Some(format!("a change by {}, which does not exist", row.id));
            };
            let change = self.model.change(account.0, &transfer, row.expired);
            let Some(after) = change.and_then(|change| add(balances, change)) else {
                return Some(format!("{} cannot change account {account}", row.id));
            };
            if after != row.balances {
                return Some(format!(
                    "account {account} after {}: seen {:?}, expected {after:?}",
                    row.id, row.balances
                ));
            }
            balances = after;
            if !row.expired {
                transfers.push(row.id);
            }
        }
        if balances != now {
            return Some(format!(
                "account {account}: seen {balances:?}, expected {now:?}"
            ));
        }
        transfers.reverse();
        let filter = Filter {
            account: Some(account),
            ..Filter::default()
        };
        let stretch = Stretch {
            reversed: true,
            after: 0,
            limit: transfers.len() + usize::from(!more),
        };
        let expected = self.model.list_transfers(&filter, stretch);
        let expected: Vec<Hex> = expected.iter().map(|it| Hex(it.id.0)).collect();
        differ(&transfers, &expected)
    }

    /// Sums of the settled transfers of an account, by second and code.
    fn sums(&self, account: Hex) -> Vec<Sum> {
        let filter = Filter {
            account: Some(account),
            ..Filter::default()
        };
        let all = Stretch {
            reversed: false,
            after: 0,
            limit: usize::MAX,
        };
        let mut sums: BTreeMap<(u64, u16), Sum> = BTreeMap::new();
        let moves_nothing = TransferFlags::PENDING.with(TransferFlags::VOID_PENDING_TRANSFER);
        let settled = |it: &Transfer| !it.flags.intersects(moves_nothing);
        for it in self
            .model
            .list_transfers(&filter, all)
            .iter()
            .filter(|it| settled(it))
        {
            let start = it.timestamp - it.timestamp % NS_PER_S;
            let sum = sums.entry((start, it.code)).or_insert(Sum {
                start,
                code: it.code,
                ..Sum::default()
            });
            let side = match it.debit_account_id.0 == account.0 {
                true => &mut sum.debits,
                false => &mut sum.credits,
            };
            *side = (side.0 + 1, Number(side.1.0 + it.amount));
        }
        sums.into_values().collect()
    }
}

fn add(balances: Amounts, change: [i128; 4]) -> Option<Amounts> {
    let mut after = balances;
    for (balance, change) in after.iter_mut().zip(change) {
        balance.0 = balance.0.checked_add_signed(change)?;
    }
    Some(after)
}

/// The first row that differs, in words.
fn differ<T: PartialEq + std::fmt::Debug>(seen: &[T], expected: &[T]) -> Option<String> {
    let longest = seen.len().max(expected.len());
    let place = (0..longest).find(|place| seen.get(*place) != expected.get(*place))?;
    let show = |row: Option<&T>| row.map_or("nothing".to_owned(), |row| format!("{row:?}"));
    Some(format!(
        "row {place}: seen {}, expected {}",
        show(seen.get(place)),
        show(expected.get(place))
    ))
}
