//! Questions to one node, and its pages as a history has them.

use std::time::Duration;

use farthing_client::queries::{self, BalanceRow, SumRow, read};
use farthing_client::{AccountFilter, AccountId, Balances, Error, TransferFilter};
use farthing_proto::convert::query::{accounts_to_wire, transfers_to_wire};
use farthing_proto::v1::queries_client::QueriesClient;
use farthing_proto::v1::{
    AccountBalancesReply, AccountBalancesRequest, PageRequest, QueryAccountsRequest,
    QueryTransfersRequest, SumTransfersReply, SumTransfersRequest,
};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::questions::Listing;
use super::remote::{End, Remote, level};
use crate::history::{
    About, AccountState, Amounts, Change, Filter, Hex, Number, Page, Rows, Statement, Sum,
    TransferRow,
};

type Client = QueriesClient<Channel>;

/// A page and the token of the next; empty when there is none.
type Answered = (Page, String);

impl Remote {
    /// Asks for a page.
    ///
    /// # Errors
    /// [`End::Fail`].
    pub async fn query(&self, listing: &Listing, deadline: Duration) -> Result<Answered, End> {
        let query = &listing.query;
        let page = Some(PageRequest {
            size: query.size,
            token: listing.token.clone(),
            reversed: query.reversed,
        });
        let consistency = level(query.consistency).into();
        let filter = &query.filter;
        let account = filter.account.map_or(0, |id| id.0);
        match query.about {
            About::Transfers => {
                let request = QueryTransfersRequest {
                    filter: Some(transfers_to_wire(&transfer_filter(filter))),
                    page,
                    consistency,
                };
                let call =
                    async |mut client: Client, request| client.query_transfers(request).await;
                self.ask(request, deadline, call, |reply| {
                    let rows = |rows: Vec<_>| rows.into_iter().map(TransferRow).collect();
                    Ok(answered(read::transfers(reply)?, |it| {
                        Rows::Transfers(rows(it))
                    }))
                })
                .await
            }
            About::Accounts => {
                let request = QueryAccountsRequest {
                    filter: Some(accounts_to_wire(&account_filter(filter))),
                    page,
                    consistency,
                };
                let call = async |mut client: Client, request| client.query_accounts(request).await;
                self.ask(request, deadline, call, |reply| {
                    let rows = |rows: Vec<_>| rows.into_iter().map(AccountState).collect();
                    Ok(answered(read::accounts(reply)?, |it| {
                        Rows::Accounts(rows(it))
                    }))
                })
                .await
            }
            About::Statement => {
                let request = AccountBalancesRequest {
                    account_id: farthing_client::format_id(account),
                    page,
                    consistency,
                    ..AccountBalancesRequest::default()
                };
                let call =
                    async |mut client: Client, request| client.account_balances(request).await;
                self.ask(request, deadline, call, statement).await
            }
            About::Sums => {
                let request = SumTransfersRequest {
                    filter: Some(transfers_to_wire(&transfer_filter(filter))),
                    by_code: true,
                    period_s: 1,
                    page,
                    consistency,
                };
                let call = async |mut client: Client, request| client.sum_transfers(request).await;
                self.ask(request, deadline, call, sums).await
            }
        }
    }

    async fn ask<M, R>(
        &self,
        message: M,
        deadline: Duration,
        call: impl AsyncFnOnce(Client, Request<M>) -> Result<Response<R>, Status>,
        read: impl FnOnce(&R) -> Result<Answered, Error>,
    ) -> Result<Answered, End> {
        let mut request = Request::new(message);
        request.set_timeout(deadline);
        let reply = self.call(deadline, |channel| async move {
            let reply = call(QueriesClient::new(channel), request).await?;
            Ok(reply.into_inner())
        });
        let reply = reply.await.map_err(End::of_read)?;
        read(&reply).map_err(|error| End::fail(error.to_string()))
    }
}

fn statement(reply: &AccountBalancesReply) -> Result<Answered, Error> {
    let Some(found) = read::statement(reply)? else {
        let page = Page {
            applied_index: reply.applied_index,
            more: false,
            rows: Rows::Statement(None),
        };
        return Ok((page, String::new()));
    };
    let opening = amounts(&found.opening);
    Ok(answered(found.page, |rows| {
        let rows = rows.iter().map(change).collect();
        Rows::Statement(Some(Statement { opening, rows }))
    }))
}

fn sums(reply: &SumTransfersReply) -> Result<Answered, Error> {
    let page = Page {
        applied_index: reply.applied_index,
        more: !reply.next_page_token.is_empty(),
        rows: Rows::Sums(read::sums(reply)?.iter().map(sum).collect()),
    };
    Ok((page, reply.next_page_token.clone()))
}

fn answered<T>(page: queries::Page<T>, rows: impl FnOnce(Vec<T>) -> Rows) -> Answered {
    let seen = Page {
        applied_index: page.applied_index,
        more: page.next.is_some(),
        rows: rows(page.rows),
    };
    (seen, page.next.unwrap_or_default())
}

fn transfer_filter(filter: &Filter) -> TransferFilter {
    TransferFilter {
        account_id: filter.account.map(|id| AccountId(id.0)),
        sides: filter.sides(),
        user_data_128: filter.user_data_128.map(|it| it.0),
        user_data_64: filter.user_data_64,
        user_data_32: filter.user_data_32,
        ledger: None,
        code: filter.code,
        timestamp_min: filter.from,
        timestamp_max: Some(filter.to).filter(|to| *to != 0),
    }
}

fn account_filter(filter: &Filter) -> AccountFilter {
    AccountFilter {
        user_data_128: filter.user_data_128.map(|it| it.0),
        user_data_64: filter.user_data_64,
        user_data_32: filter.user_data_32,
        ledger: None,
        code: filter.code,
        timestamp_min: filter.from,
        timestamp_max: Some(filter.to).filter(|to| *to != 0),
    }
}

fn amounts(balances: &Balances) -> Amounts {
    [
        balances.debits_pending,
        balances.debits_posted,
        balances.credits_pending,
        balances.credits_posted,
    ]
    .map(Number)
}

fn change(row: &BalanceRow) -> Change {
    Change {
        id: Hex(row.transfer.id.0),
        expired: row.expired,
        balances: amounts(&row.balances),
    }
}

fn sum(row: &SumRow) -> Sum {
    Sum {
        start: row.period_start,
        code: row.code,
        debits: (row.debit_count, Number(row.debits_posted)),
        credits: (row.credit_count, Number(row.credits_posted)),
    }
}
