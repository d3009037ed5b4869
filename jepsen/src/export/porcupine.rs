//! The append view for Porcupine, one JSON line for each call on each account.
//!
//! Linearizability is local: every account is a list of its own, checked alone (`key` is Porcupine's partition). A line
//! is `{"client","key","op","call","return", ...}` with times in ns; `append` has `value`, the element, and `position`,
//! its place in the list from 1, which the cluster's timestamp says; `read` has `length` and `hash` of the list it saw, so that long lists stay short lines. The hash of the empty list is
//! 14695981039346656037; an element e makes it `(hash xor e) * 1099511628211 mod 2^64`. A model's state is the pair:
//! append must be the next place, adds one and mixes; a read must equal it. What failed is left out; what is unknown and happened returns
//! after everything else.

use std::io::{self, Write};

use serde::Serialize;

use super::append::{Call, Does};
use crate::history::Kind;

#[derive(Serialize)]
struct Line<'a> {
    client: u64,
    key: String,
    op: &'a str,
    call: u64,
    #[serde(rename = "return")]
    returned: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<u64>,
}

pub(super) fn lines(calls: &[Call], out: &mut impl Write) -> io::Result<()> {
    let end = calls
        .iter()
        .map(|call| call.complete_ns.unwrap_or(call.invoke_ns))
        .max();
    let end = end.unwrap_or(0) + 1;
    for call in calls.iter().filter(|call| call.kind != Kind::Fail) {
        let mut write = |account: u128,
                         op,
                         appended: Option<(u64, usize)>,
                         seen: Option<(u64, u64)>|
         -> io::Result<()> {
            let line = Line {
                client: call.process,
                key: format!("{account:x}"),
                op,
                call: call.invoke_ns,
                returned: call.complete_ns.unwrap_or(end),
                value: appended.map(|appended| appended.0),
                position: appended.map(|appended| appended.1),
                length: seen.map(|seen| seen.0),
                hash: seen.map(|seen| seen.1),
            };
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")
        };
        match &call.does {
            Does::Append(appends) => {
                for append in appends {
                    let debited = Some((append.element, append.position_debit));
                    let credited = Some((append.element, append.position_credit));
                    write(append.debit, "append", debited, None)?;
                    write(append.credit, "append", credited, None)?;
                }
            }
            Does::Read(rows) => {
                for (account, prefix) in rows {
                    if let Some(prefix) = prefix {
                        let seen = (prefix.elements.len() as u64, hash(&prefix.elements));
                        write(*account, "read", None, Some(seen))?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn hash(elements: &[u64]) -> u64 {
    elements
        .iter()
        .fold(14_695_981_039_346_656_037, |hash: u64, element| {
            (hash ^ element).wrapping_mul(1_099_511_628_211)
        })
}
