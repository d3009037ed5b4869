//! The wire only grows: committed bytes of messages, and a committed list of every
//! field and method.
//!
//! `REWRITE_GOLDEN=1` writes the files anew; a review then sees what changed. A line
//! that disappears or changes breaks clients in the field and is never right.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::PathBuf;

use farthing_ledger::{Account, AccountId, ItemResult, Transfer, TransferId};
use farthing_proto::convert::consistency::Consistency;
use farthing_proto::convert::{account, transfer};
use farthing_proto::error::{FieldError, Refused};
use farthing_proto::packed::{self, LookupAnswer};
use farthing_proto::v1;
use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};

fn golden(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("REWRITE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let committed = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error} (REWRITE_GOLDEN=1 writes it)", path.display()));
    let only_in = |text: &str, other: &str| -> Vec<String> {
        let other: Vec<&str> = other.lines().collect();
        let mut lines = text.lines().filter(|line| !other.contains(line));
        lines.by_ref().take(20).map(str::to_owned).collect()
    };
    assert!(
        committed == actual,
        "{name} differs from what is committed; gone: {:#?}; new: {:#?}",
        only_in(&committed, actual),
        only_in(actual, &committed),
    );
}

/// Sixteen bytes a line, so that a difference is found by eye.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.chunks(16) {
        for byte in line {
            write!(text, "{byte:02x} ").unwrap();
        }
        text.pop();
        text.push('\n');
    }
    text
}

fn unhex(text: &str) -> Vec<u8> {
    text.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

fn golden_message<M: Message + Default + PartialEq + std::fmt::Debug>(name: &str, message: &M) {
    golden(name, &hex(&message.encode_to_vec()));
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    let committed = unhex(&std::fs::read_to_string(path).unwrap());
    assert_eq!(
        &M::decode(committed.as_slice()).unwrap(),
        message,
        "{name} reads back differently"
    );
}

fn sample_transfer() -> Transfer {
    Transfer {
        id: TransferId(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057),
        debit_account_id: AccountId(1),
        credit_account_id: AccountId(2),
        amount: 1_250,
        pending_id: TransferId(3),
        user_data_128: 4,
        user_data_64: 5,
        user_data_32: 6,
        timeout: 7,
        ledger: 8,
        code: 9,
        flags: farthing_ledger::TransferFlags(0b1_1111_1111),
        timestamp: 10,
    }
}

fn sample_account() -> Account {
    Account {
        id: AccountId(1),
        debits_pending: 2,
        debits_posted: 3,
        credits_pending: 4,
        credits_posted: 5,
        user_data_128: 6,
        user_data_64: 7,
        user_data_32: 8,
        reserved: 0,
        ledger: 9,
        code: 10,
        flags: farthing_ledger::AccountFlags(0b11_1111),
        timestamp: 11,
    }
}

#[test]
fn packed_messages() {
    let sections = vec![
        packed::accounts_section(&[sample_account()]),
        packed::transfers_section(&[sample_transfer()]),
    ];
    golden_message(
        "submit_request.hex",
        &v1::SubmitRequest {
            request_number: 300,
            sections,
            deadline_ms: 10_000,
        },
    );

    let results = packed::write_results(&[ItemResult {
        timestamp: 77,
        status: 46,
    }]);
    golden_message(
        "submit_reply.hex",
        &v1::SubmitReply {
            request_number: 300,
            results: vec![results],
            log_index: 400,
            refusal: None,
        },
    );

    let mut refused = Refused::invalid(vec![FieldError::new("sections[1]", "words")])
        .with_leader("10.0.0.1:3001");
    refused.message = "words".to_owned();
    refused = refused.with_retry_after(std::time::Duration::from_millis(50));
    golden_message(
        "submit_reply_refused.hex",
        &v1::SubmitReply {
            request_number: 300,
            refusal: Some(refused.into()),
            ..v1::SubmitReply::default()
        },
    );

    golden_message(
        "lookup_request.hex",
        &v1::LookupRequest {
            request_number: 300,
            kind: v1::LookupKind::Pendings.into(),
            ids: packed::write_ids([1_u128, 2].into_iter()),
            consistency: Consistency::MinLogIndex(12).into(),
            deadline_ms: 5,
        },
    );

    let mut answer = LookupAnswer::default();
    answer.push_not_found();
    answer.push_found(&sample_transfer().to_bytes());
    answer.push_refused();
    golden_message("lookup_reply.hex", &answer.finish(300, 13));
}

#[test]
fn typed_messages() {
    golden_message("account.hex", &account::to_wire(&sample_account(), 2));
    golden_message("transfer.hex", &transfer::to_wire(&sample_transfer(), 2));
}

#[test]
fn the_list_of_fields_and_methods_only_grows() {
    let set = FileDescriptorSet::decode(farthing_proto::FILE_DESCRIPTOR_SET).unwrap();
    let mut lines = Vec::new();
    for file in set
        .file
        .iter()
        .filter(|file| file.package() == "farthing.v1")
    {
        for message in &file.message_type {
            message_lines(message, file.package(), &mut lines);
        }
        for kind in &file.enum_type {
            enum_lines(kind, file.package(), &mut lines);
        }
        for service in &file.service {
            for method in &service.method {
                let stream = |yes| if yes { "stream " } else { "" };
                lines.push(format!(
                    "rpc {}.{}/{}({}{}) returns ({}{})",
                    file.package(),
                    service.name(),
                    method.name(),
                    stream(method.client_streaming()),
                    method.input_type(),
                    stream(method.server_streaming()),
                    method.output_type(),
                ));
            }
        }
    }
    lines.sort();
    lines.push(String::new());
    golden("farthing.v1.txt", &lines.join("\n"));
}

fn message_lines(message: &DescriptorProto, within: &str, lines: &mut Vec<String>) {
    let name = format!("{within}.{}", message.name());
    for field in &message.field {
        let kind = match field.r#type() {
            Type::Message | Type::Enum => field.type_name().to_owned(),
            scalar => scalar.as_str_name().to_owned(),
        };
        let label = if field.label() == Label::Repeated {
            "repeated "
        } else {
            ""
        };
        let choice = match field.oneof_index {
            Some(_) if field.proto3_optional() => "optional ",
            Some(_) => "oneof ",
            None => "",
        };
        lines.push(format!(
            "field {name} {} = {choice}{label}{kind} {}",
            field.number(),
            field.name()
        ));
    }
    if message.field.is_empty() {
        lines.push(format!("field {name} (none)"));
    }
    for nested in &message.nested_type {
        message_lines(nested, &name, lines);
    }
    for kind in &message.enum_type {
        enum_lines(kind, &name, lines);
    }
}

fn enum_lines(kind: &EnumDescriptorProto, within: &str, lines: &mut Vec<String>) {
    for value in &kind.value {
        lines.push(format!(
            "enum {within}.{} {} = {}",
            kind.name(),
            value.number(),
            value.name()
        ));
    }
}
