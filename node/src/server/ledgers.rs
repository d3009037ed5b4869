//! `farthing.v1.Ledgers` in typed form.

use farthing_ledger::{Ledger, SectionKind};
use farthing_proto::convert;
use farthing_proto::error::{FieldError, Refused};
use farthing_proto::limits::ITEMS_MAX;
use farthing_proto::v1;
use farthing_proto::v1::ledgers_server::Ledgers;
use tonic::{Request, Response, Status};

use super::context::{Context, deadline, storage_failed};
use super::only_section;

/// Rows of a page when the caller names no size.
const PAGE_DEFAULT: usize = 1_000;

/// The service.
#[derive(Clone)]
pub(super) struct Service(pub(super) Context);

#[tonic::async_trait]
impl Ledgers for Service {
    async fn create_ledgers(
        &self,
        request: Request<v1::CreateLedgersRequest>,
    ) -> Result<Response<v1::CreateLedgersReply>, Status> {
        let until = deadline(request.metadata());
        let messages = request.into_inner().ledgers;
        super::transfers::check_count("ledgers", messages.len())?;
        let ledgers = convert::ledger::from_wire(&messages).map_err(Refused::invalid)?;
        let mut items = Vec::with_capacity(ledgers.len() * Ledger::BYTES);
        ledgers
            .iter()
            .for_each(|ledger| ledger.write_to(&mut items));
        let answer = self
            .0
            .submit(&[(SectionKind::Ledgers, ledgers.len(), &items)], until)
            .await?;
        let (results, log_index) = only_section(answer);
        let results = convert::status::ledgers_to_wire(&results, log_index);
        Ok(self.0.reply(v1::CreateLedgersReply { results }))
    }

    async fn lookup_ledgers(
        &self,
        request: Request<v1::LookupLedgersRequest>,
    ) -> Result<Response<v1::LookupLedgersReply>, Status> {
        let until = deadline(request.metadata());
        let request = request.into_inner();
        if request.numbers.len() > ITEMS_MAX {
            super::transfers::check_count("numbers", request.numbers.len())?;
        }
        let reader = self.0.reader(request.consistency.into(), until).await?;
        let failed = |error| Status::from(storage_failed(self.0.storage(), &error));
        let mut next_page_token = String::new();
        let ledgers = if request.numbers.is_empty() {
            let after = parse_token(&request.page_token)?;
            let size = match request.page_size {
                0 => PAGE_DEFAULT,
                size => (size as usize).min(ITEMS_MAX),
            };
            let mut all = reader.ledgers().map_err(failed)?;
            all.retain(|ledger| ledger.ledger > after);
            if all.len() > size {
                all.truncate(size);
                next_page_token = all
                    .last()
                    .map(|last| last.ledger.to_string())
                    .unwrap_or_default();
            }
            all.into_iter().map(Some).collect()
        } else {
            let mut found = Vec::with_capacity(request.numbers.len());
            for number in &request.numbers {
                found.push(reader.ledger(*number).map_err(failed)?);
            }
            found
        };
        let ledgers = ledgers
            .iter()
            .map(|ledger| v1::LookedUpLedger {
                ledger: ledger.as_ref().map(convert::ledger::to_wire),
            })
            .collect();
        let applied_index = reader.applied_index();
        Ok(self.0.reply(v1::LookupLedgersReply {
            ledgers,
            applied_index,
            next_page_token,
        }))
    }
}

/// A token names the last ledger of the page before.
pub(crate) fn parse_token(token: &str) -> Result<u32, Refused> {
    if token.is_empty() {
        return Ok(0);
    }
    token.parse().map_err(|_| {
        let description = "it is not a token that an earlier page returned".to_owned();
        Refused::invalid(vec![FieldError::new("page_token", description)])
    })
}
