//! The packed form of requests, lookups and their answers.

use bytes::Bytes;
use farthing_ledger::{EntryBuilder, EntryReader};
use farthing_proto::codec;
use farthing_proto::packed::{
    check_lookup, check_request, entry_sections, read_lookup, read_results, write_ids,
    write_results,
};
use farthing_proto::v1::{LookupReply, LookupRequest, SubmitReply, SubmitRequest};
use prost::Message;

use super::Part;
use crate::budget::{self, within};
use crate::corpus;

pub(super) const PART: Part = Part {
    name: "packed",
    run,
    seeds: corpus::packed,
    words: &["\u{12}\u{0}", "\u{8}\u{2}\u{10}\u{1}\u{1a}\u{0}"],
};

/// A byte for the message, then its bytes.
fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let budget = budget::message(bytes.len());
    match kind % 4 {
        0 => {
            if let Some(request) = decode::<SubmitRequest>(bytes) {
                assert_eq!(
                    SubmitRequest::decode(&*request.encode_to_vec()).as_ref(),
                    Ok(&request)
                );
                submit(&request);
            }
        }
        1 => {
            if let Some(request) = decode::<LookupRequest>(bytes)
                && let Ok((_, ids)) = within(budget, || check_lookup(&request))
            {
                assert_eq!(write_ids(ids.into_iter()), request.ids);
            }
        }
        2 => {
            if let Some(reply) = decode::<SubmitReply>(bytes) {
                for results in &reply.results {
                    if let Some(read) = within(budget, || read_results(results)) {
                        assert_eq!(read_results(&write_results(&read)), Some(read));
                    }
                }
            }
        }
        _ => {
            if let Some(reply) = decode::<LookupReply>(bytes) {
                for kind in [1, 2, 3] {
                    let Ok(kind) = farthing_proto::v1::LookupKind::try_from(kind) else {
                        continue;
                    };
                    let ids = reply.found.len();
                    if let Some(answers) = within(budget, || read_lookup(&reply, kind, ids)) {
                        assert_eq!(answers.len(), ids);
                    }
                    // A count that the caller did not ask for is no answer, however large.
                    assert!(within(0, || read_lookup(&reply, kind, usize::MAX)).is_none());
                }
            }
        }
    }
}

/// As both ends do.
fn decode<M: Message + Default>(bytes: &[u8]) -> Option<M> {
    let shared = Bytes::copy_from_slice(bytes);
    within(budget::message(bytes.len()), || codec::decode(shared).ok())
}

/// What is let in can be written to the log as it came.
fn submit(request: &SubmitRequest) {
    let Ok(count) = check_request(request) else {
        assert!(entry_sections(request).is_err());
        return;
    };
    let sections = entry_sections(request).expect("checked");
    let mut builder = EntryBuilder::new(1);
    builder
        .push_sections(b"principal", &sections)
        .expect("what is let in fits the log");
    let bytes = builder.finish();
    let entry = EntryReader::new(&bytes).expect("what is in the log can be read");
    assert_eq!(entry.item_count(), count);
    let logged: Vec<_> = entry
        .requests()
        .flat_map(|request| request.sections())
        .map(|section| (section.kind(), section.count()))
        .collect();
    let sent: Vec<_> = sections
        .iter()
        .map(|(kind, count, _)| (*kind, *count))
        .collect();
    assert_eq!(logged, sent);
}
