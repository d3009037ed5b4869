//! `farthing id`: ids made and derived.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::failure::Failure;
use crate::import::{Deriver, Plan};
use crate::output::{Printer, Report, Table, uuid};

#[derive(Debug, Subcommand)]
pub(super) enum IdCommand {
    /// Make a new id: ordered by time, unique.
    New,
    /// The id that `farthing import` derives from a name in a file.
    Derive {
        /// What the name names: `customer`, `terminal`, or `transfer` for payments.
        kind: String,
        /// The name as it stands in the file.
        name: String,
        /// The namespace of the import.
        #[arg(long, default_value_t = Plan::default().namespace, value_name = "TEXT")]
        namespace: String,
    },
}

#[derive(Debug, Serialize)]
struct Id {
    id: String,
}

impl Report for Id {
    fn table(&self) -> Table {
        Table::pairs([("id", self.id.clone())])
    }
}

impl IdCommand {
    pub(super) fn run(self, printer: Printer) -> Result<ExitCode, Failure> {
        let id = match self {
            Self::New => farthing_client::ids::new(),
            Self::Derive {
                kind,
                name,
                namespace,
            } => Deriver::new(&namespace, &kind).id(&name),
        };
        printer.print(&Id { id: uuid(id) })?;
        Ok(ExitCode::SUCCESS)
    }
}
