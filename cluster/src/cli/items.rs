//! What `farthing account` and `farthing transfer` have in common: one is made and answered by a status, several are
//! looked up.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use farthing_client::{Client, ids};
use farthing_ledger::{CreateAccountStatus, CreateLedgerStatus, CreateTransferStatus};

use super::values::id;
use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::{self, Printer, uuid};

/// The three fields that link a record to the world outside.
#[derive(Debug, Args)]
pub(super) struct UserData {
    /// Links to outside, 128 bits.
    #[arg(long, value_parser = id, default_value = "0", hide_default_value = true, value_name = "ID")]
    pub(super) user_data_128: u128,
    /// Links to outside, 64 bits.
    #[arg(
        long,
        default_value_t = 0,
        hide_default_value = true,
        value_name = "NUMBER"
    )]
    pub(super) user_data_64: u64,
    /// Links to outside, 32 bits.
    #[arg(
        long,
        default_value_t = 0,
        hide_default_value = true,
        value_name = "NUMBER"
    )]
    pub(super) user_data_32: u32,
}

/// The id given, or a new one that is told before anything is sent: whoever loses the answer can ask again with it.
pub(super) fn chosen_id(what: &str, given: Option<u128>) -> u128 {
    given.unwrap_or_else(|| {
        let id = ids::new();
        output::tell(format!("{what} id: {}", uuid(id)));
        id
    })
}

/// The status of one created item.
pub(super) enum Answer {
    Created,
    Exists,
    Refused { name: &'static str, number: u32 },
}

impl From<CreateAccountStatus> for Answer {
    fn from(status: CreateAccountStatus) -> Self {
        match status {
            CreateAccountStatus::Created => Self::Created,
            CreateAccountStatus::Exists => Self::Exists,
            refused => Self::Refused {
                name: refused.name(),
                number: refused as u32,
            },
        }
    }
}

impl From<CreateLedgerStatus> for Answer {
    fn from(status: CreateLedgerStatus) -> Self {
        match status {
            CreateLedgerStatus::Created => Self::Created,
            CreateLedgerStatus::Exists => Self::Exists,
            refused => Self::Refused {
                name: refused.name(),
                number: refused as u32,
            },
        }
    }
}

impl From<CreateTransferStatus> for Answer {
    fn from(status: CreateTransferStatus) -> Self {
        match status {
            CreateTransferStatus::Created => Self::Created,
            CreateTransferStatus::Exists => Self::Exists,
            refused => Self::Refused {
                name: refused.name(),
                number: refused as u32,
            },
        }
    }
}

/// Success for an item that is there as it was asked for, now or since before.
///
/// # Errors
/// By name and number of the status when it was refused.
pub(super) fn created_or_refused(
    what: &str,
    printer: Printer,
    answer: Option<Answer>,
) -> Result<(), Failure> {
    match answer {
        Some(Answer::Created) => Ok(()),
        Some(Answer::Exists) => printer.say(&format!("The {what} exists already, exactly so.")),
        Some(Answer::Refused { name, number }) => Err(Failure::new(
            Code::ItemRefused,
            format!("the {what} was refused: {name} ({number})"),
        )
        .advise(format!(
            "`farthing explain {name}` tells what it means and what to do"
        ))),
        None => Err(Failure::new(
            Code::Internal,
            format!("the {what} was not answered"),
        )),
    }
}

/// The ids that were not found.
pub(super) fn missing<T>(ids: &[u128], found: &[Option<T>]) -> Vec<u128> {
    ids.iter()
        .zip(found)
        .filter(|(_, found)| found.is_none())
        .map(|(id, _)| *id)
        .collect()
}

/// Success, or the failure that names what is missing.
pub(super) fn missing_is_failure(what: &str, missing: &[u128]) -> Result<ExitCode, Failure> {
    if missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let listed: Vec<String> = missing.iter().map(|id| uuid(*id)).collect();
    Err(Failure::new(
        Code::NotFound,
        format!("{what} {} is not there", listed.join(", ")),
    ))
}

/// Decimals of ledgers; a number nobody registered has none.
pub(super) async fn scales(
    client: &Client,
    numbers: impl Iterator<Item = u32>,
) -> Result<BTreeMap<u32, u8>, Failure> {
    let mut numbers: Vec<u32> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    let ledgers = client.lookup_ledgers(&numbers).await.map_err(failure)?;
    let scale = |ledger: Option<farthing_ledger::Ledger>| ledger.map_or(0, |ledger| ledger.scale);
    Ok(numbers
        .into_iter()
        .zip(ledgers.into_iter().map(scale))
        .collect())
}
