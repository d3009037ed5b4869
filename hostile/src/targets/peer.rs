//! Messages of peers: what Raft is handed is what could have been sent.

use arbitrary::{Result, Unstructured};
use farthing_node::fuzzing::{Form, reread};
use farthing_proto::codec::LIST_ITEMS_MAX;
use farthing_proto::peer::v1 as wire;
use farthing_proto::peer::v1::snapshot_chunk::Part;
use prost::Message;

use super::cold;
use crate::budget::{self, within};
use crate::corpus;

pub(super) const PART: super::Part = super::Part {
    name: "peer",
    run,
    seeds,
    words: &[
        "\u{1a}\u{0}",
        "\u{2a}\u{0}",
        "\u{10}\u{2}",
        "FART\u{1}\u{0}\u{2}\u{0}",
    ],
};

const FORMS: [Form; 15] = [
    Form::Append,
    Form::AppendReply,
    Form::Vote,
    Form::VoteReply,
    Form::Remember,
    Form::RememberReply,
    Form::Vitals,
    Form::SnapshotChunk,
    Form::SnapshotReply,
    Form::TransferLeader,
    Form::TransferLeaderReply,
    Form::ReadIndexReply,
    Form::ProbeReply,
    Form::FetchCheckpoint,
    Form::Confirm,
];

/// A byte for the message and whether the rest is its bytes or is to be made an append.
fn run(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let form = FORMS[usize::from(*kind) % FORMS.len()];
    if kind & 0x80 == 0 {
        again(form, bytes);
    } else if let Ok((request, sound)) = append(&mut Unstructured::new(bytes)) {
        assert_eq!(
            again(Form::Append, &request.encode_to_vec()),
            sound,
            "{request:?}"
        );
    }
}

/// Whether it was accepted; then reading what was written says the same.
fn again(form: Form, bytes: &[u8]) -> bool {
    // Read and written; a membership or a manifest in it may take 1 MiB before it is refused.
    let budget = 2 * budget::message(bytes.len()) + (4 << 20);
    match within(budget, || reread(form, bytes)) {
        Ok(written) => {
            assert_eq!(reread(form, &written).as_ref(), Ok(&written), "{form:?}");
            true
        }
        Err(why) => {
            assert!(!why.is_empty());
            false
        }
    }
}

/// An append of blanks and requests, and whether it is sound: each entry follows the one before.
fn append(source: &mut Unstructured<'_>) -> Result<(wire::AppendRequest, bool)> {
    let log_id = |source: &mut Unstructured<'_>, index| -> Result<_> {
        Ok(wire::LogId {
            term: source.arbitrary()?,
            index,
        })
    };
    let start: u64 = source.arbitrary()?;
    let previous = source.arbitrary::<bool>()?;
    let vote = source.ratio(9, 10)?;
    let mut sound = vote;
    let (mut next, mut entries) = (start, Vec::new());
    let mut known = previous;
    for _ in 0..source.int_in_range(0..=6)? {
        let mut index = next.saturating_add(1);
        if source.ratio(1, 8)? {
            index = source.arbitrary()?;
        }
        sound &= !known || index == next.saturating_add(1);
        (known, next) = (true, index);
        let kind = source.int_in_range(0..=4)?;
        sound &= kind == 1 || kind == 2;
        entries.push(wire::Entry {
            log_id: Some(log_id(source, index)?),
            kind,
            payload: if kind == 2 { Vec::new() } else { vec![0; 9] }.into(),
        });
    }
    let request = wire::AppendRequest {
        vote: vote.then_some(wire::Vote {
            term: 3,
            node: 1,
            committed: true,
        }),
        previous: previous.then_some(log_id(source, start)?),
        entries,
        committed: None,
        claims: Vec::new(),
    };
    Ok((request, sound))
}

fn seeds() -> Vec<Vec<u8>> {
    let vote = Some(wire::Vote {
        term: 2,
        node: 3,
        committed: true,
    });
    let log_id = |index| Some(wire::LogId { term: 2, index });
    let payload = corpus::entries().remove(0);
    let append = wire::AppendRequest {
        vote,
        previous: log_id(4),
        entries: vec![
            wire::Entry {
                log_id: log_id(5),
                kind: wire::EntryKind::Blank.into(),
                ..Default::default()
            },
            wire::Entry {
                log_id: log_id(6),
                kind: wire::EntryKind::Normal.into(),
                payload: payload.into(),
            },
        ],
        committed: log_id(4),
        claims: vec![wire::Claim {
            node: 2,
            incarnation: 3,
            vote,
            acknowledged: log_id(4),
        }],
    };
    let reply = wire::AppendReply {
        outcome: Some(wire::append_reply::Outcome::HigherVote(wire::Vote {
            term: 3,
            node: 1,
            committed: false,
        })),
        wall_clock_ns: 7,
        ..Default::default()
    };
    let ask = wire::VoteRequest {
        vote,
        last_log_id: log_id(6),
        leadership_transfer: true,
    };
    let answer = wire::VoteReply {
        vote,
        last_log_id: log_id(6),
        granted: true,
        ..Default::default()
    };
    let claim = append.claims.first().copied();
    let remembered = wire::RememberReply {
        vote,
        known: claim,
        empty: true,
    };
    let vitals = wire::Vitals {
        disk_level: 1,
        sync_p50_us: 300,
        digests: vec![wire::DigestAt {
            index: 7,
            digest: vec![5; 16].into(),
        }],
        agrees: vec![1, 3],
        membership_index: 0,
        membership: Vec::new().into(),
        public_key: vec![9; 32].into(),
    };
    let header = wire::SnapshotHeader {
        vote,
        manifest: cold::sealed_manifest().into(),
    };
    let begin = wire::SnapshotChunk {
        part: Some(Part::Header(header)),
    };
    let take_over = wire::TransferLeaderRequest {
        from_leader: vote,
        to: 2,
        last_log_id: log_id(6),
    };
    let refused = wire::TransferLeaderReply {
        accepted: false,
        reason: "behind".into(),
    };
    let bytes = [
        append.encode_to_vec(),
        reply.encode_to_vec(),
        ask.encode_to_vec(),
        answer.encode_to_vec(),
        wire::RememberRequest { own: claim }.encode_to_vec(),
        remembered.encode_to_vec(),
        vitals.encode_to_vec(),
        begin.encode_to_vec(),
        wire::SnapshotReply { vote }.encode_to_vec(),
        take_over.encode_to_vec(),
        refused.encode_to_vec(),
        wire::ReadIndexReply {
            index: Some(9),
            leader: 3,
        }
        .encode_to_vec(),
        wire::ProbeReply {
            initialized: true,
            last_log_index: 6,
        }
        .encode_to_vec(),
        wire::FetchCheckpointRequest { index_min: 5 }.encode_to_vec(),
        wire::ConfirmRequest { vote }.encode_to_vec(),
    ];
    let mut seeds = corpus::numbered(bytes);
    let bytes_of_a_file = wire::FileChunk {
        file: 1,
        offset: 300,
        data: b"rows".to_vec().into(),
    };
    let chunk = wire::SnapshotChunk {
        part: Some(Part::Chunk(bytes_of_a_file)),
    };
    seeds.push([&[7], &chunk.encode_to_vec()[..]].concat());
    seeds.push([&[0x80][..], &[1; 200]].concat());
    // More entries without fields than any leader sends.
    seeds.push([&[0], &[0x1a, 0].repeat(LIST_ITEMS_MAX + 1)[..]].concat());
    seeds
}
