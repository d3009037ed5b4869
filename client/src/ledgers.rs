//! Calls on ledgers.

use farthing_ledger::{CreateLedgerStatus, Ledger};
use farthing_proto::convert;
use farthing_proto::packed;
use farthing_proto::v1::ledgers_client::LedgersClient;
use farthing_proto::v1::{LookupLedgersReply, LookupLedgersRequest};

use crate::batch::submit::SubmitPart;
use crate::client::Client;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::unary::Repeat;

/// Ledgers read in all by [`Client::ledgers`]: a bound on what a server can make us keep.
const LEDGERS_MAX: usize = 1 << 20;

impl Client {
    /// Registers ledgers: number, currency and scale, fixed for ever. One outcome for each,
    /// in order; at most 8,189.
    ///
    /// # Errors
    /// See [`Error`]. A refused ledger is an outcome, not an error.
    pub async fn create_ledgers(
        &self,
        ledgers: &[Ledger],
    ) -> Result<Vec<Outcome<CreateLedgerStatus>>, Error> {
        if ledgers.is_empty() {
            return Ok(Vec::new());
        }
        let part = SubmitPart::new(vec![packed::ledgers_section(ledgers)])?;
        self.submit_part(part).await?.first()
    }

    /// All ledgers by number, unregistered ones in use included.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn ledgers(&self) -> Result<Vec<Ledger>, Error> {
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let reply = self
                .ask_for_ledgers(LookupLedgersRequest {
                    page_token: page_token.clone(),
                    ..LookupLedgersRequest::default()
                })
                .await?;
            let next = reply.next_page_token.clone();
            all.extend(read(&reply)?.into_iter().flatten());
            if next.is_empty() {
                return Ok(all);
            }
            if next == page_token || all.len() > LEDGERS_MAX {
                return Err(unreadable("its pages of ledgers do not end"));
            }
            page_token = next;
        }
    }

    /// Ledgers by number, in the order asked.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lookup_ledgers(&self, numbers: &[u32]) -> Result<Vec<Option<Ledger>>, Error> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let reply = self
            .ask_for_ledgers(LookupLedgersRequest {
                numbers: numbers.to_vec(),
                ..LookupLedgersRequest::default()
            })
            .await?;
        let found = read(&reply)?;
        if found.len() == numbers.len() {
            Ok(found)
        } else {
            Err(unreadable("its ledgers do not fit the numbers"))
        }
    }

    async fn ask_for_ledgers(
        &self,
        request: LookupLedgersRequest,
    ) -> Result<LookupLedgersReply, Error> {
        self.ask_leader(Repeat::Always, request, |channel, request| async move {
            LedgersClient::new(channel).lookup_ledgers(request).await
        })
        .await
    }
}

fn read(reply: &LookupLedgersReply) -> Result<Vec<Option<Ledger>>, Error> {
    reply
        .ledgers
        .iter()
        .map(|found| {
            found
                .ledger
                .as_ref()
                .map(convert::ledger::stored_from_wire)
                .transpose()
        })
        .collect::<Result<_, _>>()
        .map_err(|words| unreadable(&words))
}

fn unreadable(message: &str) -> Error {
    Error::Unreadable {
        address: "the leader".to_owned(),
        message: message.to_owned(),
    }
}
