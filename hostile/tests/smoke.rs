//! Every target over its corpus and some thousand seeded mutations: what CI runs where no fuzzer is.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use farthing_hostile::{TARGETS, Target, rounds};

/// What was found once and is kept, and what the generator writes, below `fuzz/corpus`.
fn corpus(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(target.name);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}; run `make fuzz-corpus`", folder.display()))
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let mut seeds: Vec<Vec<u8>> = files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    for seed in target.seeds() {
        assert!(
            seeds.contains(&seed),
            "{}: the corpus is not what the generator writes; run `make fuzz-corpus`",
            target.name
        );
    }
    seeds.retain(|seed| seed.len() <= 1 << 20);
    seeds
}

/// One test, because what a target allocates is counted over the whole process.
#[test]
fn hostile_bytes_break_nothing() {
    // `HOSTILE_SEED` and `HOSTILE_TIMES` try others, and more.
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (seed, times) = (
        number("HOSTILE_SEED").unwrap_or(1),
        number("HOSTILE_TIMES").unwrap_or(1),
    );
    for target in TARGETS {
        let start = std::time::Instant::now();
        let count = target.rounds * usize::try_from(times).unwrap();
        if let Err(failure) = rounds(target, &corpus(target), count, seed) {
            let file = std::env::temp_dir().join(format!("hostile-{}", target.name));
            std::fs::write(&file, &failure.bytes).unwrap();
            panic!(
                "{}: {}\nrepeat it with: cargo run --release -p farthing-hostile -- run {} {}",
                target.name,
                failure.what,
                target.name,
                file.display()
            );
        }
        eprintln!(
            "{:10} {count:7} mutations in {:?}",
            target.name,
            start.elapsed()
        );
    }
}
