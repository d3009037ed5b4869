//! `farthing sink run webhook`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use farthing_sinks::webhook::{Config, Secret, Webhook};

use super::super::values::duration;
use super::flags::{RunFlags, place_name};
use super::{With, sink_failure};
use crate::failure::{Code, Failure};

/// The variable that holds the secret when no file is named.
const SECRET: &str = "FARTHING_WEBHOOK_SECRET";

/// Posts every event, in signed batches and in order, to a receiver.
///
/// A body is a JSON array of CloudEvents (application/cloudevents-batch+json). The header Farthing-Signature is v1= and the
/// hexadecimal HMAC-SHA256, by a secret that both sides know, of the header Farthing-Timestamp, a dot and the body.
///
/// Every event arrives at least once: how far the sink is, is saved in the ledger every second, and what was posted since comes
/// again after a crash. The receiver drops ids that it has seen. Any 2xx takes a batch; 408, 425, 429, 5xx, no answer and no
/// connection are tried again, later if Retry-After says so.
///
/// Events that the receiver refuses (other 4xx) are found by halving the batch and put aside as dead letters; without a
/// directory for them the sink ends. Redirects, 401, 403, 404, 405, 407, 410 and 415 say nothing of the events: the sink ends.
#[derive(Debug, Args)]
pub(in crate::cli) struct WebhookFlags {
    /// The receiver, http or https.
    #[arg(long, value_name = "URL")]
    url: String,
    /// A file with the secret, at least 16 bytes; white space around it does not count [default: the variable
    /// FARTHING_WEBHOOK_SECRET].
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Under which the ledger remembers how far this sink is. Another sink that is started with it takes over.
    #[arg(long, default_value = "webhook", value_parser = place_name, value_name = "NAME")]
    name: String,
    /// How long one request may take.
    #[arg(long, default_value = "10s", value_parser = duration, value_name = "TIME")]
    timeout: Duration,
    /// Where events are put that the receiver does not take, as lines of JSON; made if it is not there.
    #[arg(long, value_name = "DIR")]
    dead_letters: Option<PathBuf>,
    /// With --dead-letters: attempts after which a batch is put aside [default: never, it is tried for ever].
    #[arg(long, requires = "dead_letters", value_parser = clap::value_parser!(u32).range(1..), value_name = "COUNT")]
    attempts: Option<u32>,
    #[command(flatten)]
    run: RunFlags,
}

impl WebhookFlags {
    pub(super) async fn run(self, with: With) -> Result<ExitCode, Failure> {
        let config = Config {
            url: self.url.clone(),
            secret: self.secret()?,
            name: self.name,
            timeout: self.timeout,
            dead_letters: self.dead_letters,
            attempts_max: self.attempts,
        };
        let sink = Webhook::open(&with.client, config, with.origin.clone());
        let mut sink = sink.map_err(sink_failure)?;
        with.run(&mut sink, &self.run).await
    }

    fn secret(&self) -> Result<Secret, Failure> {
        let bytes = match &self.secret_file {
            Some(path) => {
                std::fs::read(path).map_err(|error| Failure::io("read", path, &error))?
            }
            None => std::env::var_os(SECRET)
                .ok_or_else(|| {
                    Failure::new(Code::Usage, "there is no secret to sign with").advise(format!(
                        "name a file with --secret-file, or set {SECRET}; openssl rand -hex 32 makes one"
                    ))
                })?
                .into_encoded_bytes(),
        };
        Secret::new(&bytes).map_err(|error| {
            Failure::new(Code::Usage, error.to_string()).advise("openssl rand -hex 32 makes one")
        })
    }
}
