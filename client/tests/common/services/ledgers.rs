//! Ledgers, page by page.

use farthing_ledger::View;
use farthing_proto::convert;
use farthing_proto::v1::ledgers_server::Ledgers;
use farthing_proto::v1::*;
use tonic::{Request, Response, Status};

use super::{Node, unsupported};

#[tonic::async_trait]
impl Ledgers for Node {
    async fn create_ledgers(
        &self,
        _: Request<CreateLedgersRequest>,
    ) -> Result<Response<CreateLedgersReply>, Status> {
        unsupported()
    }

    async fn lookup_ledgers(
        &self,
        request: Request<LookupLedgersRequest>,
    ) -> Result<Response<LookupLedgersReply>, Status> {
        let request = self.admit(request)?;
        let reply = {
            let shared = self.lock();
            self.leads(&shared)?;
            let found = |ledger: &farthing_ledger::Ledger| LookedUpLedger {
                ledger: Some(convert::ledger::to_wire(ledger)),
            };
            let mut reply = LookupLedgersReply {
                applied_index: shared.log_index,
                ..Default::default()
            };
            if request.numbers.is_empty() {
                // Pages of two, so that paging is really used.
                let from: u32 = request.page_token.parse().unwrap_or(0);
                let mut rows = shared.state.ledgers().filter(|row| row.ledger > from);
                reply.ledgers = rows.by_ref().take(2).map(found).collect();
                if rows.next().is_some() {
                    let last = reply
                        .ledgers
                        .last()
                        .and_then(|row| row.ledger.as_ref())
                        .unwrap();
                    reply.next_page_token = last.number.to_string();
                }
            } else {
                reply.ledgers = request
                    .numbers
                    .iter()
                    .map(|number| {
                        shared
                            .state
                            .ledger(*number)
                            .as_ref()
                            .map(found)
                            .unwrap_or_default()
                    })
                    .collect();
            }
            reply
        };
        Ok(self.answer(reply))
    }
}
