//! Questions about what happened, page by page or as streams that page by themselves.
//!
//! A page is exact at one log index. A stream is a sequence of pages: what is created while it runs may appear at its
//! newest end, and accounts carry the balances of their own page. For one cut of it all, ask oldest first up to a time
//! that has passed: what has happened never changes.

pub mod read;
mod sums;

use std::future::Future;
use std::pin::Pin;

use farthing_ledger::{
    Account, AccountFilter, AccountId, Balances, Order, Transfer, TransferFilter,
};
use farthing_proto::convert;
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::convert::id::format_id;
use farthing_proto::v1;
use farthing_proto::v1::queries_client::QueriesClient;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

pub use self::sums::{Period, SumRow};
use crate::client::Client;
use crate::error::Error;
use crate::unary::Repeat;

/// How a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueryOptions {
    /// Which end of the log comes first.
    pub order: Order,
    /// Rows of a page, 1 to 1,000; 0 = 100.
    pub page_size: u32,
    /// How fresh each page must be.
    pub consistency: Consistency,
}

impl QueryOptions {
    fn page(&self, token: &str) -> v1::PageRequest {
        v1::PageRequest {
            size: self.page_size,
            token: token.to_owned(),
            reversed: self.order == Order::Reversed,
        }
    }
}

/// Rows of an answer, exact at one log index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// In the order that was asked for; they may be none although there are more.
    pub rows: Vec<T>,
    /// Give it with the same question to get the next page; `None`: there was nothing more.
    pub next: Option<String>,
    /// The log index at which the page is exact.
    pub applied_index: u64,
}

/// An account's balances after one change of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceRow {
    /// When they changed, in ns.
    pub timestamp: u64,
    /// The transfer that was carried out, or the pending one that expired.
    pub transfer: Transfer,
    /// The pending transfer reached its timeout.
    pub expired: bool,
    /// The account's balances afterwards.
    pub balances: Balances,
}

/// Part of an account's statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The balances before the oldest row of the page.
    pub opening: Balances,
    /// The changes.
    pub page: Page<BalanceRow>,
}

/// A call on `Queries`, on its way.
type Call<R> = Pin<Box<dyn Future<Output = Result<Response<R>, Status>> + Send>>;

impl Client {
    /// The leader for linearizable reads; otherwise whichever node answers.
    async fn ask_queries<M, R>(
        &self,
        consistency: Consistency,
        request: M,
        call: impl Fn(QueriesClient<Channel>, Request<M>) -> Call<R>,
    ) -> Result<R, Error>
    where
        M: Clone,
    {
        let call =
            |channel: Channel, request: Request<M>| call(QueriesClient::new(channel), request);
        match consistency {
            Consistency::Linearizable => self.ask_leader(Repeat::Always, request, call).await,
            Consistency::MinLogIndex(_) | Consistency::Stale => self.ask_any(request, call).await,
        }
    }

    /// One page of the transfers that match a filter, in the order of the log; `token` is empty for the first page.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn query_transfers_page(
        &self,
        filter: &TransferFilter,
        options: &QueryOptions,
        token: &str,
    ) -> Result<Page<Transfer>, Error> {
        let request = v1::QueryTransfersRequest {
            filter: Some(convert::query::transfers_to_wire(filter)),
            page: Some(options.page(token)),
            consistency: options.consistency.into(),
        };
        let reply = self
            .ask_queries(options.consistency, request, |mut client, request| {
                Box::pin(async move { client.query_transfers(request).await })
            })
            .await?;
        read::transfers(&reply)
    }

    /// Every transfer that matches a filter, in the order of the log.
    pub fn query_transfers(
        &self,
        filter: TransferFilter,
        options: QueryOptions,
    ) -> impl Stream<Item = Result<Transfer, Error>> + '_ {
        pages(
            move |token| async move { self.query_transfers_page(&filter, &options, &token).await },
        )
    }

    /// One page of the accounts that match a filter, in the order in which they were created, with their balances of
    /// the page's cut; `token` is empty for the first page.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn query_accounts_page(
        &self,
        filter: &AccountFilter,
        options: &QueryOptions,
        token: &str,
    ) -> Result<Page<Account>, Error> {
        let request = v1::QueryAccountsRequest {
            filter: Some(convert::query::accounts_to_wire(filter)),
            page: Some(options.page(token)),
            consistency: options.consistency.into(),
        };
        let reply = self
            .ask_queries(options.consistency, request, |mut client, request| {
                Box::pin(async move { client.query_accounts(request).await })
            })
            .await?;
        read::accounts(&reply)
    }

    /// Every account that matches a filter, in the order in which they were created.
    pub fn query_accounts(
        &self,
        filter: AccountFilter,
        options: QueryOptions,
    ) -> impl Stream<Item = Result<Account, Error>> + '_ {
        pages(move |token| async move { self.query_accounts_page(&filter, &options, &token).await })
    }

    /// One page of an account's balances after each change of them, from `min` to `max` (ns, both included; `max` 0 = no
    /// end); `None` when there is no such account.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn account_balances_page(
        &self,
        account: AccountId,
        min: u64,
        max: u64,
        options: &QueryOptions,
        token: &str,
    ) -> Result<Option<Statement>, Error> {
        let request = v1::AccountBalancesRequest {
            account_id: format_id(account.0),
            timestamp_min: min,
            timestamp_max: max,
            page: Some(options.page(token)),
            consistency: options.consistency.into(),
        };
        let reply = self
            .ask_queries(options.consistency, request, |mut client, request| {
                Box::pin(async move { client.account_balances(request).await })
            })
            .await?;
        read::statement(&reply)
    }

    /// An account's balances after each change of them; nothing when there is no such account.
    pub fn account_balances(
        &self,
        account: AccountId,
        min: u64,
        max: u64,
        options: QueryOptions,
    ) -> impl Stream<Item = Result<BalanceRow, Error>> + '_ {
        pages(move |token| async move {
            let page = self
                .account_balances_page(account, min, max, &options, &token)
                .await?;
            Ok(page.map_or_else(
                || Page {
                    rows: vec![],
                    next: None,
                    applied_index: 0,
                },
                |statement| statement.page,
            ))
        })
    }

    /// The balances of an account at a time (ns; 0 = now), and the log index at which that is exact. `None` when the
    /// account did not exist at that time.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn balance_at(
        &self,
        account: AccountId,
        timestamp: u64,
        consistency: Consistency,
    ) -> Result<(Option<Balances>, u64), Error> {
        let request = v1::BalanceAtRequest {
            account_id: format_id(account.0),
            timestamp,
            consistency: consistency.into(),
        };
        let reply = self
            .ask_queries(consistency, request, |mut client, request| {
                Box::pin(async move { client.balance_at(request).await })
            })
            .await?;
        read::balance_at(&reply)
    }
}

/// Rows of page after page.
fn pages<'a, T, F>(
    page: impl Fn(String) -> F + Send + 'a,
) -> impl Stream<Item = Result<T, Error>> + 'a
where
    T: Send + 'a,
    F: Future<Output = Result<Page<T>, Error>> + Send + 'a,
{
    stream::try_unfold((Some(String::new()), page), |(token, page)| async move {
        let Some(token) = token else {
            return Ok(None);
        };
        let found = page(token.clone()).await?;
        if found.next.as_ref() == Some(&token) {
            return Err(read::unreadable("its pages do not end"));
        }
        let rows = stream::iter(found.rows).map(Ok);
        Ok(Some((rows, (found.next, page))))
    })
    .try_flatten()
}
