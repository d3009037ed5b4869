//! `jepsen export`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::export::{self, View};
use crate::history::Reader;

/// Write a history for other people's checkers.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The history: JSON lines, as a run writes them.
    history: PathBuf,
    /// Jepsen's EDN, one operation map on a line.
    #[arg(
        long,
        value_enum,
        value_name = "VIEW",
        required_unless_present = "porcupine"
    )]
    edn: Option<Edn>,
    /// The append view for Porcupine: JSON lines of calls with their times.
    #[arg(long, conflicts_with = "edn")]
    porcupine: bool,
    /// Where to write it; standard output when left out.
    #[arg(long, short)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Edn {
    /// Every event as it is.
    Full,
    /// List-append for Elle: a transfer T from A to B is [[:append A T] [:append B T]].
    Append,
    /// The bank test: transfers, and reads of balances.
    Bank,
}

impl Export {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let view = match self.edn {
            Some(Edn::Full) => View::EdnFull,
            Some(Edn::Append) => View::EdnAppend,
            Some(Edn::Bank) => View::EdnBank,
            None => View::PorcupineAppend,
        };
        let out: Box<dyn Write> = match &self.out {
            Some(path) => Box::new(File::create(path).with_context(|| path.display().to_string())?),
            None => Box::new(io::stdout().lock()),
        };
        let mut out = BufWriter::with_capacity(1 << 18, out);
        let history =
            Reader::open(&self.history).with_context(|| self.history.display().to_string())?;
        export::export(history, view, &mut out)?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}
