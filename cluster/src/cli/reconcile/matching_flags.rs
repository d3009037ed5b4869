//! What counts as the same, as flags.

use std::time::Duration;

use clap::{Args, ValueEnum};
use farthing_reconcile::{Field, Options, Sides, Sums};

use crate::cli::values::duration;

#[derive(Debug, Args)]
#[command(next_help_heading = "Matching")]
pub(super) struct MatchingFlags {
    /// How far apart in time an entry and its transfer may be, such as 12h; a date is as long as its day.
    #[arg(long, default_value = "24h", value_parser = duration, value_name = "TIME")]
    window: Duration,
    /// Smaller windows that are tried first, such as 1min,1h: they find pairs in crowds of equal amounts by nearness,
    /// which is a judgement.
    #[arg(long, value_delimiter = ',', value_parser = duration, value_name = "TIMES")]
    tight_windows: Vec<Duration>,
    /// Whether the statement's debits are our credits, as a bank's are, or our debits.
    #[arg(long, value_enum, default_value = "mirrored", value_name = "HOW")]
    sides: SidesFlag,
    /// Fields of a transfer that the statement's references may name.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "id,user_data_128,user_data_64,user_data_32",
        value_name = "FIELDS"
    )]
    fields: Vec<FieldFlag>,
    /// Look for no sums: an entry and several transfers, or the other way round, are found by references only.
    #[arg(long)]
    no_sums: bool,
    /// Entries that make a sum by following each other in time, at most.
    #[arg(long, default_value_t = Sums::default().run_max, value_name = "COUNT")]
    sum_run_max: usize,
    /// Entries that make a sum without following each other, at most.
    #[arg(long, default_value_t = Sums::default().combination_max, value_name = "COUNT")]
    sum_few_max: usize,
    /// Candidates for those, at most; where there are more none is looked for.
    #[arg(long, default_value_t = Sums::default().candidates_max, value_name = "COUNT")]
    sum_candidates_max: usize,
    /// Steps of the whole search for sums, at most; some nanoseconds each.
    #[arg(long, default_value_t = Sums::default().steps_max, value_name = "COUNT")]
    sum_steps_max: u64,
    /// A sum counts as found only if the odds that one fits by chance are below one to this number.
    #[arg(long, default_value_t = Sums::default().odds_min, value_name = "NUMBER")]
    sum_odds_min: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SidesFlag {
    /// The bank owes us what we have there: its credit is our debit.
    Mirrored,
    /// The statement is written from our account's own point of view.
    Same,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FieldFlag {
    Id,
    #[value(name = "user_data_128")]
    UserData128,
    #[value(name = "user_data_64")]
    UserData64,
    #[value(name = "user_data_32")]
    UserData32,
}

impl MatchingFlags {
    /// Without a period, which is not known yet.
    pub(super) fn options(&self) -> Options {
        let field = |flag: &FieldFlag| match flag {
            FieldFlag::Id => Field::Id,
            FieldFlag::UserData128 => Field::UserData128,
            FieldFlag::UserData64 => Field::UserData64,
            FieldFlag::UserData32 => Field::UserData32,
        };
        Options {
            sides: match self.sides {
                SidesFlag::Mirrored => Sides::Mirrored,
                SidesFlag::Same => Sides::Same,
            },
            fields: self.fields.iter().map(field).collect(),
            window_ns: ns(self.window),
            tight_windows_ns: self.tight_windows.iter().copied().map(ns).collect(),
            sums: (!self.no_sums).then_some(Sums {
                run_max: self.sum_run_max,
                combination_max: self.sum_few_max,
                candidates_max: self.sum_candidates_max,
                steps_max: self.sum_steps_max,
                odds_min: self.sum_odds_min,
            }),
            period: None,
        }
    }
}

/// Lengths of time on the command line are at most a century, which 64 bits hold.
fn ns(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}
