//! JetStream against a real server, killed as well, and read back by NATS's own Python client.
#![allow(clippy::unwrap_used)]

#[path = "support/servers.rs"]
mod servers;
mod support;

use std::time::Duration;

use async_nats::jetstream;
use farthing_sinks::nats::{Config, JetStream};
use farthing_sinks::{Error, Options, Sink, run};
use serde_json::Value;
use servers::{Program, free_port, read};
use support::{Made, events, origin};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

fn url(port: u16) -> String {
    format!("nats://127.0.0.1:{port}")
}

fn config(port: u16) -> Config {
    Config {
        servers: vec![url(port)],
        stream: "FARTHING".to_owned(),
        subject: "farthing".to_owned(),
        create: Some(1),
    }
}

fn sink(port: u16) -> JetStream {
    JetStream::new(config(port), origin())
}

/// A stream that forgets in a moment which messages it has seen: that each is there once is not its deduplication's merit.
async fn stream(port: u16) -> jetstream::Context {
    let client = async_nats::connect(url(port)).await.unwrap();
    let context = jetstream::new(client);
    let stream = context.create_stream(jetstream::stream::Config {
        name: "FARTHING".to_owned(),
        subjects: vec!["farthing.>".to_owned()],
        discard: jetstream::stream::DiscardPolicy::New,
        duplicate_window: Duration::from_millis(100),
        ..jetstream::stream::Config::default()
    });
    stream.await.unwrap();
    context
}

/// All messages, by a client that is not ours; each event must be there once, in order.
fn assert_dense(port: u16, count: usize) -> Vec<Value> {
    let text = read("read_nats.py", &[&url(port), "FARTHING"]);
    let messages: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<&str> = messages
        .iter()
        .map(|message| message["headers"]["ce-id"].as_str().unwrap())
        .collect();
    let wanted: Vec<String> = (1..=count).map(|id| id.to_string()).collect();
    assert_eq!(ids.len(), wanted.len());
    assert!(ids == wanted, "not each event once and in order");
    messages
}

#[tokio::test]
async fn each_event_is_there_once_though_server_and_sink_die() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut server = Program::nats(port, dir.path());
    stream(port).await;
    let options = Options {
        events_max: 500,
        linger: Duration::ZERO,
        ..Options::default()
    };
    let mut at = 0;
    while at < 20_000 {
        let mut source = Made::until(20_000);
        let (mut sink, stop) = (sink(port), CancellationToken::new());
        source.stop_after(4_000, &stop);
        let mut running = std::pin::pin!(run(&mut source, &mut sink, &options, |_| {}, &stop));
        let mut ended = timeout(Duration::from_millis(60), &mut running).await;
        if ended.is_err() {
            // The server dies while messages are on their way, and the sink waits for it.
            server.kill();
            server = Program::nats(port, dir.path());
            // Then it is given up in the middle, as by SIGKILL, unless it has ended.
            ended = timeout(Duration::from_millis(1_000), running).await;
        }
        if let Ok(progress) = ended {
            at = progress.unwrap().last_sequence;
        }
    }
    let messages = assert_dense(port, 20_000);
    let message = &messages[41];
    assert_eq!(message["subject"], "farthing.transfer.created");
    let headers = &message["headers"];
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "42"),
        (
            "ce-source",
            "farthing://00000000-0000-0000-0000-000000000007",
        ),
        ("ce-type", "farthing.v1.transfer.created"),
        ("ce-subject", "transfer/42"),
        ("ce-time", "2026-11-23T09:25:30.000000042Z"),
        ("ce-sequence", "00000000000000000042"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(headers[name], value, "{headers:#}");
    }
    let data: Value = serde_json::from_str(message["data"].as_str().unwrap()).unwrap();
    assert_eq!(data["sequence"], 42);
}

#[tokio::test]
async fn an_outdated_sink_is_fenced_and_adds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let _server = Program::nats(port, dir.path());
    stream(port).await;
    let (mut old, mut new) = (sink(port), sink(port));
    assert_eq!(old.resume().await.unwrap(), 0);
    old.deliver(&events(1..1_001)).await.unwrap();
    assert_eq!(new.resume().await.unwrap(), 1_000);
    new.deliver(&events(1_001..1_501)).await.unwrap();
    // What the old one has under way comes too late, all of it.
    let late = old.deliver(&events(1_001..1_501)).await;
    assert!(matches!(late, Err(Error::Transient { .. })), "{late:?}");
    let fenced = old.resume().await;
    assert!(matches!(fenced, Err(Error::Fenced { .. })), "{fenced:?}");
    new.deliver(&events(1_501..2_001)).await.unwrap();
    assert_dense(port, 2_000);

    // When some of it fits behind what the other has published, each event is there once all the same, and whoever has
    // published last goes on.
    let mut newest = sink(port);
    assert_eq!(newest.resume().await.unwrap(), 2_000);
    newest.deliver(&events(2_001..2_101)).await.unwrap();
    let late = new.deliver(&events(2_001..2_501)).await;
    assert!(matches!(late, Err(Error::Transient { .. })), "{late:?}");
    assert_eq!(new.resume().await.unwrap(), 2_500);
    let late = newest.deliver(&events(2_101..2_201)).await;
    assert!(matches!(late, Err(Error::Transient { .. })), "{late:?}");
    let fenced = newest.resume().await;
    assert!(matches!(fenced, Err(Error::Fenced { .. })), "{fenced:?}");
    assert_dense(port, 2_500);
}

#[tokio::test]
async fn of_two_that_run_at_once_one_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let _server = Program::nats(port, dir.path());
    stream(port).await;
    let one = |events_max| async move {
        let options = Options {
            events_max,
            ..Options::default()
        };
        let (mut source, mut sink) = (Made::until(10_000), sink(port));
        run(
            &mut source,
            &mut sink,
            &options,
            |_| {},
            &CancellationToken::new(),
        )
        .await
    };
    let ended = tokio::join!(one(300), one(700));
    let fenced = |ended: &Result<_, Error>| matches!(ended, Err(Error::Fenced { .. }));
    // The second one may also find that everything is there.
    match ended {
        (Ok(_), Ok(_)) => {}
        (Ok(_), other) | (other, Ok(_)) => assert!(fenced(&other), "{other:?}"),
        both => panic!("{both:?}"),
    }
    assert_dense(port, 10_000);
}

#[tokio::test]
async fn streams_that_lose_or_mix_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let _server = Program::nats(port, dir.path());
    let refused = |what: &'static str, config: Config| async move {
        let found = JetStream::new(config, origin()).resume().await;
        let Err(Error::Permanent { message, .. }) = &found else {
            panic!("{what}: {found:?}");
        };
        assert!(message.contains(what), "{what}: {message}");
    };
    let missing = Config {
        create: None,
        ..config(port)
    };
    refused("there is no stream", missing).await;
    assert_eq!(sink(port).resume().await.unwrap(), 0);
    let context = jetstream::new(async_nats::connect(url(port)).await.unwrap());
    let made = context.get_stream("FARTHING").await.unwrap();
    let good = made.cached_info().config.clone();
    let ages = jetstream::stream::Config {
        max_age: Duration::from_secs(3_600),
        ..good.clone()
    };
    context.update_stream(ages).await.unwrap();
    refused("drops messages by age", config(port)).await;
    context.update_stream(good).await.unwrap();

    let mut first = sink(port);
    first.resume().await.unwrap();
    first.deliver(&events(1..11)).await.unwrap();
    let other = JetStream::new(config(port), farthing_sinks::Origin::of_cluster(8));
    let found = { other }.resume().await;
    assert!(matches!(found, Err(Error::Permanent { .. })), "{found:?}");
    // Somebody else's message, at the end and then between two events.
    let publish = context.publish("farthing.x", "not an event".into());
    publish.await.unwrap().await.unwrap();
    refused("is no event", config(port)).await;
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("ce-id", "11");
    headers.insert("ce-source", origin().as_str());
    let publish = context.publish_with_headers("farthing.x", headers, "{}".into());
    publish.await.unwrap().await.unwrap();
    refused("does not hold all events", config(port)).await;
}
