//! How far consumers are.

use std::process::ExitCode;

use clap::Args;
use farthing_client::Client;
use farthing_client::events::Cursor;
use serde::Serialize;

use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::{self, Align, Printer, Report, Table};

/// Show how far consumers are that keep their place in cursors, and how many events each is behind.
#[derive(Debug, Args)]
pub(in crate::cli) struct Cursors {
    /// Names of cursors. That of a sink is `sink/NAME`, that of a settlement worker the worker's name.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

impl Cursors {
    pub(super) async fn run(self, client: &Client, printer: Printer) -> Result<ExitCode, Failure> {
        let mut saved = Vec::new();
        for name in self.names {
            let cursor = Cursor::open(client, &name).await.map_err(failure)?;
            if !cursor.exists() {
                let what = format!("there is no cursor {name:?}");
                return Err(Failure::new(Code::NotFound, what).advise(
                    "a cursor is there from a consumer's first save on; compare the name",
                ));
            }
            saved.push((name, cursor.sequence()));
        }
        // Asked last, so that nobody is ahead of it.
        let newest = client.newest_sequence().await.map_err(failure)?;
        let rows = saved.into_iter().map(|(name, sequence)| Row {
            name,
            sequence,
            newest,
            lag: newest.saturating_sub(sequence),
        });
        printer.print(&Shown(rows.collect()))?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Shown(Vec<Row>);

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// The last sequence that the consumer has handled.
    sequence: u64,
    /// The last one that there is.
    newest: u64,
    /// Events in between.
    lag: u64,
}

impl Report for Shown {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("name", Align::Left),
            ("sequence", Align::Right),
            ("newest", Align::Right),
            ("lag", Align::Right),
        ]);
        for row in &self.0 {
            table.row(vec![
                row.name.clone(),
                output::count(row.sequence),
                output::count(row.newest),
                output::count(row.lag),
            ]);
        }
        table
    }
}
