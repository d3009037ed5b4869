//! `farthing sink`: every change of the ledger, delivered to where others read it.

mod file;
mod flags;
mod kafka;
mod nats;
mod webhook;

use std::process::ExitCode;

use clap::Subcommand;
use farthing_sinks::{Error, Events, Origin, Progress, Sink, run};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use self::flags::RunFlags;
use super::globals::Globals;
use crate::connect::failure;
use crate::failure::{Code, Failure};
use crate::output::{self, Format, Printer};

#[derive(Debug, Subcommand)]
pub(super) enum SinkCommand {
    /// Run a sink until SIGTERM or Ctrl-C. Killed at any point, it goes on where it was.
    #[command(subcommand)]
    Run(Kind),
}

#[derive(Debug, Subcommand)]
pub(super) enum Kind {
    /// Into files: one CloudEvent a line, on the disk before it counts; each event once.
    File(file::FileFlags),
    /// To a receiver of webhooks: signed batches, each event at least once, dead letters.
    Webhook(webhook::WebhookFlags),
    /// Into a stream of NATS JetStream, each event once.
    Nats(nats::NatsFlags),
    /// Into a partition of Kafka, each event at least once; consumers drop repetitions by their sequences.
    Kafka(kafka::KafkaFlags),
}

impl SinkCommand {
    pub(super) async fn run(
        self,
        globals: &Globals,
        printer: Printer,
    ) -> Result<ExitCode, Failure> {
        if printer.format() == Format::Csv {
            let failure = Failure::new(Code::Usage, "a sink's progress has no form in CSV");
            return Err(failure.advise("use -o json: one object a line"));
        }
        let Self::Run(kind) = self;
        let client = globals.connect().await?;
        let origin = Events::origin(&client).map_err(sink_failure)?;
        let with = With {
            client,
            origin,
            printer,
        };
        match kind {
            Kind::File(flags) => flags.run(with).await,
            Kind::Webhook(flags) => flags.run(with).await,
            Kind::Nats(flags) => flags.run(with).await,
            Kind::Kafka(flags) => flags.run(with).await,
        }
    }
}

/// What every sink is run with.
struct With {
    client: farthing_client::Client,
    origin: Origin,
    printer: Printer,
}

impl With {
    /// Runs a sink until it ends.
    async fn run(self, sink: &mut impl Sink, flags: &RunFlags) -> Result<ExitCode, Failure> {
        // Receivers of webhooks seldom take bodies of some megabytes.
        let options = match sink.kind() {
            "webhook" => flags.options(500, 1 << 20),
            _ => flags.options(2_000, 4 << 20),
        };
        let stop = CancellationToken::new();
        let _stops = stop.clone().drop_guard();
        tokio::spawn(stop_on_signal(stop.clone())?);
        let mut source = Events::new(&self.client, flags.until);
        let format = self.printer.format();
        let report = |progress: &Progress| tell(progress, format);
        let ended = run(&mut source, sink, &options, report, &stop).await;
        let progress = ended.map_err(sink_failure)?;
        tell(&progress, format);
        Ok(ExitCode::SUCCESS)
    }
}

/// Cancels on SIGTERM and Ctrl-C.
fn stop_on_signal(
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut terminate = signal(SignalKind::terminate())
        .map_err(|error| Failure::new(Code::Internal, "cannot wait for signals").because(error))?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
            () = stop.cancelled() => {}
        }
        stop.cancel();
    })
}

/// A line of progress: for people on standard error, for programs on standard output.
fn tell(progress: &Progress, format: Format) {
    match (format, serde_json::to_string(progress)) {
        // Whoever read the lines may have gone: delivering goes on.
        (Format::Json, Ok(line)) => drop(output::write_stdout(format!("{line}\n").as_bytes())),
        _ => output::tell(progress.to_string()),
    }
}

fn sink_failure(error: Error) -> Failure {
    match error {
        Error::Transient { message, .. } => Failure::new(
            Code::NotReachable,
            "the sink could not deliver for as long as --patience allows",
        )
        .because(message)
        .advise("see whether both sides run, then start it again: it goes on where it was"),
        Error::Fenced { message } => Failure::new(Code::Fenced, message)
            .advise("leave the other one running, or give this one a name and a place of its own"),
        Error::Permanent { message, advice } => {
            Failure::new(Code::SinkFailed, message).advise(advice)
        }
        Error::Client(error) => failure(error),
    }
}
