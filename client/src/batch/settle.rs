//! Gives the results of a retry their true names.
//!
//! When the answer to an earlier attempt was lost, the retry may find what that attempt
//! did: `exists` is then our own doing and means success. For an item alone that is all:
//! the identical item stands, under an id of ours, once.
//!
//! A chain needs more. Its first item answers `exists` and thereby fails the others, as
//! the ledger must: it cannot know that they came along the first time. So the items of
//! such a chain are looked up, and only when every one of them stands as sent is the chain
//! a success. When one of them does not, the chain was not applied by us and the server's
//! statuses are the truth.
//!
//! Records are overwritten in the course of things, so for them "it does not stand" does
//! not always mean "it was never written". Where it cannot be told, the outcome is unknown
//! and the caller is told so.

use farthing_ledger::{
    AMOUNT_MAX, Account, AccountFlags, CreateAccountStatus, CreateLedgerStatus,
    CreateTransferStatus, ItemResult, Ledger, RecordFlags, RecordItem, Transfer, TransferFlags,
    VERSION_ANY, WriteRecordStatus,
};
use farthing_proto::v1::SectionKind;
use tokio::time::Instant;

use super::Load;
use super::call::Delivered;
use super::submit::{Item, Submit, SubmitAnswer, SubmitPart, items};
use crate::client::{Client, SettledItem};
use crate::error::Error;
use crate::outcome::Status;
use crate::records::Row;

mod proof;

/// The results of a call, section by section, under their true names.
pub(crate) async fn settle(
    client: &Client,
    part: &SubmitPart,
    delivered: Delivered<SubmitAnswer>,
    deadline: Instant,
) -> Result<Vec<Vec<SettledItem>>, Error> {
    let mut results: Vec<Vec<SettledItem>> = delivered
        .answer
        .results
        .into_iter()
        .map(|section| section.into_iter().map(as_answered).collect())
        .collect();
    let unknown = |cause: String| Error::UnknownOutcome {
        ids: Submit::ids(part).unwrap_or_default(),
        cause,
    };
    for (section, results) in part.sections.iter().zip(&results) {
        let kind = section.kind();
        let newer = results
            .iter()
            .find(|item| !is_known(kind, item.result.status));
        if let Some(newer) = newer {
            let number = newer.result.status;
            return Err(unknown(format!(
                "status {number} is newer than this client: update it"
            )));
        }
    }
    if !delivered.after_unknown {
        return Ok(results);
    }
    let items: Vec<Item<'_>> = part.sections.iter().flat_map(items).collect();
    let mut settled: Vec<&mut SettledItem> = results.iter_mut().flatten().collect();
    let mut start = 0;
    while start < items.len() {
        let end = chain_end(&items, start);
        let chain = &items[start..end];
        let results = &mut settled[start..end];
        match doubt(chain, results) {
            Doubt::None => {}
            Doubt::OwnDoing => own_doing(results, None),
            Doubt::Standing => match proof::of_chain(client, chain, deadline).await {
                Ok(proof::Verdict::Applied(timestamps)) => own_doing(results, Some(&timestamps)),
                Ok(proof::Verdict::NotApplied) => {}
                Ok(proof::Verdict::CannotTell) => {
                    return Err(unknown(
                        "a record of the chain was written by others since".into(),
                    ));
                }
                Err(error) => return Err(unknown(error.to_string())),
            },
        }
        start = end;
    }
    Ok(results)
}

/// This client has a name for the status.
fn is_known(kind: SectionKind, status: u32) -> bool {
    match kind {
        SectionKind::Accounts => CreateAccountStatus::from_code(status).is_some(),
        SectionKind::Transfers => CreateTransferStatus::from_code(status).is_some(),
        SectionKind::Ledgers => CreateLedgerStatus::from_code(status).is_some(),
        SectionKind::Records => WriteRecordStatus::from_code(status).is_some(),
        SectionKind::Unspecified => false,
    }
}

fn as_answered(result: ItemResult) -> SettledItem {
    SettledItem {
        result,
        by_earlier_attempt: false,
    }
}

/// One past the last item of the chain that begins at `start`: linked items and the one
/// behind them.
fn chain_end(items: &[Item<'_>], start: usize) -> usize {
    let linked = items[start..]
        .iter()
        .take_while(|item| item.is_linked())
        .count();
    (start + linked + 1).min(items.len())
}

/// What the answer to a retry leaves open.
#[derive(Debug, PartialEq, Eq)]
enum Doubt {
    /// Nothing: the statuses are the truth.
    None,
    /// The item stands, and nothing else depends on it.
    OwnDoing,
    /// Whether the items stand as sent has to be looked up.
    Standing,
}

fn doubt(chain: &[Item<'_>], results: &[&mut SettledItem]) -> Doubt {
    let failed_by = chain
        .iter()
        .zip(results)
        .map(|(item, settled)| Named::of(item, settled.result.status))
        .find(|named| !matches!(named, Named::Success | Named::LinkedEventFailed));
    match (failed_by, chain.len()) {
        (Some(Named::Exists), 1) => Doubt::OwnDoing,
        (Some(Named::Exists | Named::Overwritten), _) => Doubt::Standing,
        _ => Doubt::None,
    }
}

/// What a status means for a retry.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    Success,
    Exists,
    LinkedEventFailed,
    /// The record is not what the write expects; it may have been, the first time.
    Overwritten,
    /// Refused, and so it was by every earlier attempt, or the item would stand.
    Refused,
}

impl Named {
    fn of(item: &Item<'_>, status: u32) -> Named {
        match item {
            Item::Account(_) => Named::of_status::<CreateAccountStatus>(status),
            Item::Transfer(_) => Named::of_status::<CreateTransferStatus>(status),
            Item::Ledger(_) => Named::of_status::<CreateLedgerStatus>(status),
            Item::Record(_) => match WriteRecordStatus::from_code(status) {
                Some(
                    WriteRecordStatus::VersionMismatch
                    | WriteRecordStatus::NotFound
                    | WriteRecordStatus::NamespaceFull,
                ) => Named::Overwritten,
                _ => Named::of_status::<WriteRecordStatus>(status),
            },
        }
    }

    fn of_status<S: Status>(status: u32) -> Named {
        match S::from_code(status) {
            Some(status) if status == S::SUCCESS => Named::Success,
            Some(status) if status == S::EXISTS => Named::Exists,
            Some(status) if status == S::LINKED_EVENT_FAILED => Named::LinkedEventFailed,
            _ => Named::Refused,
        }
    }
}

/// Success is number 0 for every kind.
fn own_doing(results: &mut [&mut SettledItem], timestamps: Option<&[u64]>) {
    for (position, settled) in results.iter_mut().enumerate() {
        settled.result.status = 0;
        settled.by_earlier_attempt = true;
        if let Some(timestamp) = timestamps.and_then(|all| all.get(position)) {
            settled.result.timestamp = *timestamp;
        }
    }
}

/// What stands in the ledger in place of one item.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// The item itself, with its timestamp.
    AsSent(u64),
    /// Not the item: it was not applied.
    Otherwise,
    /// Nothing that tells.
    CannotTell,
}

fn account_stands(sent: &Account, found: Option<&Account>) -> Standing {
    let of_the_ledger = AccountFlags::CLOSED;
    match found {
        Some(found)
            if found.user_data_128 == sent.user_data_128
                && found.user_data_64 == sent.user_data_64
                && found.user_data_32 == sent.user_data_32
                && found.ledger == sent.ledger
                && found.code == sent.code
                && found.flags.without(of_the_ledger) == sent.flags.without(of_the_ledger) =>
        {
            Standing::AsSent(found.timestamp)
        }
        _ => Standing::Otherwise,
    }
}

fn transfer_stands(sent: &Transfer, found: Option<&Transfer>) -> Standing {
    let Some(found) = found else {
        return Standing::Otherwise;
    };
    // A post or a void may leave to the pending transfer what it sends as zero.
    let inherits = sent.flags.resolves_pending();
    let same = |sent: u128, found: u128| sent == found || (inherits && sent == 0);
    let balancing = TransferFlags::BALANCING_DEBIT.with(TransferFlags::BALANCING_CREDIT);
    let amount = sent.amount == found.amount
        || (inherits && (sent.amount == AMOUNT_MAX || sent.amount == 0))
        || (sent.flags.intersects(balancing) && found.amount <= sent.amount);
    let as_sent = amount
        && found.flags == sent.flags
        && found.pending_id == sent.pending_id
        && found.timeout == sent.timeout
        && same(sent.debit_account_id.0, found.debit_account_id.0)
        && same(sent.credit_account_id.0, found.credit_account_id.0)
        && same(sent.user_data_128, found.user_data_128)
        && same(sent.user_data_64.into(), found.user_data_64.into())
        && same(sent.user_data_32.into(), found.user_data_32.into())
        && same(sent.ledger.into(), found.ledger.into())
        && same(sent.code.into(), found.code.into());
    if as_sent {
        Standing::AsSent(found.timestamp)
    } else {
        Standing::Otherwise
    }
}

fn ledger_stands(sent: &Ledger, found: Option<&Ledger>) -> Standing {
    match found {
        Some(found) if found.currency() == sent.currency() && found.scale == sent.scale => {
            Standing::AsSent(found.timestamp)
        }
        _ => Standing::Otherwise,
    }
}

fn record_stands(sent: &RecordItem<'_>, found: &Row) -> Standing {
    let deletes = sent.flags.contains(RecordFlags::DELETE);
    match found {
        // Nobody ever wrote it, so we did not either.
        Row::Never => Standing::Otherwise,
        Row::Written(row) if !deletes && row.operation_id == sent.operation_id => {
            Standing::AsSent(row.timestamp)
        }
        Row::Written(row) => written_by_others(sent, row.version),
        // The time of a deletion is not told; the chain's other items have theirs.
        Row::Deleted { operation_id, .. } if deletes && *operation_id == sent.operation_id => {
            Standing::AsSent(0)
        }
        Row::Deleted { version, .. } => written_by_others(sent, *version),
    }
}

/// The row is at `version`, by another write. Ours would have made the version behind the
/// one it expects: it is not there when the row has not come that far, or when others made
/// just that one.
fn written_by_others(sent: &RecordItem<'_>, version: u64) -> Standing {
    let any = sent.expected_version == VERSION_ANY || sent.expected_version == 0;
    if !any && version <= sent.expected_version.saturating_add(1) {
        Standing::Otherwise
    } else {
        Standing::CannotTell
    }
}

#[cfg(test)]
mod tests;
