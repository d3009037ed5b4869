//! Latency and throughput of the log's appends on the machine's own disk.
//!
//! `cargo bench -p farthing-node --bench log_append [-- DIR]`; without a directory it uses one beside the temporary
//! files, which must not be memory if the figures are to mean anything. One caller waits for each append before the
//! next (the latency a leader's disk adds), then sixteen are in flight (what group commit makes of it).
#![allow(clippy::print_stdout, clippy::unwrap_used)] // it prints its figures, and a failure ends it

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use farthing_node::disk::RealDisk;
use farthing_node::log::{Config, Entry, EntryKind, Log, LogId};

fn main() {
    let given = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .map(PathBuf::from);
    let dir = given.unwrap_or_else(|| {
        std::env::temp_dir().join(format!("farthing-log-bench-{}", std::process::id()))
    });
    println!(
        "{:>10} {:>9} {:>8} {:>10} {:>10} {:>10} {:>8}",
        "bytes", "in flight", "appends", "p50", "p99", "max", "MB/s"
    );
    for (payload_bytes, in_flight, appends) in [
        (512, 1, 10_000),
        (512, 16, 40_000),
        (64 << 10, 1, 4_000),
        (1 << 20, 1, 1_000),
        (1 << 20, 4, 1_000),
    ] {
        run(&dir, payload_bytes, in_flight, appends);
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

fn run(dir: &std::path::Path, payload_bytes: usize, in_flight: usize, appends: usize) {
    let _ = std::fs::remove_dir_all(dir);
    let log = Log::open(Arc::new(RealDisk), Config::new(dir, 1, 1)).unwrap();
    while log.stats().spare_segments < 2 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let payload = Bytes::from(vec![7u8; payload_bytes]);
    let (sender, receiver) = mpsc::sync_channel::<Duration>(in_flight);
    let mut latencies = Vec::with_capacity(appends);
    let start = Instant::now();
    let mut submitted = 0;
    while latencies.len() < appends {
        if submitted < appends && submitted - latencies.len() < in_flight {
            submitted += 1;
            let log_id = LogId {
                term: 1,
                node: 1,
                index: submitted as u64,
            };
            let (sender, begin) = (sender.clone(), Instant::now());
            log.append(
                vec![Entry {
                    log_id,
                    kind: EntryKind::Normal,
                    payload: payload.clone(),
                }],
                move |result| {
                    result.unwrap();
                    sender.send(begin.elapsed()).unwrap();
                },
            );
        } else {
            latencies.push(receiver.recv().unwrap());
            let done = latencies.len() as u64;
            // About 128 MiB are kept, the rest goes back to the pool.
            let keep = (128 << 20) / payload_bytes as u64;
            if done.is_multiple_of(256) && done > keep {
                let log_id = LogId {
                    term: 1,
                    node: 1,
                    index: done - keep,
                };
                log.purge(log_id, |result| result.unwrap());
            }
        }
    }
    let rate = (appends * payload_bytes) as u128 * 1000 / start.elapsed().as_nanos();
    latencies.sort();
    let at = |percent: usize| latencies[(appends - 1) * percent / 100];
    println!(
        "{payload_bytes:>10} {in_flight:>9} {appends:>8} {:>10.1?} {:>10.1?} {:>10.1?} {rate:>8}",
        at(50),
        at(99),
        at(100)
    );
    let bytes = log.bytes_on_disk();
    log.close();
    if payload_bytes == 1 << 20 && in_flight == 1 {
        let start = Instant::now();
        let log = Log::open(Arc::new(RealDisk), Config::new(dir, 1, 1)).unwrap();
        let report = log.open_report();
        println!(
            "opened in {:.1?}: {} MiB on disk, {} entries",
            start.elapsed(),
            bytes >> 20,
            report.entries
        );
    }
}
