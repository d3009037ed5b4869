//! Rows to entries.

use std::io::{BufRead, BufReader, Read};

use ::csv::ByteRecord;

use super::CsvOptions;
use super::columns::{AmountPlaces, Column, Places};
use crate::amount::{Signed, parse_signed};
use crate::direction::Direction;
use crate::error::{Place, Problem, StatementError, short};
use crate::reference::ids_in_words;
use crate::rows::{RowError, RowProblem, Rows};
use crate::statement::{Builder, NewEntry, Reading, Statement};
use crate::time::{self, Span};

/// Read ahead of a row, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

/// A row may have this many times the bytes of its longest field.
const FIELDS_PER_ROW: usize = 16;

pub(super) fn read(
    input: impl Read,
    options: &CsvOptions,
    reading: &Reading,
) -> Result<Statement, StatementError> {
    check(options)?;
    let mut builder = Builder::new(reading)?;
    let row_bytes_max = reading
        .limits
        .field_bytes_max
        .saturating_mul(FIELDS_PER_ROW);
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    skip_lines(&mut input, options.skip_lines, row_bytes_max)?;
    let skipped = u64::from(options.skip_lines);
    let wrong = |error: RowError, entry: u64| {
        let problem = match error.problem {
            RowProblem::TooLong => Problem::TooMuch {
                what: "bytes of a row (is a quote never closed?)",
                max: row_bytes_max,
            },
            RowProblem::Quote => Problem::Quote,
            RowProblem::Io(error) => Problem::Io(error),
        };
        let line = skipped + error.line;
        StatementError::new(Place { line, entry }, problem)
    };
    let mut rows = Rows::new(input, options.delimiter, row_bytes_max, BUFFER_BYTES);
    let header = rows.header().map_err(|error| wrong(error, 0))?;
    let header_place = Place {
        line: skipped + 1,
        entry: 0,
    };
    if header.iter().all(<[u8]>::is_empty) {
        return Err(StatementError::new(header_place, Problem::NoHeader));
    }
    let entries = Entries {
        options,
        reading,
        places: Places::find(&options.columns, &header, header_place)?,
    };
    for entry in 1.. {
        let Some(line) = rows.next_line().map_err(|error| wrong(error, entry))? else {
            break;
        };
        let line = skipped + line;
        entries.push(rows.last(), Place { line, entry }, &mut builder)?;
    }
    builder.finish()
}

fn check(options: &CsvOptions) -> Result<(), StatementError> {
    let numbers = options.number_format;
    let wrong = if !options.delimiter.is_ascii() || b"\"\r\n".contains(&options.delimiter) {
        "the delimiter must be one ASCII character, and no quote or line end"
    } else if numbers.group == Some(numbers.decimal) {
        "the decimal character and the one between groups of thousands are the same"
    } else if numbers.decimal.is_alphanumeric() || numbers.decimal == '-' {
        "the decimal character must be neither a letter, nor a digit, nor a sign"
    } else {
        return Ok(());
    };
    Err(StatementError::new(
        Place::default(),
        Problem::Options(wrong),
    ))
}

/// Reads past lines before the header.
fn skip_lines(
    input: &mut impl BufRead,
    count: u32,
    bytes_max: usize,
) -> Result<(), StatementError> {
    let mut line = Vec::new();
    for number in 1..=u64::from(count) {
        let place = Place {
            line: number,
            entry: 0,
        };
        line.clear();
        let length = input
            .by_ref()
            .take(bytes_max as u64 + 1)
            .read_until(b'\n', &mut line)
            .map_err(|error| StatementError::new(place, Problem::Io(error)))?;
        if length > bytes_max {
            let problem = Problem::TooMuch {
                what: "bytes of a line",
                max: bytes_max,
            };
            return Err(StatementError::new(place, problem));
        }
    }
    Ok(())
}

/// The columns of one file.
struct Entries<'a> {
    options: &'a CsvOptions,
    reading: &'a Reading,
    places: Places,
}

impl Entries<'_> {
    fn push(
        &self,
        record: &ByteRecord,
        place: Place,
        builder: &mut Builder,
    ) -> Result<(), StatementError> {
        if record.len() != self.places.width {
            let problem = Problem::Width {
                found: record.len(),
                expected: self.places.width,
            };
            return Err(StatementError::new(place, problem));
        }
        let cell = |column: &Column| self.cell(record, column, place);
        let currency = match &self.places.currency {
            Some(column) => Some(cell(column)?).filter(|text| !text.is_empty()),
            None => None,
        };
        if let Some(currency) = currency
            && builder.skips(currency, place)?
        {
            return Ok(());
        }
        let (direction, amount) = self.amount(record, place)?;
        let span = match &self.places.time {
            Some(column) => self.span(cell(column)?, column, place)?,
            None => Span::UNKNOWN,
        };
        let mut references = Vec::new();
        for column in &self.places.references {
            for part in cell(column)?.split([',', ';', '|']) {
                let part = part.trim();
                references.push(part);
                references.extend(ids_in_words(part).filter(|id| *id != part));
            }
        }
        let description = match &self.places.description {
            Some(column) => cell(column)?,
            None => "",
        };
        builder.push(&NewEntry {
            amount,
            direction,
            currency,
            span,
            place,
            references: &references,
            details: &[],
            description,
            reversal: false,
        })
    }

    fn cell<'r>(
        &self,
        record: &'r ByteRecord,
        column: &Column,
        place: Place,
    ) -> Result<&'r str, StatementError> {
        let problem = |problem| StatementError::of_field(place, &column.name, problem);
        let bytes = record.get(column.index).unwrap_or_default();
        let max = self.reading.limits.field_bytes_max;
        if bytes.len() > max {
            let what = "bytes of a field";
            return Err(problem(Problem::TooMuch { what, max }));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| problem(Problem::NotUtf8))?;
        Ok(text.trim())
    }

    fn span(&self, text: &str, column: &Column, place: Place) -> Result<Span, StatementError> {
        let format = self.options.time_format;
        time::parse(text, format, self.reading.utc_offset_s).ok_or_else(|| {
            let problem = Problem::Time {
                text: short(text),
                expected: format.example(),
            };
            StatementError::of_field(place, &column.name, problem)
        })
    }

    fn number(&self, text: &str, column: &Column, place: Place) -> Result<Signed, StatementError> {
        let scale = self.reading.scale;
        parse_signed(text, self.options.number_format, scale).map_err(|error| {
            let problem = Problem::Amount {
                text: short(text),
                scale,
                error,
            };
            StatementError::of_field(place, &column.name, problem)
        })
    }

    fn amount(
        &self,
        record: &ByteRecord,
        place: Place,
    ) -> Result<(Direction, u128), StatementError> {
        let cell = |column: &Column| self.cell(record, column, place);
        let number = |column: &Column| self.number(cell(column)?, column, place);
        let sign = |column: &Column| -> StatementError {
            let text = short(cell(column).unwrap_or_default());
            StatementError::of_field(place, &column.name, Problem::Sign { text })
        };
        match &self.places.amount {
            AmountPlaces::Signed { amount, positive } => {
                let (negative, value) = number(amount)?;
                let direction = if negative {
                    positive.opposite()
                } else {
                    *positive
                };
                Ok((direction, value))
            }
            AmountPlaces::Split {
                debit,
                credit,
                debits_are_negative,
            } => {
                let filled = |column: &Column| -> Result<Option<Signed>, StatementError> {
                    if cell(column)?.is_empty() {
                        return Ok(None);
                    }
                    number(column).map(Some)
                };
                let (direction, column, (negative, value)) = match (filled(debit)?, filled(credit)?)
                {
                    (Some(value), None | Some((_, 0))) => (Direction::Debit, debit, value),
                    (None | Some((_, 0)), Some(value)) => (Direction::Credit, credit, value),
                    _ => return Err(StatementError::new(place, Problem::NotOneSide)),
                };
                let expected = *debits_are_negative && direction == Direction::Debit;
                if value != 0 && negative != expected {
                    return Err(sign(column));
                }
                Ok((direction, value))
            }
            AmountPlaces::Directed {
                amount,
                direction,
                debit_words,
                credit_words,
            } => {
                let (negative, value) = number(amount)?;
                if negative {
                    return Err(sign(amount));
                }
                let word = cell(direction)?;
                let is = |words: &[String]| {
                    let lower = word.to_lowercase();
                    words.iter().any(|word| word.to_lowercase() == lower)
                };
                let direction = match (is(debit_words), is(credit_words)) {
                    (true, false) => Direction::Debit,
                    (false, true) => Direction::Credit,
                    _ => {
                        let problem = Problem::Direction {
                            text: short(word),
                            debit: debit_words.join(", "),
                            credit: credit_words.join(", "),
                        };
                        return Err(StatementError::of_field(place, &direction.name, problem));
                    }
                };
                Ok((direction, value))
            }
        }
    }
}
