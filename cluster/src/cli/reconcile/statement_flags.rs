//! What a statement looks like, as flags.

use clap::{Args, ValueEnum};
use farthing_reconcile::camt::{CamtOptions, EntryDate};
use farthing_reconcile::csv::{AmountColumns, Columns, CsvOptions};
use farthing_reconcile::{Direction, Format, NumberFormat, TimeFormat};

use crate::cli::values::{character, utc_offset};
use crate::failure::{Code, Failure};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatFlag {
    /// Rows below a header row.
    Csv,
    /// ISO 20022 camt.053, XML.
    Camt,
}

impl From<FormatFlag> for Format {
    fn from(flag: FormatFlag) -> Self {
        match flag {
            FormatFlag::Csv => Self::Csv,
            FormatFlag::Camt => Self::Camt,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ReadingFlags {
    /// What the statement calls the ledger's currency [default: what the ledger calls it].
    #[arg(long, value_name = "CODE")]
    pub(super) currency: Option<String>,
    /// Leave out entries in another currency; they are counted.
    #[arg(long)]
    pub(super) skip_other_currencies: bool,
    /// How far the statement's own zone is ahead of UTC, such as +01:00: its days begin at its own midnight.
    #[arg(long, default_value = "+00:00", value_parser = utc_offset, allow_hyphen_values = true, value_name = "OFFSET")]
    pub(super) utc_offset: i32,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Statements as CSV")]
pub(super) struct CsvFlags {
    /// Columns with what an entry is called; one may be the description.
    #[arg(
        long,
        default_value = "id",
        value_delimiter = ',',
        value_name = "NAMES"
    )]
    reference_column: Vec<String>,
    /// Column of the amount, with a sign unless --direction-column says what it is.
    #[arg(long, default_value = "amount", value_name = "NAME")]
    amount_column: String,
    /// What an amount without a minus is.
    #[arg(long, value_enum, default_value = "credit", value_name = "SIDE")]
    positive: SideFlag,
    /// Column that says debit or credit.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["debit_column", "credit_column"])]
    direction_column: Option<String>,
    /// Words for debit in that column, in any case.
    #[arg(
        long,
        default_value = "debit,dbit,dr,d",
        value_delimiter = ',',
        value_name = "WORDS"
    )]
    debit_words: Vec<String>,
    /// Words for credit in that column.
    #[arg(
        long,
        default_value = "credit,crdt,cr,c",
        value_delimiter = ',',
        value_name = "WORDS"
    )]
    credit_words: Vec<String>,
    /// Column of debits, where there is one for each side instead of --amount-column.
    #[arg(long, value_name = "NAME", requires = "credit_column")]
    debit_column: Option<String>,
    /// Column of credits.
    #[arg(long, value_name = "NAME", requires = "debit_column")]
    credit_column: Option<String>,
    /// Debits in their column have a minus.
    #[arg(long, requires = "debit_column")]
    debits_are_negative: bool,
    /// Column of the currency; '' = there is none, all are in the ledger's.
    #[arg(long, default_value = "currency", value_name = "NAME")]
    currency_column: String,
    /// Column of the time; '' = there is none, references tell alone.
    #[arg(long, default_value = "time", value_name = "NAME")]
    time_column: String,
    /// Column with what it is about; '' = there is none.
    #[arg(long, default_value = "description", value_name = "NAME")]
    description_column: String,
    /// Between columns: one ASCII character, or `tab`.
    #[arg(long, default_value = ",", value_parser = character, value_name = "CHARACTER")]
    delimiter: char,
    /// Before the decimals of an amount.
    #[arg(long, default_value = ".", value_parser = character, value_name = "CHARACTER")]
    decimal: char,
    /// Between groups of three digits, or `space` [default: nothing may].
    #[arg(long, value_parser = character, value_name = "CHARACTER")]
    group: Option<char>,
    /// How times are written.
    #[arg(long, value_enum, default_value = "iso", value_name = "FORMAT")]
    time_format: TimeFlag,
    /// Lines before the header row.
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    skip_lines: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SideFlag {
    Debit,
    Credit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TimeFlag {
    /// 2026-01-31, 2026-01-31T09:30:00 or 2026-01-31T09:30:00+01:00.
    Iso,
    /// 31.01.2026, 31/01/2026 or 31-01-2026.
    DayMonthYear,
    /// 01/31/2026.
    MonthDayYear,
    /// 20260131.
    YearMonthDayDigits,
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMilliseconds,
    /// Nanoseconds since 1970.
    UnixNanoseconds,
}

impl CsvFlags {
    pub(super) fn options(self) -> Result<CsvOptions, Failure> {
        let delimiter = u8::try_from(self.delimiter).map_err(|_| {
            let what = format!("--delimiter {:?} is no ASCII character", self.delimiter);
            Failure::new(Code::Usage, what).advise("files have commas, semicolons, bars or tabs")
        })?;
        let amount = match (self.debit_column, self.credit_column, self.direction_column) {
            (Some(debit), Some(credit), _) => AmountColumns::Split {
                debit,
                credit,
                debits_are_negative: self.debits_are_negative,
            },
            (_, _, Some(direction)) => AmountColumns::Directed {
                amount: self.amount_column,
                direction,
                debit_words: self.debit_words,
                credit_words: self.credit_words,
            },
            _ => AmountColumns::Signed {
                amount: self.amount_column,
                positive: match self.positive {
                    SideFlag::Debit => Direction::Debit,
                    SideFlag::Credit => Direction::Credit,
                },
            },
        };
        let named = |name: String| Some(name).filter(|name| !name.is_empty());
        let references = self.reference_column.into_iter().filter_map(named);
        Ok(CsvOptions {
            columns: Columns {
                references: references.collect(),
                amount,
                currency: named(self.currency_column),
                time: named(self.time_column),
                description: named(self.description_column),
            },
            delimiter,
            number_format: NumberFormat {
                decimal: self.decimal,
                group: self.group,
            },
            time_format: match self.time_format {
                TimeFlag::Iso => TimeFormat::Iso,
                TimeFlag::DayMonthYear => TimeFormat::DayMonthYear,
                TimeFlag::MonthDayYear => TimeFormat::MonthDayYear,
                TimeFlag::YearMonthDayDigits => TimeFormat::YearMonthDayDigits,
                TimeFlag::UnixSeconds => TimeFormat::UnixSeconds,
                TimeFlag::UnixMilliseconds => TimeFormat::UnixMilliseconds,
                TimeFlag::UnixNanoseconds => TimeFormat::UnixNanoseconds,
            },
            skip_lines: self.skip_lines,
        })
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Statements as camt.053")]
pub(super) struct CamtFlags {
    /// The account as the statement names it, an IBAN or another id [default: the only one in the file].
    #[arg(long, value_name = "TEXT")]
    statement_account: Option<String>,
    /// Statuses of entries that count.
    #[arg(
        long,
        default_value = "BOOK",
        value_delimiter = ',',
        value_name = "CODES"
    )]
    statuses: Vec<String>,
    /// Which date of an entry counts.
    #[arg(long, value_enum, default_value = "booking", value_name = "DATE")]
    entry_date: DateFlag,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DateFlag {
    /// When it was booked.
    Booking,
    /// From when it counts for interest.
    Value,
}

impl CamtFlags {
    pub(super) fn options(self) -> CamtOptions {
        CamtOptions {
            account: self.statement_account,
            statuses: self.statuses,
            date: match self.entry_date {
                DateFlag::Booking => EntryDate::Booking,
                DateFlag::Value => EntryDate::Value,
            },
        }
    }
}
