//! `farthing sink run nats`.

use std::process::ExitCode;

use clap::Args;
use farthing_sinks::nats::{Config, JetStream};

use super::With;
use super::flags::RunFlags;
use crate::failure::Failure;

/// Publishes every event into a stream of NATS JetStream, where each is once.
///
/// Every message is published on condition that the one before it is the stream's last, so a crash, a retry or a second sink
/// cannot make an event come twice or be left out. Of two sinks one ends with FENCED. Where the sink goes on, the stream's
/// last message says.
///
/// The stream is this sink's alone: its subjects are PREFIX.> and nothing else, and it never drops messages (limits retention,
/// file storage, no limit of age; with a limit of size, discard new). That is checked at every start.
#[derive(Debug, Args)]
pub(in crate::cli) struct NatsFlags {
    /// Servers, separated by commas; a name and a password stand before the address: nats://NAME:PASSWORD@HOST:PORT. Give
    /// those in the variable, not on the command line.
    #[arg(
        long,
        default_value = "nats://127.0.0.1:4222",
        value_delimiter = ',',
        hide_env_values = true,
        value_name = "URLS"
    )]
    server: Vec<String>,
    /// The stream.
    #[arg(long, default_value = "FARTHING", value_name = "NAME")]
    stream: String,
    /// What subjects begin with; an event's subject is PREFIX.transfer.created and the like.
    #[arg(long, default_value = "farthing", value_name = "PREFIX")]
    subject: String,
    /// Make the stream if it is not there, kept by so many servers.
    #[arg(long, num_args = 0..=1, default_missing_value = "1", value_parser = clap::value_parser!(u8).range(1..=5), value_name = "REPLICAS")]
    create: Option<u8>,
    #[command(flatten)]
    run: RunFlags,
}

impl NatsFlags {
    pub(super) async fn run(self, with: With) -> Result<ExitCode, Failure> {
        let config = Config {
            servers: self.server,
            stream: self.stream,
            subject: self.subject,
            create: self.create.map(usize::from),
        };
        let mut sink = JetStream::new(config, with.origin.clone());
        with.run(&mut sink, &self.run).await
    }
}
