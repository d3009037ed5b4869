//! What a transfer costs in the state of one node: prefetch, apply, window, runs and compactions, in one process.
//!
//! `cargo bench -p farthing-node --profile release --bench state -- [transfers] [accounts] [ordered|random] [DIR]`
//!
//! Prints CPU time per transfer (all threads, generating the input left out), the rate, memory and bytes on disk. The
//! apply thread runs as fast as it can; nothing is replicated and no log is written.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use farthing_ledger::{
    Account, AccountId, Applier, EntryBuilder, EntryReader, RequestBuilder, Transfer, TransferId,
};
use farthing_node::storage::{Config, DurableLog, Handle, LogId, Storage, Writer};

const BATCH: usize = 8_189;

struct Durable;

impl DurableLog for Durable {
    fn wait_durable(&self, _: u64, _: Duration) -> bool {
        true
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// CPU time of all threads in seconds, and by thread name.
fn cpu() -> (f64, Vec<(String, f64)>) {
    let mut threads: Vec<(String, f64)> = vec![];
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let time = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let ns: f64 = time
            .split(' ')
            .next()
            .and_then(|ns| ns.parse().ok())
            .unwrap_or(0.0);
        match threads.iter_mut().find(|(other, _)| other == name.trim()) {
            Some((_, sum)) => *sum += ns / 1e9,
            None => threads.push((name.trim().to_owned(), ns / 1e9)),
        }
    }
    (threads.iter().map(|(_, time)| time).sum(), threads)
}

fn own_cpu() -> f64 {
    let time = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    time.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn field(path: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_ascii_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// CPU time of the apply thread, in seconds.
#[derive(Default)]
struct Stages {
    prefetch: f64,
    apply: f64,
    push: f64,
}

struct Node {
    writer: Writer,
    applier: Applier,
    index: u64,
    stages: Stages,
}

impl Node {
    fn entry(&mut self, bytes: &[u8]) -> usize {
        let entry = EntryReader::new(bytes).unwrap();
        let began = own_cpu();
        let view = self.writer.prefetch(&entry).unwrap();
        self.stages.prefetch += own_cpu() - began;
        let began = own_cpu();
        let applied = self.applier.apply(&view, &entry).unwrap();
        view.check().unwrap();
        self.stages.apply += own_cpu() - began;
        let began = own_cpu();
        let id = LogId {
            term: 1,
            node: 1,
            index: self.index,
        };
        self.writer.push(id, &applied.changes, None).unwrap();
        self.stages.push += own_cpu() - began;
        self.index += 1;
        applied.results[0].sections[0]
            .iter()
            .filter(|result| result.status != 0)
            .count()
    }
}

fn entry_of(request: RequestBuilder, time: u64) -> Vec<u8> {
    let mut builder = EntryBuilder::new(time);
    builder.push(&request.finish().unwrap()).unwrap();
    builder.finish()
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let number = |at: usize, default: u64| {
        arguments
            .get(at)
            .map_or(default, |text| text.parse().unwrap())
    };
    let (transfers, accounts) = (number(0, 10_000_000), number(1, 10_000));
    let random_ids = arguments.get(2).is_some_and(|ids| ids == "random");
    let temporary = std::env::temp_dir().join(format!("farthing-bench-{}", std::process::id()));
    let dir = arguments.get(3).map_or(temporary, PathBuf::from);
    println!(
        "{transfers} transfers, {accounts} accounts, {} ids",
        if random_ids { "random" } else { "ordered" }
    );

    let (writer, handle) = Storage::open(Config::new(&dir), Arc::new(Durable)).unwrap();
    let mut node = Node {
        writer,
        applier: Applier::new(),
        index: 0,
        stages: Stages::default(),
    };
    let ids: Vec<u64> = (1..=accounts).collect();
    for ids in ids.chunks(BATCH) {
        let accounts: Vec<Account> = ids
            .iter()
            .map(|&id| Account {
                id: AccountId(id.into()),
                ledger: 1,
                code: 1,
                ..Account::default()
            })
            .collect();
        let request = RequestBuilder::new(b"bench").accounts(&accounts);
        assert_eq!(node.entry(&entry_of(request, 1)), 0);
    }
    node.stages = Stages::default();

    let mut random = Random(0x1234_5678_9abc_def1);
    let (began, (cpu_before, _), mut input) = (Instant::now(), cpu(), 0.0);
    let mut done = 0;
    let mut reported = (Instant::now(), 0);
    while done < transfers {
        let own = own_cpu();
        let batch: Vec<Transfer> = (0..BATCH as u64)
            .map(|item| {
                let number = u128::from(done + item + 1);
                let id = if random_ids {
                    u128::from(random.next()) << 64 | number
                } else {
                    (1_760_000_000_000 + (number >> 10)) << 80 | number
                };
                let debit = random.next() % accounts;
                let credit = (debit + 1 + random.next() % (accounts - 1)) % accounts;
                Transfer {
                    id: TransferId(id),
                    debit_account_id: AccountId(u128::from(debit + 1)),
                    credit_account_id: AccountId(u128::from(credit + 1)),
                    amount: u128::from(random.next() % 10_000),
                    ledger: 1,
                    code: 1,
                    ..Transfer::default()
                }
            })
            .collect();
        let entry = entry_of(
            RequestBuilder::new(b"bench").transfers(&batch),
            1_000 + done,
        );
        input += own_cpu() - own;
        assert_eq!(node.entry(&entry), 0);
        done += BATCH as u64;
        if reported.0.elapsed() > Duration::from_secs(5) {
            let rate = (done - reported.1) as f64 / reported.0.elapsed().as_secs_f64();
            println!("  {done:>10}: {rate:>8.0}/s, {}", line(&handle));
            reported = (Instant::now(), done);
        }
    }
    let elapsed = began.elapsed().as_secs_f64();
    drop(
        handle
            .build_checkpoint(&node.writer.seal().unwrap())
            .unwrap(),
    );
    let settled = began.elapsed().as_secs_f64();
    let (cpu_after, threads) = cpu();
    let each = |seconds: f64| seconds * 1e6 / done as f64;
    let gauges = handle.gauges().unwrap();
    println!(
        "rate {:.0}/s while applying, {:.0}/s until all is committed",
        done as f64 / elapsed,
        done as f64 / settled
    );
    println!(
        "CPU per transfer {:.2} us",
        each(cpu_after - cpu_before - input)
    );
    let Stages {
        prefetch,
        apply,
        push,
    } = node.stages;
    println!(
        "  apply thread: prefetch {:.2}, apply {:.2}, push {:.2} us; {:.2} us of waiting",
        each(prefetch),
        each(apply),
        each(push),
        gauges.apply_wait_us as f64 / done as f64
    );
    for (name, time) in threads {
        println!("  thread {name}: {:.2} us", each(time));
    }
    println!(
        "memory: {} MiB at most",
        field("/proc/self/status", "VmHWM") >> 10
    );
    println!(
        "written: {} B per transfer",
        field("/proc/self/io", "write_bytes:") / done
    );
    println!("on disk: {}", line(&handle));
    for family in &gauges.families {
        println!(
            "  {}: {:.1} B per transfer",
            family.name,
            family.disk_bytes as f64 / done as f64
        );
    }
    handle.shutdown();
    if arguments.len() < 4 {
        std::fs::remove_dir_all(&dir).unwrap();
    }
}

fn line(handle: &Handle) -> String {
    let gauges = handle.gauges().unwrap();
    format!(
        "{} MiB in windows, {} MiB resident, {} runs, {} files in level 0, {} MiB on disk",
        gauges.window_bytes >> 20,
        field("/proc/self/status", "VmRSS") >> 10,
        gauges.runs,
        gauges.first_level_files,
        gauges
            .families
            .iter()
            .map(|family| family.disk_bytes)
            .sum::<u64>()
            >> 20
    )
}
