//! `farthing sink run kafka`.

use std::process::ExitCode;

use clap::Args;
use farthing_sinks::kafka::{Config, Kafka};

use super::With;
use super::flags::{RunFlags, place_name};
use crate::failure::Failure;

/// Produces every event, in order, into one partition of a topic, by the Kafka protocol.
///
/// Every event is there at least once: by acks=all and an idempotent producer once as long as the sink lives, and maybe again
/// after a crash. A consumer drops every message whose sequence is not larger than the largest it has seen, and then has each
/// event once. Where the sink goes on, the partition's last message says.
///
/// Brokers cannot tell a sink that was replaced from the one that replaced it; the ledger can. Of two sinks with one name the
/// one that was started first ends with FENCED within a second or so. Until then both write, which consumers do not notice.
#[derive(Debug, Args)]
pub(in crate::cli) struct KafkaFlags {
    /// Brokers, HOST:PORT, separated by commas.
    #[arg(long, default_value = "127.0.0.1:9092", value_name = "ADDRESSES")]
    brokers: String,
    /// The topic.
    #[arg(long, default_value = "farthing", value_name = "NAME")]
    topic: String,
    /// The partition, which is this sink's alone.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i32).range(0..), value_name = "NUMBER")]
    partition: i32,
    /// Under which the ledger remembers whose turn it is. Another sink that is started with it takes over.
    #[arg(long, default_value = "kafka", value_parser = place_name, value_name = "NAME")]
    name: String,
    /// Make the topic if it is not there: one partition, kept by so many brokers, without a limit of age or size.
    #[arg(long, num_args = 0..=1, default_missing_value = "1", value_parser = clap::value_parser!(i32).range(1..=100), value_name = "REPLICAS")]
    create: Option<i32>,
    #[command(flatten)]
    run: RunFlags,
}

impl KafkaFlags {
    pub(super) async fn run(self, with: With) -> Result<ExitCode, Failure> {
        let config = Config {
            brokers: self.brokers,
            topic: self.topic,
            partition: self.partition,
            name: self.name,
            create: self.create,
        };
        let mut sink = Kafka::new(&with.client, config, with.origin.clone());
        with.run(&mut sink, &self.run).await
    }
}
