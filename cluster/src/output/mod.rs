//! Prints what a command found: a table for people, JSON or CSV for scripts, always on standard output.
//!
//! Progress and failures go to standard error, so a pipe sees only the answer.

mod human;
mod table;

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

pub use human::{bytes, count, duration, rate, scaled, uuid};
pub use table::{Align, Table};

use crate::failure::{Code, Failure};

/// How answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns for people.
    #[default]
    Table,
    /// One JSON value.
    Json,
    /// Comma-separated values with a header line.
    Csv,
}

/// An answer that can be printed in every format. JSON comes from `Serialize`, the others from the table.
pub trait Report: Serialize {
    /// The answer as a table.
    fn table(&self) -> Table;

    /// What people read instead of the table, when sentences say it better; other formats leave it out.
    fn prose(&self) -> Option<String> {
        None
    }

    /// Lines for people that stand below the table; other formats leave them out.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Writes answers to standard output.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    format: Format,
    colour: bool,
    /// Columns of the terminal; none when it is no terminal.
    width: Option<usize>,
}

impl Printer {
    /// A printer for standard output; colours only on a terminal, and not when `NO_COLOR` is set.
    #[must_use]
    pub fn new(format: Format) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let size = is_terminal.then(|| rustix::termios::tcgetwinsize(io::stdout()));
        let columns = size
            .and_then(Result::ok)
            .map(|size| usize::from(size.ws_col));
        Self {
            format,
            colour: is_terminal && std::env::var_os("NO_COLOR").is_none(),
            width: columns.filter(|columns| *columns > 0),
        }
    }

    /// The format in use.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Prints an answer.
    ///
    /// # Errors
    /// [`Code::Io`] when standard output cannot be written. A reader that went away (`| head`) is no error.
    pub fn print<R: Report>(&self, report: &R) -> Result<(), Failure> {
        let text = self.render(report)?;
        write_stdout(text.as_bytes())
    }

    /// Prints a line for people; silent in JSON and CSV, where it would break the reader.
    ///
    /// # Errors
    /// As [`Printer::print`].
    pub fn say(&self, line: &str) -> Result<(), Failure> {
        if self.format == Format::Table {
            write_stdout(format!("{line}\n").as_bytes())
        } else {
            Ok(())
        }
    }

    /// A table for people, as wide as the terminal.
    #[must_use]
    pub fn table(&self, table: &Table) -> String {
        table.to_width(self.width, self.colour)
    }

    /// The text that [`Printer::print`] writes.
    ///
    /// # Errors
    /// [`Code::Internal`] when a report cannot be encoded, which would be a bug.
    pub fn render<R: Report>(&self, report: &R) -> Result<String, Failure> {
        let internal = |error: &dyn std::fmt::Display| {
            Failure::new(Code::Internal, "cannot encode the answer").because(error)
        };
        match self.format {
            Format::Json => serde_json::to_string_pretty(report)
                .map(|text| text + "\n")
                .map_err(|error| internal(&error)),
            Format::Csv => report.table().to_csv().map_err(|error| internal(&error)),
            Format::Table => {
                let mut text = report
                    .prose()
                    .unwrap_or_else(|| report.table().to_width(self.width, self.colour));
                for note in report.notes() {
                    text.push_str(&note);
                    text.push('\n');
                }
                Ok(text)
            }
        }
    }
}

/// Writes to standard output. A reader that went away (`| head`) is no error.
///
/// # Errors
/// [`Code::Io`] when it cannot be written.
pub fn write_stdout(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Io, "cannot write to standard output").because(error))
        }
        _ => Ok(()),
    }
}

/// Writes to standard output piece by piece, for answers that may be large. A reader that went away is no error.
///
/// # Errors
/// [`Code::Io`] when it cannot be written.
pub fn stream_stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Io, "cannot write to standard output").because(error))
        }
        _ => Ok(()),
    }
}

/// Prints a failure to standard error: JSON when answers are JSON, sentences otherwise.
pub fn print_failure(failure: &Failure, format: Format) {
    let text = if format == Format::Json {
        serde_json::json!({ "error": failure }).to_string()
    } else if io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        let text = failure.to_string();
        text.strip_prefix("error").map_or_else(
            || text.clone(),
            |rest| format!("\u{1b}[1;31merror\u{1b}[0m{rest}"),
        )
    } else {
        failure.to_string()
    };
    // Nothing is left to tell anyone when standard error is gone.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints a line of progress or advice to standard error.
pub fn tell(line: impl AsRef<str>) {
    // A closed standard error must not stop the work it reports on.
    let _ = writeln!(io::stderr(), "{}", line.as_ref());
}
