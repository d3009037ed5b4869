//! The largest accounts of a file.

use farthing_client::Client;
use farthing_ledger::AccountId;

use super::batches::{BATCH_ITEMS, Summary};
use super::plan::Options;
use super::report::TopAccount;
use crate::connect::patiently;
use crate::failure::Failure;
use crate::output;

/// The accounts with the largest posted credits among those the file names, as the ledger has them.
///
/// # Errors
/// As for [`super::run`].
pub(super) async fn largest(
    client: &Client,
    options: &Options,
    summary: &Summary,
) -> Result<Vec<TopAccount>, Failure> {
    if options.top == 0 {
        return Ok(Vec::new());
    }
    if summary.accounts_forgotten {
        output::tell("import: too many accounts to list the largest of all of them");
    }
    let mut found = Vec::new();
    for names in summary.credits.chunks(BATCH_ITEMS) {
        let ids: Vec<AccountId> = names.iter().map(|(_, id)| AccountId(*id)).collect();
        let accounts = patiently(options.patience, |_| {}, || client.lookup_accounts(&ids)).await?;
        for ((name, id), account) in names.iter().zip(accounts) {
            if let Some(account) = account {
                found.push((account.credits_posted, name, *id));
            }
        }
        // Largest first; equal ones by name, so that every run lists the same.
        found.sort_unstable_by(|a, b| (b.0, a.1).cmp(&(a.0, b.1)));
        found.truncate(options.top);
    }
    let plan = &options.plan;
    Ok(found
        .into_iter()
        .map(|(credits_posted, name, id)| TopAccount {
            name: format!("{} {name}", plan.credit_kind),
            id: output::uuid(id),
            credits_posted: output::scaled(&credits_posted.to_string(), plan.scale),
        })
        .collect())
}
