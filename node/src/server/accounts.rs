//! `farthing.v1.Accounts` in typed form.

use farthing_ledger::{Account, AccountId, SectionKind};
use farthing_proto::convert;
use farthing_proto::convert::id::parse_id;
use farthing_proto::error::{FieldError, Refused};
use farthing_proto::v1;
use farthing_proto::v1::accounts_server::Accounts;
use tonic::{Request, Response, Status};

use super::context::{Context, deadline, storage_failed};
use super::only_section;
use super::scales::Scales;
use super::transfers::check_count;

/// The service.
#[derive(Clone)]
pub(super) struct Service(pub(super) Context);

#[tonic::async_trait]
impl Accounts for Service {
    async fn create_accounts(
        &self,
        request: Request<v1::CreateAccountsRequest>,
    ) -> Result<Response<v1::CreateAccountsReply>, Status> {
        let until = deadline(request.metadata());
        let messages = request.into_inner().accounts;
        check_count("accounts", messages.len())?;
        let scales = Scales::get(
            &self.0,
            messages.iter().map(|message| message.ledger),
            until,
        )
        .await?;
        let accounts =
            convert::account::from_wire(&messages, |ledger| scales.get(&ledger).copied())
                .map_err(Refused::invalid)?;
        let mut items = Vec::with_capacity(accounts.len() * Account::BYTES);
        accounts
            .iter()
            .for_each(|account| account.write_to(&mut items));
        let answer = self
            .0
            .submit(&[(SectionKind::Accounts, accounts.len(), &items)], until)
            .await?;
        let (results, log_index) = only_section(answer);
        let results = convert::status::accounts_to_wire(&results, log_index);
        Ok(self.0.reply(v1::CreateAccountsReply { results }))
    }

    async fn lookup_accounts(
        &self,
        request: Request<v1::LookupAccountsRequest>,
    ) -> Result<Response<v1::LookupAccountsReply>, Status> {
        let until = deadline(request.metadata());
        let request = request.into_inner();
        check_count("ids", request.ids.len())?;
        let ids: Vec<AccountId> = parse_ids(&request.ids)?
            .into_iter()
            .map(AccountId)
            .collect();
        let reader = self.0.reader(request.consistency.into(), until).await?;
        let found = tokio::task::block_in_place(|| reader.accounts(&ids))
            .map_err(|error| storage_failed(self.0.storage(), &error))?;
        let ledgers: Vec<u32> = found
            .iter()
            .flatten()
            .map(|account| account.ledger)
            .collect();
        let scales = self.0.scales().read(self.0.storage(), &reader, &ledgers)?;
        let accounts = found
            .iter()
            .map(|account| v1::LookedUpAccount {
                account: account.as_ref().map(|account| {
                    convert::account::to_wire(
                        account,
                        scales.get(&account.ledger).copied().unwrap_or(0),
                    )
                }),
            })
            .collect();
        Ok(self.0.reply(v1::LookupAccountsReply {
            accounts,
            applied_index: reader.applied_index(),
        }))
    }
}

/// Ids of a lookup, every bad one named by its path.
pub(super) fn parse_ids(texts: &[String]) -> Result<Vec<u128>, Refused> {
    let mut violations = Vec::new();
    let mut ids = Vec::with_capacity(texts.len());
    for (number, text) in texts.iter().enumerate() {
        match parse_id(text) {
            Ok(id) => ids.push(id),
            Err(error) => {
                violations.push(FieldError::new(format!("ids[{number}]"), error.to_string()))
            }
        }
    }
    if violations.is_empty() {
        Ok(ids)
    } else {
        Err(Refused::invalid(violations))
    }
}
