//! Calls on transfers.

use farthing_ledger::{CreateTransferStatus, Pending, Transfer, TransferId};
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::packed;
use farthing_proto::v1::LookupKind;

use crate::batch::lookup::{Found, LookupPart};
use crate::batch::submit::SubmitPart;
use crate::client::Client;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::transfer_builder::TransferBuilder;

/// What is known of a transfer id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookedUpTransfer {
    /// Never seen.
    Unknown,
    /// Applied.
    Applied(Transfer),
    /// Refused for a passing reason; the id can never be used.
    Refused,
}

impl Client {
    /// Creates transfers. One outcome for each, in order; at most 8,189. Linked transfers
    /// of one call succeed or fail together; other calls never mix into that.
    ///
    /// After a lost answer the same transfers are sent again by themselves, with the same
    /// ids. What `exists` then is our own doing, so it becomes `created` with the
    /// original's timestamp and [`Outcome::by_earlier_attempt`] set. A transfer that an
    /// earlier attempt was refused for a passing reason answers `id_already_failed`.
    ///
    /// # Errors
    /// See [`Error`]. A refused transfer is an outcome, not an error.
    pub async fn create_transfers(
        &self,
        transfers: Vec<Transfer>,
    ) -> Result<Vec<Outcome<CreateTransferStatus>>, Error> {
        if transfers.is_empty() {
            return Ok(Vec::new());
        }
        let part = SubmitPart::new(vec![packed::transfers_section(&transfers)])?;
        self.submit_part(part).await?.first()
    }

    /// Builds one transfer; its id is made here, before anything is sent.
    pub fn transfer(&self) -> TransferBuilder {
        TransferBuilder::new(self.clone())
    }

    /// Transfers by id, in the order asked; at most 8,189. Linearizable.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lookup_transfers(
        &self,
        ids: &[TransferId],
    ) -> Result<Vec<Option<Transfer>>, Error> {
        self.lookup_transfers_at(ids, Consistency::Linearizable)
            .await
    }

    /// Transfers by id, as fresh as asked for.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lookup_transfers_at(
        &self,
        ids: &[TransferId],
        consistency: Consistency,
    ) -> Result<Vec<Option<Transfer>>, Error> {
        let found = self.look_up_transfer_ids_at(ids, consistency).await?;
        Ok(found
            .into_iter()
            .map(|found| match found {
                LookedUpTransfer::Applied(transfer) => Some(transfer),
                LookedUpTransfer::Unknown | LookedUpTransfer::Refused => None,
            })
            .collect())
    }

    /// Everything known of transfer ids, refused ones told apart from unknown ones.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn look_up_transfer_ids_at(
        &self,
        ids: &[TransferId],
        consistency: Consistency,
    ) -> Result<Vec<LookedUpTransfer>, Error> {
        let found = self.find(LookupKind::Transfers, ids, consistency).await?;
        Ok(found
            .iter()
            .map(|found| match found {
                Found::Nothing => LookedUpTransfer::Unknown,
                Found::Refused => LookedUpTransfer::Refused,
                Found::Record(bytes) => bytes
                    .first_chunk()
                    .map_or(LookedUpTransfer::Unknown, |bytes| {
                        LookedUpTransfer::Applied(Transfer::from_bytes(bytes))
                    }),
            })
            .collect())
    }

    /// Pending transfers and where they stand, in the order asked; at most 8,189.
    /// Linearizable. Transfers that never were pending are not found here.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lookup_pendings(&self, ids: &[TransferId]) -> Result<Vec<Option<Pending>>, Error> {
        self.lookup_pendings_at(ids, Consistency::Linearizable)
            .await
    }

    /// Pending transfers and where they stand, as fresh as asked for.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lookup_pendings_at(
        &self,
        ids: &[TransferId],
        consistency: Consistency,
    ) -> Result<Vec<Option<Pending>>, Error> {
        let found = self.find(LookupKind::Pendings, ids, consistency).await?;
        Ok(found
            .iter()
            .map(|found| match found {
                Found::Record(bytes) => bytes.first_chunk().and_then(Pending::from_bytes),
                Found::Nothing | Found::Refused => None,
            })
            .collect())
    }

    async fn find(
        &self,
        kind: LookupKind,
        ids: &[TransferId],
        consistency: Consistency,
    ) -> Result<Vec<Found>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = ids.iter().map(|id| id.0).collect();
        let part = LookupPart::new(kind, ids, consistency)?;
        Ok(self.lookup_part(part, self.ends_at()).await?.found)
    }
}
