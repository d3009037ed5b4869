//! Rows to entries.

use std::io::{self, BufRead, BufReader, Read};

use ::csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::CsvOptions;
use super::columns::{AmountPlaces, Column, Places};
use super::metered::{Metered, TooLong, WrongQuote};
use crate::amount::{Signed, parse_signed};
use crate::direction::Direction;
use crate::error::{Place, Problem, StatementError, short};
use crate::reference::ids_in_words;
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
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .delimiter(options.delimiter)
        .buffer_capacity(BUFFER_BYTES)
        .from_reader(Metered::new(
            input,
            options.delimiter,
            row_bytes_max,
            BUFFER_BYTES,
        ));
    let skipped = u64::from(options.skip_lines);
    let header_place = Place {
        line: skipped + 1,
        entry: 0,
    };
    let wrong = |error: ::csv::Error, mut place: Place| {
        let problem = match error.into_kind() {
            ErrorKind::Io(error) if inner::<TooLong>(&error).is_some() => Problem::TooMuch {
                what: "bytes of a row (is a quote never closed?)",
                max: row_bytes_max,
            },
            ErrorKind::Io(error) => match inner::<WrongQuote>(&error) {
                Some(quote) => {
                    // Noticed ahead of the row at hand.
                    place = Place {
                        line: skipped + quote.line,
                        entry: 0,
                    };
                    Problem::Quote
                }
                None => Problem::Io(error),
            },
            other => Problem::Io(io::Error::other(format!("{other:?}"))),
        };
        StatementError::new(place, problem)
    };
    let header = reader
        .byte_headers()
        .map_err(|error| wrong(error, header_place))?;
    if header.iter().all(<[u8]>::is_empty) {
        return Err(StatementError::new(header_place, Problem::NoHeader));
    }
    let places = Places::find(&options.columns, header, header_place)?;
    let mut rows = Rows {
        options,
        reading,
        places,
        row_bytes_max,
    };
    let mut record = ByteRecord::new();
    for number in 1.. {
        reader.get_mut().next_row();
        let begin = reader.position().byte();
        let result = reader.read_byte_record(&mut record);
        let end = reader.position().byte();
        let mut place = Place {
            line: 0,
            entry: number,
        };
        let more = result.map_err(|error| {
            place.line = skipped + reader.get_mut().line(begin + 1);
            wrong(error, place)
        })?;
        if !more {
            break;
        }
        // From its last byte back over the lines that are inside of it.
        let inside = record.as_slice().iter().filter(|byte| **byte == b'\n');
        let last = reader.get_mut().line(end.saturating_sub(1));
        place.line = (skipped + last).saturating_sub(inside.count() as u64);
        rows.push(&record, place, &mut builder)?;
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

fn inner<E: std::error::Error + 'static>(error: &io::Error) -> Option<&E> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// The columns of one file.
struct Rows<'a> {
    options: &'a CsvOptions,
    reading: &'a Reading,
    places: Places,
    row_bytes_max: usize,
}

impl Rows<'_> {
    fn push(
        &mut self,
        record: &ByteRecord,
        place: Place,
        builder: &mut Builder,
    ) -> Result<(), StatementError> {
        if record.as_slice().len() > self.row_bytes_max {
            let problem = Problem::TooMuch {
                what: "bytes of a row",
                max: self.row_bytes_max,
            };
            return Err(StatementError::new(place, problem));
        }
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
