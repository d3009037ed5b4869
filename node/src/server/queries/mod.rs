//! `farthing.v1.Queries`.

mod token;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use farthing_ledger::{AccountId, Order, TransferFilter};
use farthing_proto::convert;
use farthing_proto::convert::id::parse_id;
use farthing_proto::convert::query::page_size;
use farthing_proto::error::{FieldError, Refused};
use farthing_proto::v1;
use farthing_proto::v1::queries_server::Queries;
use tonic::{Request, Response, Status};

use self::token::{Kind, Question};
use super::context::{Context, deadline, storage_failed};
use crate::storage::query::{BalanceRow, Cause, Group, Mark, Paging, Sums};
use crate::storage::{Error, Reader};

/// A page takes no longer, whatever the deadline: what is missing is on the next one.
const PAGE_TIME_MAX: Duration = Duration::from_millis(500);
const NS_PER_S: u64 = 1_000_000_000;

/// The service.
#[derive(Clone)]
pub(super) struct Service(pub(super) Context);

/// A question and its page.
struct Asked {
    question: Question,
    paging: Paging,
}

impl Asked {
    fn new(question: Question, page: &v1::PageRequest, until: Instant) -> Result<Self, Refused> {
        let mut after = question.mark(&page.token)?;
        if let Some(mark) = &mut after
            && crate::planted::is("page-begins-late")
        {
            mark.sequence = mark.sequence.wrapping_add(1);
        }
        let paging = Paging {
            order: if page.reversed {
                Order::Reversed
            } else {
                Order::Forward
            },
            after,
            limit: page_size(page.size),
            until: until.min(Instant::now() + PAGE_TIME_MAX),
        };
        Ok(Self { question, paging })
    }

    fn token(&self, next: Option<Mark>) -> String {
        self.question.token(next)
    }
}

impl Service {
    async fn read<T>(
        &self,
        consistency: Option<v1::Consistency>,
        until: Instant,
        ask: impl FnOnce(&Reader) -> Result<T, Error>,
    ) -> Result<(Reader, T), Refused> {
        let reader = self.0.reader(consistency.into(), until).await?;
        let found = tokio::task::block_in_place(|| ask(&reader));
        match found {
            Ok(found) => Ok((reader, found)),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed(&self, error: &Error) -> Refused {
        storage_failed(self.0.storage(), error)
    }

    fn scales(
        &self,
        reader: &Reader,
        ledgers: impl Iterator<Item = u32>,
    ) -> Result<BTreeMap<u32, u8>, Refused> {
        let mut ledgers: Vec<u32> = ledgers.collect();
        ledgers.sort_unstable();
        ledgers.dedup();
        let scales = self.0.scales().read(self.0.storage(), reader, &ledgers)?;
        let scale = |ledger| (ledger, scales.get(&ledger).copied().unwrap_or(0));
        Ok(ledgers.into_iter().map(scale).collect())
    }

    /// The ledger of an account, and its scale; `None`: there is no such account.
    fn account_scale(
        &self,
        reader: &Reader,
        account: AccountId,
    ) -> Result<Option<v1::LedgerScale>, Refused> {
        let account = reader
            .account(account)
            .map_err(|error| self.failed(&error))?;
        let Some(account) = account else {
            return Ok(None);
        };
        let scales = self.scales(reader, std::iter::once(account.ledger))?;
        Ok(to_wire(&scales).pop())
    }
}

fn to_wire(scales: &BTreeMap<u32, u8>) -> Vec<v1::LedgerScale> {
    let scale = |(ledger, scale): (&u32, &u8)| v1::LedgerScale {
        ledger: *ledger,
        scale: u32::from(*scale),
    };
    scales.iter().map(scale).collect()
}

fn scale_of(scale: &v1::LedgerScale) -> u8 {
    u8::try_from(scale.scale).unwrap_or_default()
}

fn account_id(text: &str) -> Result<AccountId, Refused> {
    parse_id(text)
        .map(AccountId)
        .map_err(|error| Refused::invalid(vec![FieldError::new("account_id", error.to_string())]))
}

fn time_range(min: u64, max: u64) -> Result<(u64, Option<u64>), Refused> {
    if max != 0 && max < min {
        let field = FieldError::new("timestamp_max", "is before timestamp_min");
        return Err(Refused::invalid(vec![field]));
    }
    Ok((min, Some(max).filter(|max| *max != 0)))
}

fn transfer_filter(filter: &v1::TransferFilter) -> Result<TransferFilter, Refused> {
    convert::query::transfers_from_wire(filter).map_err(Refused::invalid)
}

#[tonic::async_trait]
impl Queries for Service {
    async fn query_transfers(
        &self,
        request: Request<v1::QueryTransfersRequest>,
    ) -> Result<Response<v1::QueryTransfersReply>, Status> {
        let until = deadline(request.metadata());
        let request = request.into_inner();
        let message = request.filter.unwrap_or_default();
        let filter = transfer_filter(&message)?;
        let page = request.page.unwrap_or_default();
        let question = Question::new(Kind::Transfers, &message, page.reversed, 0);
        let asked = Asked::new(question, &page, until)?;
        let (reader, found) = self
            .read(request.consistency, until, |reader| {
                reader.query_transfers(&filter, &asked.paging)
            })
            .await?;
        let ledgers = found.rows.iter().map(|row| row.transfer.ledger);
        let scales = self.scales(&reader, ledgers)?;
        let transfer = |row: &farthing_ledger::TransferRow| {
            let scale = scales.get(&row.transfer.ledger).copied().unwrap_or(0);
            convert::transfer::to_wire(&row.transfer, scale)
        };
        Ok(self.0.reply(v1::QueryTransfersReply {
            transfers: found.rows.iter().map(transfer).collect(),
            next_page_token: asked.token(found.next),
            applied_index: reader.applied_index(),
            scales: to_wire(&scales),
        }))
    }

    async fn query_accounts(
        &self,
        request: Request<v1::QueryAccountsRequest>,
    ) -> Result<Response<v1::QueryAccountsReply>, Status> {
        let until = deadline(request.metadata());
        let request = request.into_inner();
        let message = request.filter.unwrap_or_default();
        let filter = convert::query::accounts_from_wire(&message).map_err(Refused::invalid)?;
        let page = request.page.unwrap_or_default();
        let question = Question::new(Kind::Accounts, &message, page.reversed, 0);
        let asked = Asked::new(question, &page, until)?;
        let (reader, found) = self
            .read(request.consistency, until, |reader| {
                reader.query_accounts(&filter, &asked.paging)
            })
            .await?;
        let ledgers = found.rows.iter().map(|account| account.ledger);
        let scales = self.scales(&reader, ledgers)?;
        let account = |account: &farthing_ledger::Account| {
            let scale = scales.get(&account.ledger).copied().unwrap_or(0);
            convert::account::to_wire(account, scale)
        };
        Ok(self.0.reply(v1::QueryAccountsReply {
            accounts: found.rows.iter().map(account).collect(),
            next_page_token: asked.token(found.next),
            applied_index: reader.applied_index(),
            scales: to_wire(&scales),
        }))
    }

    async fn account_balances(
        &self,
        request: Request<v1::AccountBalancesRequest>,
    ) -> Result<Response<v1::AccountBalancesReply>, Status> {
        let until = deadline(request.metadata());
        let request = request.into_inner();
        let account = account_id(&request.account_id)?;
        let (min, max) = time_range(request.timestamp_min, request.timestamp_max)?;
        let page = request.page.unwrap_or_default();
        // The question without its page and its consistency, which may differ from page to page.
        let asked = v1::AccountBalancesRequest {
            account_id: request.account_id,
            timestamp_min: min,
            timestamp_max: request.timestamp_max,
            ..v1::AccountBalancesRequest::default()
        };
        let question = Question::new(Kind::Balances, &asked, page.reversed, 0);
        let asked = Asked::new(question, &page, until)?;
        let (reader, found) = self
            .read(request.consistency, until, |reader| {
                reader.balances(account, min, max, &asked.paging)
            })
            .await?;
        let applied_index = reader.applied_index();
        let Some(scale) = self.account_scale(&reader, account)? else {
            return Ok(self.0.reply(v1::AccountBalancesReply {
                applied_index,
                ..v1::AccountBalancesReply::default()
            }));
        };
        let digits = scale_of(&scale);
        let row = |row: &BalanceRow| v1::BalanceRow {
            timestamp: row.timestamp,
            transfer: Some(convert::transfer::to_wire(&row.transfer, digits)),
            expired: row.cause == Cause::Expiry,
            balances: Some(convert::query::balances_to_wire(&row.balances, digits)),
        };
        Ok(self.0.reply(v1::AccountBalancesReply {
            rows: found.page.rows.iter().map(row).collect(),
            opening: Some(convert::query::balances_to_wire(&found.opening, digits)),
            next_page_token: asked.token(found.page.next),
            applied_index,
            account_exists: true,
            scale: Some(scale),
        }))
    }

    async fn balance_at(
        &self,
        request: Request<v1::BalanceAtRequest>,
    ) -> Result<Response<v1::BalanceAtReply>, Status> {
        let until = deadline(request.metadata());
        let request = request.into_inner();
        let account = account_id(&request.account_id)?;
        let (reader, found) = self
            .read(request.consistency, until, |reader| {
                match request.timestamp {
                    0 => Ok(reader.account(account)?.map(|account| account.balances())),
                    time => reader.balances_at(account, time, until),
                }
            })
            .await?;
        let scale = self.account_scale(&reader, account)?;
        let digits = scale.as_ref().map_or(0, scale_of);
        Ok(self.0.reply(v1::BalanceAtReply {
            balances: found.map(|found| convert::query::balances_to_wire(&found, digits)),
            applied_index: reader.applied_index(),
            scale,
        }))
    }

    async fn sum_transfers(
        &self,
        request: Request<v1::SumTransfersRequest>,
    ) -> Result<Response<v1::SumTransfersReply>, Status> {
        let until = deadline(request.metadata());
        let request = request.into_inner();
        let message = request.filter.unwrap_or_default();
        let filter = transfer_filter(&message)?;
        let Some(account) = filter.account_id else {
            let field = FieldError::new("filter.account_id", "is required: sums are of an account");
            return Err(Refused::invalid(vec![field]).into());
        };
        let page = request.page.unwrap_or_default();
        let rest = u64::from(request.period_s) << 1 | u64::from(request.by_code);
        let question = Question::new(Kind::Sums, &message, page.reversed, rest);
        let asked = Asked::new(question, &page, until)?;
        let period_ns = u64::from(request.period_s) * NS_PER_S;
        let (reader, found) = self
            .read(request.consistency, until, |reader| {
                reader.sums(&filter, request.by_code, period_ns, &asked.paging)
            })
            .await?;
        let scale = self.account_scale(&reader, account)?;
        let digits = scale.as_ref().map_or(0, scale_of);
        let amount = |amount| convert::amount::format_amount(amount, digits);
        let row = |(group, sums): &(Group, Sums)| v1::SumRow {
            period_start: group.period_start,
            code: group.code.into(),
            debit_count: sums.debit_count,
            debits_posted: amount(sums.debits_posted),
            credit_count: sums.credit_count,
            credits_posted: amount(sums.credits_posted),
        };
        Ok(self.0.reply(v1::SumTransfersReply {
            rows: found.rows.iter().map(row).collect(),
            next_page_token: asked.token(found.next),
            applied_index: reader.applied_index(),
            scale,
        }))
    }
}
