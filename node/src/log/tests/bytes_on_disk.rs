//! The bytes of a segment are a promise to later versions: a golden segment pins them.

use std::path::Path;

use crate::disk::{Disk, MemoryDisk, OpenMode};

use super::super::record::{Header, Invalid, Kind, decode, fields};
use super::super::segment::SegmentHeader;
use super::*;

fn header(kind: Kind, number: u64, fields: (u64, u64, u64)) -> Header {
    Header {
        kind,
        use_sequence: 0x0102_0304,
        record_number: number,
        undurable: 2,
        durable_index: Some(9),
        term: fields.0,
        node: fields.1,
        index: fields.2,
    }
}

#[test]
fn a_record_is_laid_out_as_documented() {
    let record = header(Kind::Membership, 0x77, (5, 6, 7)).encode(b"payload");
    let want = "e7ebd6a7 07000000 0403020100000000 03 01 0000 02000000 0700000000000000 0500000000000000 \
                0600000000000000 0900000000000000 7700000000000000";
    let got: String = record.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(got[8..], want.replace(' ', "")[8..], "all but the checksum");
    let checksum = crc32c::crc32c(&[&record[4..], b"payload"].concat());
    assert_eq!(record[..4], checksum.to_le_bytes());
    let decoded = decode(&[&record[..], b"payload"].concat(), 0x0102_0304).unwrap();
    assert_eq!(
        (decoded.header, decoded.payload_length),
        (header(Kind::Membership, 0x77, (5, 6, 7)), 7)
    );
    assert_eq!(decoded.header.proves_durable(), 0x77 - 3);
    let stale = decode(&[&record[..], b"payload"].concat(), 0x0102_0305).unwrap_err();
    assert_eq!(stale, Invalid::Nothing, "a record of another use");
    let torn = decode(&[&record[..], b"payloaD"].concat(), 0x0102_0304).unwrap_err();
    assert!(matches!(torn, Invalid::Broken(_)));
}

#[test]
fn a_segment_header_is_laid_out_as_documented() {
    let header = SegmentHeader {
        number: 3,
        use_sequence: 0x0A0B,
        cluster_id: 0x1112 << 64 | 0x2122,
        node_id: 7,
        first_record_number: 99,
        bytes: 0x5_0000,
    };
    let bytes = header.encode();
    assert_eq!(&bytes[..8], b"FARTHLOG");
    assert_eq!(bytes[8..16], [1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!((bytes[16], bytes[24], bytes[25]), (3, 0x0B, 0x0A));
    assert_eq!(
        (bytes[32], bytes[33], bytes[40], bytes[41]),
        (0x22, 0x21, 0x12, 0x11)
    );
    assert_eq!((bytes[48], bytes[56], bytes[66]), (7, 99, 5));
    assert_eq!(SegmentHeader::decode(&bytes), Ok(header));
}

/// The bytes of a segment written by version 1, without the zeros at its end. `REWRITE_GOLDEN=1` writes them anew: only
/// for a new version of the format, under a new name.
fn golden() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/log-segment-v1.bin");
    if std::env::var_os("REWRITE_GOLDEN").is_some() {
        std::fs::write(&path, golden_bytes()).unwrap();
    }
    std::fs::read(&path).unwrap()
}

fn golden_view() -> View {
    let purged = id(1, 1);
    View {
        vote: Some(vote(4)),
        state: LogState {
            last_purged: Some(purged),
            last: Some(id(4, 3)),
        },
        entries: vec![entry(1, 2, 100), entry(4, 3, 65)],
    }
}

fn golden_bytes() -> Vec<u8> {
    let segment = SegmentHeader {
        number: 1,
        use_sequence: 0x0102_0304,
        cluster_id: 0xC1,
        node_id: 7,
        first_record_number: 1,
        bytes: 16 << 10,
    };
    let blank = Bytes::new();
    let mut bytes = segment.encode().to_vec();
    let entry_fields = |entry: &Entry| fields(Some(entry.log_id));
    let list = [
        entry(1, 1, 10),
        entry(1, 2, 100),
        entry(1, 3, 5),
        entry(4, 3, 65),
    ];
    let records = [
        (Kind::Vote, fields(None), &blank),
        (Kind::Committed, fields(None), &blank),
        (Kind::Purged, fields(None), &blank),
        (Kind::Normal, entry_fields(&list[0]), &list[0].payload),
        (Kind::Normal, entry_fields(&list[1]), &list[1].payload),
        (Kind::Membership, entry_fields(&list[2]), &list[2].payload),
        (Kind::Vote, (4, 3, 1), &blank),
        (Kind::Truncate, fields(Some(id(1, 2))), &blank),
        (Kind::Membership, entry_fields(&list[3]), &list[3].payload),
        (Kind::Committed, fields(Some(id(1, 2))), &blank),
        (Kind::Purged, fields(Some(id(1, 1))), &blank),
        (Kind::Mark, fields(Some(id(4, 3))), &blank),
    ];
    for (at, (kind, (term, node, index), payload)) in records.into_iter().enumerate() {
        let header = Header {
            kind,
            use_sequence: 0x0102_0304,
            record_number: at as u64 + 1,
            undurable: 0,
            durable_index: None,
            term,
            node,
            index,
        };
        bytes.extend_from_slice(&header.encode(payload));
        bytes.extend_from_slice(payload);
        bytes.resize(bytes.len().next_multiple_of(64), 0);
    }
    bytes
}

#[test]
fn a_segment_of_version_1_is_read_and_written_as_ever() {
    let golden = golden();
    assert!(
        golden_bytes() == golden,
        "the bytes written have changed; logs in the field hold the old ones"
    );
    let disk = MemoryDisk::new();
    disk.create_dir_all(DIR.as_ref()).unwrap();
    let file = disk.open(&segment(1), OpenMode::CreateNew).unwrap();
    file.write_zeros(0, 16 << 10).unwrap();
    file.write_at(0, &[io::IoSlice::new(&golden)]).unwrap();
    let log = open(&disk);
    assert_eq!(view(&log), golden_view());
    assert_eq!(log.committed(), Some(id(1, 2)));
}
