//! `farthing events tail`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use farthing_client::Client;
use farthing_client::events::{EventFilter, EventKind, EventsOptions, Subscription};
use farthing_ledger::AccountId;

use super::super::values::id;
use super::line::{Line, text};
use crate::connect::{failure, may_pass};
use crate::failure::{Code, Failure};
use crate::output::{self, Format, Printer};

/// Shows events one a line: for people, or with `-o json` one JSON object a line. It follows the ledger until Ctrl-C and
/// outlives the nodes that serve it: no event is shown twice and none is left out.
#[derive(Debug, Args)]
pub(in crate::cli) struct Tail {
    /// The first sequence.
    #[arg(
        long,
        default_value_t = 1,
        value_name = "SEQUENCE",
        conflicts_with = "from_now"
    )]
    from: u64,
    /// Only what happens from now on.
    #[arg(long)]
    from_now: bool,
    /// The last sequence, after which it ends.
    #[arg(long, value_name = "SEQUENCE")]
    until: Option<u64>,
    /// Only what touches this account; may be repeated.
    #[arg(long, value_parser = id, value_name = "ID")]
    account: Vec<u128>,
    /// Only on this ledger.
    #[arg(long, value_name = "NUMBER")]
    ledger: Option<u32>,
    /// Only transfers or accounts with this code.
    #[arg(long, value_name = "NUMBER")]
    code: Option<u16>,
    /// Only of this kind; may be repeated.
    #[arg(long, value_parser = kinds(), value_name = "KIND")]
    kind: Vec<EventKind>,
    /// With both accounts' balances after each transfer.
    #[arg(long)]
    balances: bool,
}

fn kinds() -> impl TypedValueParser<Value = EventKind> {
    let names = EventKind::ALL.iter().map(|kind| kind.name());
    PossibleValuesParser::new(names)
        .try_map(|name| EventKind::parse(&name).ok_or("there is no such kind"))
}

impl Tail {
    pub(super) async fn run(self, client: &Client, printer: Printer) -> Result<ExitCode, Failure> {
        if printer.format() == Format::Csv {
            let failure = Failure::new(Code::Usage, "events have no common columns for CSV");
            return Err(failure.advise("use -o json: one object a line"));
        }
        let from = if self.from_now {
            client
                .newest_sequence()
                .await
                .map_err(failure)?
                .saturating_add(1)
        } else {
            self.from
        };
        let options = EventsOptions {
            from,
            filter: EventFilter {
                accounts: self.account.into_iter().map(AccountId).collect(),
                ledger: self.ledger,
                code: self.code,
                kinds: self.kind,
            },
            include_balances: self.balances,
            until: self.until,
            patience: Some(client.deadline()),
            ..EventsOptions::default()
        };
        let mut events = client.events(options);
        tokio::select! {
            ended = follow(&mut events, printer) => ended.map(|()| ExitCode::SUCCESS),
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::SUCCESS),
        }
    }
}

/// Until there are no more, or whoever reads has gone.
async fn follow(events: &mut Subscription, printer: Printer) -> Result<(), Failure> {
    loop {
        let batch = match events.next().await {
            Ok(Some(batch)) => batch,
            Ok(None) => return Ok(()),
            Err(error) if may_pass(&error) => {
                output::tell(format!("no node serves events, trying on: {error}"));
                continue;
            }
            Err(error) => return Err(failure(error)),
        };
        let mut lines = String::new();
        for event in &batch.events {
            match printer.format() {
                Format::Json => lines.push_str(&Line::new(event).to_json()?),
                Format::Table | Format::Csv => lines.push_str(&text(event)),
            }
            lines.push('\n');
        }
        if !write(&lines)? {
            return Ok(());
        }
    }
}

/// Writes to standard output; false when nobody reads it any more.
fn write(lines: &str) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(Code::Io, "cannot write to standard output").because(error)),
    }
}
