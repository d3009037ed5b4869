//! An event as a line: for people, and as JSON.

use std::fmt::Write as _;

use farthing_client::StoredRecord;
use farthing_client::events::{Event, EventBody, RecordEvent, TransferEvent};
use farthing_ledger::{Balances, LedgerFlags};
use serde::Serialize;

use super::super::account_rows::AccountRow;
use super::super::transfer_rows::TransferRow;
use super::super::values::moment_text;
use crate::failure::{Code, Failure};
use crate::output::{self, uuid};

/// An event as JSON: what happened stands in the one field that is not left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Line {
    sequence: u64,
    timestamp: u64,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<TransferRow>,
    /// After the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    debit_account: Option<Sides>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_account: Option<Sides>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<LedgerLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<RecordLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    setting: Option<SettingLine>,
}

/// Balances in the ledger's unit.
#[derive(Debug, Serialize)]
struct Sides {
    debits_posted: String,
    credits_posted: String,
    debits_pending: String,
    credits_pending: String,
}

#[derive(Debug, Serialize)]
struct LedgerLine {
    number: u32,
    currency: String,
    scale: u8,
    registered: bool,
}

/// Keys and values are hexadecimal.
#[derive(Debug, Serialize)]
struct RecordLine {
    namespace: u32,
    key: String,
    value: String,
    version: u64,
    operation_id: String,
    deleted: bool,
}

#[derive(Debug, Serialize)]
struct SettingLine {
    number: u32,
    value: u64,
}

impl Line {
    pub(super) fn new(event: &Event) -> Self {
        let mut line = Self {
            sequence: event.sequence,
            timestamp: event.timestamp,
            kind: event.kind().name(),
            ..Self::default()
        };
        match &event.body {
            EventBody::TransferCreated(moved) | EventBody::TransferExpired(moved) => {
                line.transfer = Some(TransferRow::of(&moved.transfer, moved.scale));
                if let Some((debit, credit)) = &moved.balances {
                    line.debit_account = Some(Sides::new(debit, moved.scale));
                    line.credit_account = Some(Sides::new(credit, moved.scale));
                }
            }
            // Nothing has moved yet: all balances are zero, with or without decimals.
            EventBody::AccountCreated(account) => line.account = Some(AccountRow::of(account, 0)),
            EventBody::LedgerRegistered(ledger) => {
                line.ledger = Some(LedgerLine {
                    number: ledger.ledger,
                    currency: ledger.currency().unwrap_or_default().to_owned(),
                    scale: ledger.scale,
                    registered: ledger.flags.contains(LedgerFlags::REGISTERED),
                });
            }
            EventBody::RecordWritten(written) => line.record = Some(RecordLine::new(written)),
            EventBody::SettingChanged { setting, value } => {
                line.setting = Some(SettingLine {
                    number: *setting,
                    value: *value,
                });
            }
            // Of a newer SDK: its kind says so.
            _ => {}
        }
        line
    }

    /// On one line.
    pub(super) fn to_json(&self) -> Result<String, Failure> {
        serde_json::to_string(self)
            .map_err(|error| Failure::new(Code::Internal, "cannot encode an event").because(error))
    }
}

impl Sides {
    fn new(balances: &Balances, scale: u8) -> Self {
        let text = |units: u128| output::scaled(&units.to_string(), scale);
        Self {
            debits_posted: text(balances.debits_posted),
            credits_posted: text(balances.credits_posted),
            debits_pending: text(balances.debits_pending),
            credits_pending: text(balances.credits_pending),
        }
    }
}

impl RecordLine {
    fn new(written: &RecordEvent) -> Self {
        let StoredRecord {
            value,
            version,
            operation_id,
            ..
        } = &written.record;
        Self {
            namespace: written.namespace,
            key: hex(&written.key),
            value: hex(value),
            version: *version,
            operation_id: uuid(*operation_id),
            deleted: written.deleted,
        }
    }
}

/// An event for people, on one line.
pub(super) fn text(event: &Event) -> String {
    let mut line = format!(
        "{:>10}  {}  {:<17}",
        event.sequence,
        moment_text(event.timestamp),
        event.kind().name()
    );
    // Writing to a string cannot fail.
    let _ = match &event.body {
        EventBody::TransferCreated(moved) | EventBody::TransferExpired(moved) => {
            transfer(&mut line, moved)
        }
        EventBody::AccountCreated(account) => write!(
            line,
            " {}  ledger {} code {}",
            uuid(account.id.0),
            account.ledger,
            account.code
        ),
        EventBody::LedgerRegistered(ledger) => write!(
            line,
            " {} {} with {} decimals",
            ledger.ledger,
            ledger.currency().unwrap_or_default(),
            ledger.scale
        ),
        EventBody::RecordWritten(written) => {
            let key = written.key.escape_ascii();
            let version = written.record.version;
            let what = if written.deleted {
                "deleted"
            } else {
                "written"
            };
            write!(
                line,
                " {}/{key} {what}, version {version}",
                written.namespace
            )
        }
        EventBody::SettingChanged { setting, value } => {
            write!(line, " {setting} is {value} from here on")
        }
        _ => Ok(()),
    };
    line
}

fn transfer(line: &mut String, moved: &TransferEvent) -> std::fmt::Result {
    let transfer = &moved.transfer;
    let text = |units: u128| output::scaled(&units.to_string(), moved.scale);
    write!(
        line,
        " {}  {}  debit {} credit {}  ledger {} code {}",
        uuid(transfer.id.0),
        text(transfer.amount),
        uuid(transfer.debit_account_id.0),
        uuid(transfer.credit_account_id.0),
        transfer.ledger,
        transfer.code
    )?;
    for flag in TransferRow::of(transfer, moved.scale).flags() {
        write!(line, " {flag}")?;
    }
    let Some((debit, credit)) = &moved.balances else {
        return Ok(());
    };
    for (name, balances) in [("debit", debit), ("credit", credit)] {
        write!(
            line,
            "  {name} account: posted {} - {}, pending {} - {}",
            text(balances.debits_posted),
            text(balances.credits_posted),
            text(balances.debits_pending),
            text(balances.credits_pending)
        )?;
    }
    Ok(())
}
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
