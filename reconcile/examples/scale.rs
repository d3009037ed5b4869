//! Measures reading and comparing: `cargo run --release -p farthing-reconcile --example scale -- 1000000`.
//!
//! A statement of so many entries against a ledger of as many transfers, made from a seed; one in a thousand is missing on
//! one side, one in a thousand differs. With `FARTHING_PAYMENTS=FILE` the amounts and times are those of a file of
//! payments (CSV with `payment_id`, `time` and `amount`, also compressed with zstd).
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::env;
use std::fmt::Write;
use std::fs::{self, File};
use std::io::{self, Read};
use std::time::Instant;

use farthing_reconcile::camt::{self, CamtOptions};
use farthing_reconcile::csv::{self, AmountColumns, Columns, CsvOptions};
use farthing_reconcile::{
    Class, Direction, LedgerEntry, NumberFormat, Options, Reading, Statement, TimeFormat, reconcile,
};

const BEGIN_S: u64 = 1_767_225_600;

/// Pseudorandom, the same on every machine.
fn mix(seed: u64) -> u64 {
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn id(number: u64) -> u128 {
    u128::from(mix(number + 1)) << 64 | u128::from(number + 1)
}

/// Makes a file as it is read, so that the measurement is not about holding it.
struct Lines<F> {
    count: u64,
    next: u64,
    line: F,
    buffer: String,
    given: usize,
}

impl<F: FnMut(u64, &mut String)> Read for Lines<F> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.buffer.len() {
            self.buffer.clear();
            self.given = 0;
            while self.buffer.len() < 1 << 16 && self.next < self.count {
                (self.line)(self.next, &mut self.buffer);
                self.next += 1;
            }
        }
        let length = (&self.buffer.as_bytes()[self.given..]).read(out)?;
        self.given += length;
        Ok(length)
    }
}

fn lines(count: u64, line: impl FnMut(u64, &mut String)) -> impl Read {
    Lines {
        count,
        next: 0,
        line,
        buffer: String::new(),
        given: 0,
    }
}

/// Cents of a payment: few to many thousands.
fn cents(number: u64) -> u64 {
    mix(number ^ 0x5eed) % 1_000_000 + 1
}

/// All within a month.
fn second(number: u64, count: u64) -> u64 {
    BEGIN_S + number * 30 * 86_400 / count
}

fn from_csv(count: u64, with_ids: bool) -> Statement {
    let input = lines(count + 1, |line, text| {
        let Some(number) = line.checked_sub(1) else {
            text.push_str("id,amount,currency,time,description\n");
            return;
        };
        let id = if with_ids { id(number) } else { 0 };
        let (cents, second) = (cents(number), second(number, count));
        let (whole, decimals) = (cents / 100, cents % 100);
        writeln!(
            text,
            "{id:032x},{whole}.{decimals:02},EUR,{second},a payment"
        )
        .unwrap();
    });
    let options = CsvOptions {
        time_format: TimeFormat::UnixSeconds,
        ..CsvOptions::standard()
    };
    csv::read(input, &options, &Reading::new(2)).unwrap()
}

fn from_camt(count: u64) -> Statement {
    let input = lines(count + 2, |line, text| {
        if line == 0 {
            text.push_str("<Document><BkToCstmrStmt><Stmt><Id>1</Id>\n");
        } else if line > count {
            text.push_str("</Stmt></BkToCstmrStmt></Document>\n");
        } else {
            let number = line - 1;
            let (id, cents) = (id(number), cents(number));
            let (whole, decimals) = (cents / 100, cents % 100);
            writeln!(
                text,
                "<Ntry><Amt Ccy=\"EUR\">{whole}.{decimals:02}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
                 <BookgDt><Dt>2026-01-15</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>{id:032x}</EndToEndId></Refs>\
                 <RmtInf><Ustrd>a payment</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
            )
            .unwrap();
        }
    });
    camt::read(input, &CamtOptions::default(), &Reading::new(2)).unwrap()
}

fn from_payments(path: &str) -> Statement {
    let file = File::open(path).unwrap();
    let input: Box<dyn Read> = if path.ends_with(".zst") {
        Box::new(zstd::Decoder::new(file).unwrap())
    } else {
        Box::new(file)
    };
    let options = CsvOptions {
        number_format: NumberFormat::POINT,
        ..CsvOptions::new(Columns {
            references: vec!["payment_id".to_owned()],
            amount: AmountColumns::signed("amount"),
            currency: None,
            time: Some("time".to_owned()),
            description: None,
        })
    };
    csv::read(input, &options, &Reading::new(2)).unwrap()
}

/// The ledger that this statement is of, but for a few.
fn ledger(statement: &Statement, with_ids: bool) -> Vec<LedgerEntry> {
    let mut ledger = Vec::with_capacity(statement.len());
    for (number, entry) in (0..).zip(statement.entries()) {
        let drawn = mix(number ^ 0xabcd) % 1_000;
        if drawn == 0 {
            continue;
        }
        let reference = entry
            .references()
            .next()
            .map_or("", |reference| reference.text);
        ledger.push(LedgerEntry {
            id: id(number),
            amount: entry.amount() + u128::from(drawn == 1),
            direction: Direction::Debit,
            // Booked by us up to a minute before.
            timestamp: entry.span().first_ns - mix(number) % 60_000_000_000,
            user_data_128: 0,
            user_data_64: if with_ids {
                reference.parse().unwrap_or(0)
            } else {
                0
            },
            user_data_32: 0,
        });
    }
    ledger
}

fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

fn measure<T>(what: &str, count: usize, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let result = work();
    let elapsed = begin.elapsed();
    println!(
        "{what:48} {:7.2} s  {:6.2} M/s  peak {} MiB",
        elapsed.as_secs_f64(),
        count as f64 / elapsed.as_secs_f64() / 1e6,
        peak_mib()
    );
    result
}

fn compare(what: &str, statement: &Statement, ledger: &[LedgerEntry], options: &Options) {
    let report = measure(what, statement.len(), || {
        reconcile(statement, ledger, options).unwrap()
    });
    for class in Class::ALL {
        let figures = report.summary().class(class);
        println!(
            "  {class:10?} items {:8}  entries {:8}  transfers {:8}",
            figures.items, figures.statement.count, figures.ledger.count
        );
    }
    println!(
        "  sums not searched: {}",
        report.summary().sums_not_searched
    );
}

fn main() {
    let count: u64 = env::args()
        .nth(1)
        .map_or(1_000_000, |text| text.parse().unwrap());
    let options = Options::default();
    let tight = Options {
        tight_windows_ns: vec![60_000_000_000],
        ..Options::default()
    };
    if let Ok(path) = env::var("FARTHING_PAYMENTS") {
        let statement = measure("read payments", 0, || from_payments(&path));
        println!("  {} entries", statement.len());
        let by_name = ledger(&statement, true);
        compare(
            "compare payments by user data",
            &statement,
            &by_name,
            &options,
        );
        drop(by_name);
        let nameless = ledger(&statement, false);
        compare(
            "compare payments by amount and time",
            &statement,
            &nameless,
            &options,
        );
        compare(
            "the same with a window of a minute first",
            &statement,
            &nameless,
            &tight,
        );
        return;
    }
    let size = count as usize;
    let statement = measure("read CSV", size, || from_csv(count, true));
    let transfers = ledger(&statement, false);
    compare("compare by id", &statement, &transfers, &options);
    let report = reconcile(&statement, &transfers, &options).unwrap();
    measure("write all items as JSON", size, || {
        serde_json::to_writer(io::sink(), &report.document(&Class::ALL)).unwrap();
    });
    drop(report);
    drop(statement);
    let statement = measure("read CSV without ids", size, || from_csv(count, false));
    compare(
        "compare by amount and time",
        &statement,
        &transfers,
        &options,
    );
    compare(
        "the same with a window of a minute first",
        &statement,
        &transfers,
        &tight,
    );
    drop(statement);
    let statement = measure("read camt.053", size, || from_camt(count));
    compare("compare by id", &statement, &transfers, &options);
}
