//! W8: questions, and transfers and accounts with something to ask for.

use farthing_client::{Account, AccountId, TransferFlags};
use rand::Rng;

use super::mix::{Ask, Mix};
use super::shared::LEDGER;
use crate::history::{About, Filter, Hex, Query};

/// One page of a listing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Listing {
    /// The question.
    pub query: Query,
    /// Of the page before; empty = first page.
    pub token: String,
}

impl Listing {
    /// The page after one that ended with a token and, if it had rows, with the timestamp of its last row.
    ///
    /// A listing whose newest rows come first and that has shown none yet is not followed: which rows were the newest
    /// when it began, nobody wrote down.
    #[must_use]
    pub fn next(&self, token: String, last: Option<u64>) -> Option<Self> {
        let after = last.unwrap_or(self.query.after);
        let known = after != 0 || !self.query.reversed;
        let pages = matches!(self.query.about, About::Transfers | About::Accounts);
        (pages && known && !token.is_empty()).then(|| Self {
            query: Query {
                after,
                ..self.query.clone()
            },
            token,
        })
    }
}

impl Mix {
    pub(super) fn queries(&mut self) -> Ask {
        if let Some(rest) = self.rest.take()
            && self.chance(85)
        {
            return Ask::Query(rest);
        }
        match self.random.random_range(0..100) {
            0..45 => Ask::Query(Box::new(Listing {
                query: self.question(),
                token: String::new(),
            })),
            45..55 => self.two_phase(),
            55..60 => Ask::Accounts((0..3).map(|_| self.told_account()).collect()),
            _ => {
                let count = self.random.random_range(1..12);
                let mut items: Vec<_> = (0..count).map(|_| self.hot()).collect();
                for item in &mut items {
                    item.user_data_128 = self.data_128();
                    item.user_data_64 = self.random.random_range(0..6);
                    item.user_data_32 = self.random.random_range(0..4);
                    item.code = self.random.random_range(1..4);
                    if self.chance(10) {
                        item.flags = TransferFlags::PENDING;
                        item.timeout = self.random.random_range(0..3);
                    }
                }
                Ask::Transfers(items)
            }
        }
    }

    fn data_128(&mut self) -> u128 {
        u128::from(self.random.random_range(0..4_u8)) << 80
    }

    fn told_account(&mut self) -> Account {
        Account {
            id: AccountId(self.random.random_range(1 << 64..u128::MAX)),
            user_data_128: self.data_128(),
            user_data_64: self.random.random_range(0..3),
            user_data_32: self.random.random_range(0..3),
            ledger: LEDGER,
            code: self.random.random_range(1..4),
            ..Account::default()
        }
    }

    fn question(&mut self) -> Query {
        let about = match self.random.random_range(0..100) {
            0..55 => About::Transfers,
            55..70 => About::Accounts,
            70..90 => About::Statement,
            _ => About::Sums,
        };
        let of_account = matches!(about, About::Statement | About::Sums);
        let filter = if of_account {
            Filter {
                account: Some(self.any_account()),
                ..Filter::default()
            }
        } else {
            self.filter(about)
        };
        Query {
            about,
            filter,
            // The newest balances are known; the way there is not.
            reversed: about == About::Statement || (about != About::Sums && self.chance(50)),
            size: match about {
                About::Sums => 1_000,
                _ => [1, 3, 10, 40, 100][self.random.random_range(0..5)],
            },
            after: 0,
            consistency: self.level(),
        }
    }

    /// Hot ones, and now and then one that does not exist.
    fn any_account(&mut self) -> Hex {
        if self.chance(3) {
            return Hex(self.random.random_range(1 << 64..u128::MAX));
        }
        Hex(self.shared.hot(&mut self.random).0)
    }

    fn filter(&mut self, about: About) -> Filter {
        let mut filter = Filter::default();
        if about == About::Transfers && self.chance(60) {
            filter.account = Some(self.any_account());
            filter.is_debited = [None, Some(true), Some(false)][self.random.random_range(0..3)];
        }
        if self.chance(25) {
            filter.user_data_128 = Some(Hex(self.data_128()));
        }
        if self.chance(25) {
            filter.user_data_64 = Some(self.random.random_range(0..7));
        }
        if self.chance(25) {
            filter.user_data_32 = Some(self.random.random_range(0..5));
        }
        if self.chance(25) {
            filter.code = Some(self.random.random_range(1..5));
        }
        let newest = self.shared.newest_timestamp();
        if newest != 0 && self.chance(40) {
            let second = 1_000_000_000;
            filter.from = newest.saturating_sub(self.random.random_range(0..30 * second));
            if self.chance(50) {
                filter.to = filter.from + self.random.random_range(0..10 * second);
            }
        }
        filter
    }
}
