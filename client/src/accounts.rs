//! Calls on accounts.

use farthing_ledger::{Account, AccountId, CreateAccountStatus};
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::packed;
use farthing_proto::v1::LookupKind;

use crate::batch::lookup::{Found, LookupPart};
use crate::batch::submit::SubmitPart;
use crate::client::Client;
use crate::error::Error;
use crate::outcome::Outcome;

impl Client {
    /// Creates accounts. One outcome for each, in order; at most 8,189.
    ///
    /// After a lost answer the same accounts are sent again by themselves; `exists` then
    /// becomes `created` with the original's timestamp, because it is our own doing.
    ///
    /// # Errors
    /// See [`Error`]. A refused account is an outcome, not an error.
    pub async fn create_accounts(
        &self,
        accounts: Vec<Account>,
    ) -> Result<Vec<Outcome<CreateAccountStatus>>, Error> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let part = SubmitPart::new(vec![packed::accounts_section(&accounts)])?;
        self.submit_part(part).await?.first()
    }

    /// Accounts by id, in the order asked; at most 8,189. Linearizable.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lookup_accounts(&self, ids: &[AccountId]) -> Result<Vec<Option<Account>>, Error> {
        self.lookup_accounts_at(ids, Consistency::Linearizable)
            .await
    }

    /// Accounts by id, as fresh as asked for.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn lookup_accounts_at(
        &self,
        ids: &[AccountId],
        consistency: Consistency,
    ) -> Result<Vec<Option<Account>>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids = ids.iter().map(|id| id.0).collect();
        let part = LookupPart::new(LookupKind::Accounts, ids, consistency)?;
        let answer = self.lookup_part(part, self.ends_at()).await?;
        Ok(answer
            .found
            .iter()
            .map(|found| match found {
                Found::Record(bytes) => bytes.first_chunk().map(Account::from_bytes),
                Found::Nothing | Found::Refused => None,
            })
            .collect())
    }
}
