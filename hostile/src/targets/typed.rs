//! The typed form of requests: what is read is what was written, and nothing is guessed.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use farthing_ledger::RecordItem;
use farthing_proto::codec::{self, LIST_ITEMS_MAX};
use farthing_proto::convert::{account, ledger, record, transfer};
use farthing_proto::error::FieldError;
use farthing_proto::v1::{self, transfer::AmountChoice};
use prost::Message;

use super::Part;
use crate::budget::{self, within};
use crate::corpus;

pub(super) const PART: Part = Part {
    name: "typed",
    run,
    seeds,
    words: &[
        "0000000000000000000000000000000a",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "0.005",
        "\u{22}\u{1}1",
        "\u{72}\u{1}\u{2}",
    ],
};

/// A byte for the message and whether the rest is its bytes or is to be made one.
fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let mut source = Unstructured::new(bytes);
    let made = kind & 0x80 != 0;
    match kind % 4 {
        0 => {
            let request = if made {
                some_transfers(&mut source).ok()
            } else {
                decode(bytes)
            };
            request.iter().for_each(transfers);
        }
        1 => {
            let request = if made {
                some_accounts(&mut source).ok()
            } else {
                decode(bytes)
            };
            request.iter().for_each(accounts);
        }
        2 => decode(bytes).iter().for_each(ledgers),
        _ => decode(bytes).iter().for_each(records),
    }
}

/// As the listener does.
fn decode<M: Message + Default>(bytes: &[u8]) -> Option<M> {
    let shared = Bytes::copy_from_slice(bytes);
    within(budget::message(bytes.len()), || codec::decode(shared).ok())
}

/// Three ledgers are known, with scales as far apart as they go.
fn scale_of(ledger: u32) -> Option<u8> {
    [None, Some(0), Some(2), Some(38)][(ledger % 4) as usize]
}

/// What a request of `count` items is refused with; it is counted before its items are read.
fn refused(count: usize, fields: &[FieldError]) {
    assert!(count <= LIST_ITEMS_MAX, "{count} items were read");
    assert!(!fields.is_empty() && fields.len() <= 32, "{}", fields.len());
    assert!(fields.iter().all(|field| field.field.contains("].")));
}

fn transfers(request: &v1::CreateTransfersRequest) {
    let items = match transfer::from_wire(&request.transfers, scale_of) {
        Ok(items) => items,
        Err(fields) => return refused(request.transfers.len(), &fields),
    };
    assert_eq!(items.len(), request.transfers.len());
    assert!(items.len() <= LIST_ITEMS_MAX);
    for item in items {
        let scale = scale_of(item.ledger).unwrap_or(0);
        // The amount of a post without its ledger's number could not be read in any unit.
        if item.flags.resolves_pending() && item.ledger == 0 {
            continue;
        }
        let again = transfer::stored_from_wire(&transfer::to_wire(&item, scale), scale);
        assert_eq!(again, Ok(item));
    }
}

fn accounts(request: &v1::CreateAccountsRequest) {
    let items = match account::from_wire(&request.accounts, scale_of) {
        Ok(items) => items,
        Err(fields) => return refused(request.accounts.len(), &fields),
    };
    for item in items {
        let scale = scale_of(item.ledger).unwrap_or(0);
        let again = account::stored_from_wire(&account::to_wire(&item, scale), scale);
        assert_eq!(again, Ok(item));
    }
}

fn ledgers(request: &v1::CreateLedgersRequest) {
    let items = match ledger::from_wire(&request.ledgers) {
        Ok(items) => items,
        Err(fields) => return refused(request.ledgers.len(), &fields),
    };
    for (item, message) in items.iter().zip(&request.ledgers) {
        // A currency that does not fit is left to the ledger to refuse; one that fits is kept.
        if let Some(currency) = item.currency() {
            assert_eq!(currency, message.currency);
            let again = ledger::stored_from_wire(&ledger::to_wire(item));
            assert_eq!(
                again.map(|again| again.to_bytes()),
                Ok(farthing_ledger::Ledger {
                    flags: farthing_ledger::LedgerFlags::default(),
                    ..*item
                }
                .to_bytes())
            );
        }
    }
}

fn records(request: &v1::WriteRecordsRequest) {
    let items = match record::from_wire(&request.records) {
        Ok(items) => items,
        Err(fields) => return refused(request.records.len(), &fields),
    };
    for item in items {
        let mut bytes = Vec::new();
        item.write_to(&mut bytes);
        if let (Ok(_), true) = (u16::try_from(item.key.len()), item.value.len() <= 1 << 24) {
            assert_eq!(RecordItem::split_from(&bytes), Some((item, &[][..])));
        }
    }
}

fn some_id(source: &mut Unstructured<'_>) -> Result<String> {
    Ok(match source.int_in_range(0..=5)? {
        0 => String::new(),
        1 => format!("{:032x}", source.arbitrary::<u128>()?),
        2 => "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
        _ => farthing_proto::convert::id::format_id(source.arbitrary()?),
    })
}

fn some_amount(source: &mut Unstructured<'_>) -> Result<String> {
    Ok(match source.int_in_range(0..=4)? {
        0 => String::new(),
        1 => source.arbitrary::<u128>()?.to_string(),
        2 => format!(
            "{}.{}",
            source.arbitrary::<u32>()?,
            source.arbitrary::<u8>()?
        ),
        3 => "0".to_owned(),
        _ => source.arbitrary::<&str>()?.to_owned(),
    })
}

fn some_transfers(source: &mut Unstructured<'_>) -> Result<v1::CreateTransfersRequest> {
    let mut transfers = Vec::new();
    while !source.is_empty() && transfers.len() < 40 {
        let choice = match source.int_in_range(0..=4)? {
            0 => None,
            1 => Some(AmountChoice::All(source.arbitrary()?)),
            2 => Some(AmountChoice::AsMuchAsPossible(source.arbitrary()?)),
            _ => Some(AmountChoice::Amount(some_amount(source)?)),
        };
        let mut flags = Vec::new();
        while flags.len() < 4 && source.ratio(1, 3)? {
            flags.push(source.int_in_range(-1..=10)?);
        }
        transfers.push(v1::Transfer {
            id: some_id(source)?,
            debit_account_id: some_id(source)?,
            credit_account_id: some_id(source)?,
            amount_choice: choice,
            pending_id: some_id(source)?,
            user_data_128: some_id(source)?,
            user_data_64: source.arbitrary()?,
            user_data_32: source.arbitrary()?,
            timeout_s: source.arbitrary()?,
            ledger: source.int_in_range(0..=5)?,
            code: source.int_in_range(0..=65_540)?,
            flags,
            timestamp: source.arbitrary()?,
        });
    }
    Ok(v1::CreateTransfersRequest { transfers })
}

fn some_accounts(source: &mut Unstructured<'_>) -> Result<v1::CreateAccountsRequest> {
    let mut accounts = Vec::new();
    while !source.is_empty() && accounts.len() < 40 {
        accounts.push(v1::Account {
            id: some_id(source)?,
            debits_pending: some_amount(source)?,
            debits_posted: some_amount(source)?,
            credits_pending: some_amount(source)?,
            credits_posted: some_amount(source)?,
            user_data_128: some_id(source)?,
            user_data_64: source.arbitrary()?,
            user_data_32: source.arbitrary()?,
            ledger: source.int_in_range(0..=5)?,
            code: source.int_in_range(0..=65_540)?,
            flags: vec![source.int_in_range(0..=7)?],
            timestamp: source.arbitrary()?,
        });
    }
    Ok(v1::CreateAccountsRequest { accounts })
}

fn seeds() -> Vec<Vec<u8>> {
    let transfers = v1::CreateTransfersRequest {
        transfers: vec![transfer::to_wire(&corpus::transfer(9), 2); 2],
    };
    let accounts = v1::CreateAccountsRequest {
        accounts: vec![account::to_wire(&corpus::account(1), 2); 2],
    };
    let ledgers = v1::CreateLedgersRequest {
        ledgers: vec![v1::Ledger {
            number: 840,
            currency: "USD".into(),
            scale: 2,
            ..Default::default()
        }],
    };
    let records = v1::WriteRecordsRequest {
        records: vec![v1::RecordItem {
            operation_id: farthing_proto::convert::id::format_id(7),
            namespace: 1_000,
            key: "key".into(),
            value: "value".into(),
            ..Default::default()
        }],
    };
    let mut seeds: Vec<Vec<u8>> = [
        transfers.encode_to_vec(),
        accounts.encode_to_vec(),
        ledgers.encode_to_vec(),
        records.encode_to_vec(),
    ]
    .into_iter()
    .zip(0_u8..)
    .map(|(bytes, kind)| [&[kind], &bytes[..]].concat())
    .collect();
    let noise: Vec<u8> = (0..600_u32).map(|at| (at * 37 % 251) as u8).collect();
    // Nothing but transfers without fields, more than a request holds.
    seeds.push([&[0], &[0x0a, 0].repeat(LIST_ITEMS_MAX + 1)[..]].concat());
    seeds.push([&[0x80], &noise[..]].concat());
    seeds.push([&[0x81], &noise[..]].concat());
    seeds
}
