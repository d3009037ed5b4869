//! A statement's file: opened, told apart, read, and what is wrong with it said with the flag that helps.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use farthing_ledger::Ledger;
use farthing_reconcile::{Format, Problem, Reading, Statement, StatementError, camt, csv};
use tokio::task::{JoinError, spawn_blocking};

use super::Question;
use crate::display::Display;
use crate::failure::{Code, Failure};
use crate::source::{self, Position};

/// By so many bytes XML is told from a header row.
const BEGIN_BYTES: u64 = 512;
/// Time between two looks at how far the reading has come.
const LOOK_PERIOD: Duration = Duration::from_millis(100);

/// A file that can be read.
pub(super) struct Opened {
    input: Box<dyn Read + Send>,
    position: Position,
    pub(super) format: Format,
}

/// Opens a file, and tells its format unless it is given.
pub(super) fn open(path: &Path, format: Option<Format>) -> Result<Opened, Failure> {
    let (mut input, position) = source::open(path)?;
    let mut begin = Vec::new();
    input
        .by_ref()
        .take(BEGIN_BYTES)
        .read_to_end(&mut begin)
        .map_err(|error| Failure::io("read", path, &error))?;
    let format = format.unwrap_or_else(|| Format::of(&begin));
    let input = Box::new(io::Cursor::new(begin).chain(input));
    Ok(Opened {
        input,
        position,
        format,
    })
}

/// Reads a statement on a thread of its own, since one of millions takes seconds.
pub(super) async fn read(
    opened: Opened,
    question: &Question,
    reading: &Reading,
) -> Result<Statement, Failure> {
    let Opened {
        input,
        position,
        format,
    } = opened;
    let (csv, camt) = (question.csv.clone(), question.camt.clone());
    let told = reading.clone();
    let mut work = spawn_blocking(move || match format {
        Format::Csv => csv::read(input, &csv, &told),
        Format::Camt => camt::read(input, &camt, &told),
    });
    let mut display = Display::new("statement", "KiB", 0);
    let read = loop {
        tokio::select! {
            read = &mut work => break read,
            () = tokio::time::sleep(LOOK_PERIOD) => {
                display.show(position.bytes() / 1_024, position.permille());
            }
        }
    };
    drop(display);
    let died = |error: JoinError| {
        Failure::new(Code::Internal, "the reading of the statement died").because(error)
    };
    read.map_err(died)?
        .map_err(|error| unreadable(&question.file, error))
}

/// A statement of nothing but other currencies is that of another account.
pub(super) fn check_currency(
    statement: &Statement,
    ledger: &Ledger,
    question: &Question,
) -> Result<(), Failure> {
    let Some(own) = statement.currency() else {
        return Ok(());
    };
    let is_other = |currency: &str| !currency.eq_ignore_ascii_case(own);
    let currencies = || statement.entries().map(|entry| entry.currency());
    let all_other = currencies().all(|it| it.is_some_and(is_other));
    let skipped = statement.skipped().other_currency;
    if !all_other || (statement.is_empty() && skipped == 0) {
        return Ok(());
    }
    let found = match currencies().next().flatten() {
        Some(first) => format!("in {first}"),
        None => "in other currencies".to_owned(),
    };
    let file = question.file.display();
    Err(Failure::new(
        Code::BadInput,
        format!("{file}: every entry is {found}, and none in {own}"),
    )
    .because(format!(
        "it is the statement of another account: this one is on ledger {}",
        ledger.ledger
    ))
    .advise("correct --account or --statement; if the statement has another name for the ledger's currency, say it with --currency"))
}

fn unreadable(path: &Path, error: StatementError) -> Failure {
    let path = path.display();
    if let Problem::Io(inner) = &error.problem {
        return Failure::new(Code::Io, format!("{path} cannot be read to its end"))
            .because(inner)
            .advise(
                "check that it is complete: a compressed file that was cut off looks like this",
            );
    }
    let failure = Failure::new(Code::BadInput, format!("{path}: {error}"))
        .because("a statement is read whole or not at all; nothing was compared");
    match advice(&error.problem) {
        Some(advice) => failure.advise(advice),
        None => failure,
    }
}

/// The flags that help.
const fn advice(problem: &Problem) -> Option<&'static str> {
    Some(match problem {
        Problem::NoSuchColumn { .. } | Problem::Width { .. } | Problem::NoHeader => {
            "name the file's columns with --reference-column, --amount-column, --currency-column, --time-column and \
             --description-column, '' for one that it does not have; see --delimiter and --skip-lines"
        }
        Problem::ColumnTwice => "rename one of the two, or name another column",
        Problem::Amount { .. } => {
            "see --decimal and --group; the decimals are those of the account's ledger (`farthing ledger list`)"
        }
        Problem::Sign { .. } | Problem::NotOneSide => {
            "say how amounts are written: --amount-column alone has a sign; --debit-column and --credit-column; or \
             --amount-column with --direction-column"
        }
        Problem::Direction { .. } => "name the words with --debit-words and --credit-words",
        Problem::Time { .. } => "see --time-format",
        Problem::SeveralCurrencies(_) => "say which is the ledger's with --currency",
        Problem::SeveralAccounts(_) | Problem::NoSuchAccount { .. } => {
            "say which account of the file is meant with --statement-account"
        }
        Problem::TooMuch { .. } => "split the file, or see --entries-max",
        Problem::NotCamt(_) | Problem::Xml(_) => {
            "check that it is a camt.053 file, or say what it is with --format"
        }
        _ => return None,
    })
}
