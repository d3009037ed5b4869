//! Files as a reader meets them: dense after crashes anywhere in the last line, and never two writers.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use farthing_sinks::file::{Config, Files};
use farthing_sinks::{Error, Options, Sink, run};
use support::{Made, events, origin};
use tokio_util::sync::CancellationToken;

fn open(dir: &Path) -> Result<Files, Error> {
    let config = Config {
        dir: dir.to_owned(),
        file_bytes_max: 1 << 20,
        file_events_max: Some(10),
    };
    Files::open(config, origin())
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(dir).unwrap();
    let mut paths: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some());
    paths.sort();
    paths
}

/// Ids of all lines in order, by a parser that is not ours.
fn ids(dir: &Path) -> Vec<u64> {
    let mut ids = Vec::new();
    for path in files(dir) {
        for line in fs::read_to_string(path).unwrap().lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(
                event["data"]["sequence"].to_string(),
                event["id"].as_str().unwrap()
            );
            ids.push(event["id"].as_str().unwrap().parse().unwrap());
        }
    }
    ids
}

#[tokio::test]
async fn a_last_line_cut_anywhere_is_written_again_and_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut sink = open(dir.path()).unwrap();
    assert_eq!(sink.resume().await.unwrap(), 0);
    for first in [1, 6, 11] {
        sink.deliver(&events(first..first + 5)).await.unwrap();
    }
    drop(sink);
    let paths = files(dir.path());
    let names: Vec<_> = paths.iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(
        names,
        [
            "events-00000000000000000001.ndjson",
            "events-00000000000000000011.ndjson"
        ]
    );
    let whole = fs::read(&paths[1]).unwrap();
    let last_line = whole.split_inclusive(|byte| *byte == b'\n').next_back();
    let begins = whole.len() - last_line.unwrap().len();
    for cut in (begins..whole.len()).step_by(13).chain([whole.len() - 1]) {
        fs::write(&paths[1], &whole[..cut]).unwrap();
        let mut sink = open(dir.path()).unwrap();
        assert_eq!(sink.resume().await.unwrap(), 14, "cut at {cut}");
        sink.deliver(&events(15..16)).await.unwrap();
        drop(sink);
        assert_eq!(fs::read(&paths[1]).unwrap(), whole, "cut at {cut}");
    }
    // Bytes that were promised and never written, as a loss of power leaves them.
    let mut zeros = whole.clone();
    zeros[begins + 3..].fill(0);
    zeros.extend([0; 5_000]);
    fs::write(&paths[1], &zeros).unwrap();
    assert_eq!(open(dir.path()).unwrap().resume().await.unwrap(), 14);
    assert_eq!(ids(dir.path()), (1..=14).collect::<Vec<_>>());
    // A file that was made, and into which nothing came.
    fs::write(&paths[1], "").unwrap();
    assert_eq!(open(dir.path()).unwrap().resume().await.unwrap(), 10);
}

#[tokio::test]
async fn damage_elsewhere_and_other_ledgers_are_errors_and_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut sink = open(dir.path()).unwrap();
    sink.resume().await.unwrap();
    sink.deliver(&events(1..6)).await.unwrap();
    drop(sink);
    let path = files(dir.path()).remove(0);
    let whole = fs::read_to_string(&path).unwrap();
    let without_second: Vec<_> = whole
        .lines()
        .enumerate()
        .filter(|(at, _)| *at != 1)
        .collect();
    let without_second: String = without_second
        .iter()
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    let broken = whole.replacen("\"id\":\"2\"", "\"id\":\"2", 1);
    let other = whole.replace("000000000007", "000000000008");
    for damaged in [&without_second, &broken, &other] {
        fs::write(&path, damaged).unwrap();
        let found = open(dir.path()).unwrap().resume().await;
        assert!(matches!(found, Err(Error::Permanent { .. })), "{found:?}");
        assert_eq!(&fs::read_to_string(&path).unwrap(), damaged);
    }
}

#[tokio::test]
async fn two_sinks_cannot_write_in_one_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    assert!(matches!(open(dir.path()), Err(Error::Fenced { .. })));
    drop(first);
    open(dir.path()).unwrap();
}

#[tokio::test]
async fn a_runner_that_is_stopped_again_and_again_leaves_each_event_once() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        events_max: 7,
        linger: Duration::ZERO,
        ..Options::default()
    };
    let mut delivered = 0;
    let mut rounds = 0;
    while delivered < 500 {
        let mut sink = open(dir.path()).unwrap();
        let mut source = Made::until(500);
        let stop = CancellationToken::new();
        source.stop_after(60, &stop);
        let progress = run(&mut source, &mut sink, &options, |_| {}, &stop)
            .await
            .unwrap();
        assert_eq!(progress.last_sequence - progress.delivered, delivered);
        delivered = progress.last_sequence;
        rounds += 1;
    }
    assert!(rounds > 5, "{rounds}");
    assert_eq!(ids(dir.path()), (1..=500).collect::<Vec<_>>());
}
