//! Files that somebody wrote to do harm, made from good ones by chance: they are refused in words, or what was read of them
//! is within the limits and can be compared. `RECONCILE_HOSTILE_TIMES=100` tries a hundred times as many.
#![allow(clippy::unwrap_used)]

mod common;

use std::env;

use common::transfer;
use farthing_reconcile::camt::{self, CamtOptions};
use farthing_reconcile::csv::{self, CsvOptions};
use farthing_reconcile::{
    Class, LedgerEntry, Limits, Options, Place, Reading, Statement, StatementError, reconcile,
};

const SEEDS: [&str; 4] = [
    include_str!("camt/version_02.xml"),
    include_str!("camt/version_13.xml"),
    "id,amount,currency,time,description\r\n77,12.50,EUR,2026-01-31T12:00:00Z,\"a, \"\"b\"\"\"\r\n\
     78,-3,EUR,2026-01-31,\"two\nlines\"\r\n1 | 2,7.00,USD,2026-02-01T09:30:00+01:00,\r\n",
    "\u{feff}id,amount,currency,time,description\n00000000-0000-0000-0000-000000000005,5.00,,2026-01-30,x\n",
];

/// What means something to a reader of one or the other.
const PIECES: [&[u8]; 30] = [
    b"<",
    b">",
    b"/>",
    b"&",
    b"&amp;",
    b"&#0;",
    b"&#x110000;",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE d [<!ENTITY a \"b\">]>",
    b"<?xml version=\"1.0\" encoding=\"UTF-16\"?>",
    b"<Ntry>",
    b"</Ntry>",
    b"<TxDtls>",
    b"<Amt Ccy=\"EUR\">",
    b"CRDT",
    b"\"",
    b"\"\"",
    b",",
    b"\r",
    b"\n",
    b"-",
    b".",
    b"999999999999999999999999999999999999999999",
    b"0",
    b"\xff",
    b"\0",
    b"\xef\xbb\xbf",
];

struct Draw(u64);

impl Draw {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below.max(1)
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.next(bytes.len() + 1);
        let to = (at + self.next(40)).min(bytes.len());
        match self.next(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let again = bytes[at..to].to_vec();
                let place = self.next(bytes.len() + 1);
                bytes.splice(place..place, again);
            }
            3 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = self.next(256) as u8;
                }
            }
            _ => {
                let piece = PIECES[self.next(PIECES.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }
}

fn limits() -> Limits {
    Limits {
        entries_max: 6,
        details_max: 6,
        references_max: 20,
        text_bytes_max: 600,
        field_bytes_max: 400,
        depth_max: 12,
        sections_max: 3,
    }
}

fn look_at(result: Result<Statement, StatementError>, ledger: &[LedgerEntry], lines: u64) -> bool {
    let statement = match result {
        Ok(statement) => statement,
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 2_000, "{message}");
            assert!(
                !message.contains('\0') && !message.contains('\n'),
                "{message:?}"
            );
            assert!(
                error.place == Place::default() || error.place.line <= lines,
                "{message}"
            );
            return false;
        }
    };
    assert!(statement.len() <= limits().entries_max);
    assert!(statement.sections().len() <= limits().sections_max);
    for entry in statement.entries() {
        assert!(entry.references().count() <= limits().references_max);
        assert!(entry.description().len() <= Limits::DESCRIPTION_BYTES_MAX);
        assert!(
            (1..=lines).contains(&entry.place().line),
            "{}",
            entry.place()
        );
    }
    let report = reconcile(&statement, ledger, &Options::default()).unwrap();
    serde_json::to_string(&report.document(&Class::ALL)).unwrap();
    true
}

#[test]
fn whatever_it_is_it_is_read_or_refused() {
    let times = env::var("RECONCILE_HOSTILE_TIMES").ok();
    let times: u64 = times.and_then(|text| text.parse().ok()).unwrap_or(1);
    let first = 0x0192_f3a4_b5c6_7788_99aa_bbcc_ddee_ff01;
    let ledger = [
        transfer(77, 1_250, 0),
        transfer(1, 400, -20),
        transfer(2, 300, -21),
        transfer(first, 60_000, 0),
        transfer(first + 1, 40_000, 0),
        transfer(5, 750, 0),
    ];
    let (mut read, mut refused) = (0_u64, 0_u64);
    for seed in 0..5_000 * times {
        let mut draw = Draw(seed);
        let mut bytes = SEEDS[draw.next(SEEDS.len())].as_bytes().to_vec();
        for _ in 0..=draw.next(4) {
            draw.change(&mut bytes);
        }
        let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        for currency in [None, Some("EUR".to_owned())] {
            let reading = Reading {
                skip_other_currencies: currency.is_some(),
                currency,
                limits: limits(),
                ..Reading::new(2)
            };
            for result in [
                csv::read(&bytes[..], &CsvOptions::standard(), &reading),
                camt::read(&bytes[..], &CamtOptions::default(), &reading),
            ] {
                match look_at(result, &ledger, lines) {
                    true => read += 1,
                    false => refused += 1,
                }
            }
        }
    }
    // Chance makes both, or it makes nothing worth trying.
    assert!(
        read > 500 * times && refused > 500 * times,
        "{read} read, {refused} refused"
    );
}
