//! `farthing.v1.Transfers` in typed form.

use std::collections::HashMap;
use std::time::Instant;

use farthing_ledger::{SectionKind, Transfer, TransferId};
use farthing_proto::convert;
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::convert::id::parse_id;
use farthing_proto::error::{FieldError, Reason, Refused};
use farthing_proto::limits::ITEMS_MAX;
use farthing_proto::v1;
use farthing_proto::v1::transfer::AmountChoice;
use farthing_proto::v1::transfers_server::Transfers;
use tonic::{Request, Response, Status};

use super::accounts::parse_ids;
use super::context::{Context, deadline, storage_failed};
use super::only_section;
use super::scales::Scales;
use crate::storage::Lead;

/// The service.
#[derive(Clone)]
pub(super) struct Service(pub(super) Context);

#[tonic::async_trait]
impl Transfers for Service {
    async fn create_transfers(
        &self,
        request: Request<v1::CreateTransfersRequest>,
    ) -> Result<Response<v1::CreateTransfersReply>, Status> {
        let until = deadline(request.metadata());
        let mut messages = request.into_inner().transfers;
        check_count("transfers", messages.len())?;
        self.borrow_ledgers(&mut messages, until).await?;
        let units = self.units(&messages, until).await?;
        let transfers =
            convert::transfer::from_wire(&messages, |ledger| units.get(&ledger).copied())
                .map_err(Refused::invalid)?;
        let mut items = Vec::with_capacity(transfers.len() * Transfer::BYTES);
        transfers
            .iter()
            .for_each(|transfer| transfer.write_to(&mut items));
        let answer = self
            .0
            .submit(&[(SectionKind::Transfers, messages.len(), &items)], until)
            .await?;
        let (results, log_index) = only_section(answer);
        let results = convert::status::transfers_to_wire(&results, log_index);
        Ok(self.0.reply(v1::CreateTransfersReply { results }))
    }

    async fn lookup_transfers(
        &self,
        request: Request<v1::LookupTransfersRequest>,
    ) -> Result<Response<v1::LookupTransfersReply>, Status> {
        let until = deadline(request.metadata());
        let request = request.into_inner();
        check_count("ids", request.ids.len())?;
        let ids: Vec<TransferId> = parse_ids(&request.ids)?
            .into_iter()
            .map(TransferId)
            .collect();
        let reader = self.0.reader(request.consistency.into(), until).await?;
        let found = tokio::task::block_in_place(|| reader.transfers(&ids))
            .map_err(|error| storage_failed(self.0.storage(), &error))?;
        let ledgers: Vec<u32> = found
            .iter()
            .filter_map(applied)
            .map(|transfer| transfer.ledger)
            .collect();
        let scales = self.0.scales().read(self.0.storage(), &reader, &ledgers)?;
        let transfers = found
            .iter()
            .map(|seen| v1::LookedUpTransfer {
                transfer: applied(seen).map(|transfer| {
                    convert::transfer::to_wire(
                        transfer,
                        scales.get(&transfer.ledger).copied().unwrap_or(0),
                    )
                }),
                refused: matches!(seen, Some(Lead::Refused)),
            })
            .collect();
        Ok(self.0.reply(v1::LookupTransfersReply {
            transfers,
            applied_index: reader.applied_index(),
        }))
    }
}

fn applied(seen: &Option<Lead>) -> Option<&Transfer> {
    match seen {
        Some(Lead::Transfer(row)) => Some(&row.transfer),
        Some(Lead::Refused) | None => None,
    }
}

fn resolves_pending(message: &v1::Transfer) -> bool {
    message.flags.iter().any(|flag| {
        matches!(
            v1::TransferFlag::try_from(*flag),
            Ok(v1::TransferFlag::PostPendingTransfer | v1::TransferFlag::VoidPendingTransfer)
        )
    })
}

impl Service {
    /// The scale for the text of every amount. Text on a ledger that does not exist has no unit and is refused, because
    /// its scale may still become anything.
    async fn units(
        &self,
        messages: &[v1::Transfer],
        until: Instant,
    ) -> Result<HashMap<u32, u8>, Refused> {
        let scales = Scales::get(
            &self.0,
            messages.iter().map(|message| message.ledger),
            until,
        )
        .await?;
        let mut violations = Vec::new();
        for (number, message) in messages.iter().enumerate() {
            let text = match &message.amount_choice {
                Some(AmountChoice::Amount(text)) => text.as_str(),
                _ => continue,
            };
            let unknown = message.ledger != 0 && !scales.contains_key(&message.ledger);
            if unknown && text != "0" {
                let ledger = message.ledger;
                let description = format!(
                    "ledger {ledger} is not registered and has no accounts, so {text} has no unit; create it first"
                );
                violations.push(FieldError::new(
                    format!("transfers[{number}].amount"),
                    description,
                ));
            }
        }
        if violations.is_empty() {
            Ok(scales)
        } else {
            Err(Refused::invalid(violations))
        }
    }

    /// The unit of a decimal amount in a post or void without a ledger is that of its pending transfer, which is in the
    /// state or in the same request. The number travels with the item: should another pending transfer get that id
    /// meanwhile, the amount is not posted in a unit it was not written in.
    async fn borrow_ledgers(
        &self,
        messages: &mut [v1::Transfer],
        until: Instant,
    ) -> Result<(), Refused> {
        let without = |message: &v1::Transfer| {
            let decimal =
                matches!(&message.amount_choice, Some(AmountChoice::Amount(text)) if text != "0");
            decimal && message.ledger == 0 && resolves_pending(message)
        };
        if !messages.iter().any(without) {
            return Ok(());
        }
        let moves = messages.iter().filter(|message| !resolves_pending(message));
        let same_request: HashMap<u128, u32> = moves
            .filter_map(|message| Some((parse_id(&message.id).ok()?, message.ledger)))
            .collect();
        let reader = self.0.reader(Consistency::Linearizable, until).await?;
        let mut violations = Vec::new();
        for (number, message) in messages
            .iter_mut()
            .enumerate()
            .filter(|(_, message)| without(message))
        {
            // Without a readable id there is no unit either, which the conversion says in its own words.
            let Ok(pending_id) = parse_id(&message.pending_id) else {
                continue;
            };
            let stored = tokio::task::block_in_place(|| reader.pending(TransferId(pending_id)));
            let stored = stored
                .map_err(|error| storage_failed(self.0.storage(), &error))?
                .map(|pending| pending.transfer.ledger);
            match stored.or_else(|| same_request.get(&pending_id).copied()) {
                Some(ledger) => message.ledger = ledger,
                None => {
                    let description = "there is no such pending transfer, so the amount has no unit; give the ledger";
                    violations.push(FieldError::new(
                        format!("transfers[{number}].amount"),
                        description,
                    ));
                }
            }
        }
        if violations.is_empty() {
            Ok(())
        } else {
            Err(Refused::invalid(violations))
        }
    }
}

/// Refuses an empty list and one that does not fit a request.
pub(super) fn check_count(field: &'static str, count: usize) -> Result<(), Refused> {
    match count {
        0 => Err(Refused::invalid(vec![FieldError::new(
            field,
            "at least one is required",
        )])),
        1..=ITEMS_MAX => Ok(()),
        _ => {
            let message = format!("{count} {field}; a request holds {ITEMS_MAX}: split it");
            Err(Refused::new(Reason::TooLarge, message))
        }
    }
}
