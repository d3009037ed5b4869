//! The sample payments are what the generator writes, and hold the cases an import has to get right.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

fn sample() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/payments.csv");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_sample_is_what_the_generator_writes() {
    // cargo builds examples before it runs integration tests, into the folder above this program's.
    let own = std::env::current_exe().unwrap();
    let generator = own
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples/generate-sample");
    let output = Command::new(&generator).output().unwrap();
    assert!(output.status.success());
    assert!(
        output.stdout == sample().as_bytes(),
        "cluster/sample/payments.csv is not what {} writes",
        generator.display()
    );
}

#[test]
fn the_sample_holds_the_edge_cases() {
    let text = sample();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(rows.len(), 20_000);
    assert_eq!(rows[0][..1], ["0"], "payment number 0");
    assert!(
        rows.iter().filter(|row| row[4] == "0.00").count() > 10,
        "amounts of zero"
    );
    assert!(rows.iter().any(|row| row[2] == "0") && rows.iter().any(|row| row[3] == "0"));
    for scenario in ["1", "2", "3"] {
        assert!(
            rows.iter().any(|row| row[5] == "1" && row[6] == scenario),
            "fraud {scenario}"
        );
    }
    assert!(rows.is_sorted_by_key(|row| row[1]), "sorted by time");
}
