//! Golden tables: what the ledger answers, in scripts an accountant can read (`tests/tables/*.txt`, their language is
//! described in `tests/table/mod.rs`). `REWRITE_GOLDEN=1` writes what came of each line; read the difference.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;
mod table;

use std::path::PathBuf;

use farthing_ledger::{
    CreateAccountStatus, CreateLedgerStatus, CreateTransferStatus, SettingStatus, WriteRecordStatus,
};

fn scripts() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tables");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_line_comes_out_as_written() {
    for path in scripts() {
        let script = std::fs::read_to_string(&path).unwrap();
        let output = table::run(&script, &mut table::Coverage::new());
        if std::env::var_os("REWRITE_GOLDEN").is_some() {
            // In one step: the other tests read these files at the same time.
            let new = path.with_extension("new");
            std::fs::write(&new, output).unwrap();
            std::fs::rename(&new, &path).unwrap();
            continue;
        }
        for (number, (expected, line)) in script.lines().zip(output.lines()).enumerate() {
            assert_eq!(
                line,
                expected.trim_end(),
                "{}:{}",
                path.display(),
                number + 1
            );
        }
        assert_eq!(output.lines().count(), script.lines().count());
    }
}

/// Names of all statuses of a kind, in order of precedence.
fn all(kind: &str) -> Vec<&'static str> {
    match kind {
        "accounts" => CreateAccountStatus::all()
            .iter()
            .map(|status| status.name())
            .collect(),
        "transfers" => CreateTransferStatus::all()
            .iter()
            .map(|status| status.name())
            .collect(),
        "ledgers" => CreateLedgerStatus::all()
            .iter()
            .map(|status| status.name())
            .collect(),
        "records" => WriteRecordStatus::all()
            .iter()
            .map(|status| status.name())
            .collect(),
        "settings" => SettingStatus::all()
            .iter()
            .map(|status| status.name())
            .collect(),
        _ => vec!["pulsed"],
    }
}

#[test]
fn every_status_of_every_kind_comes_up() {
    let mut coverage = table::Coverage::new();
    for path in scripts() {
        table::run(&std::fs::read_to_string(&path).unwrap(), &mut coverage);
    }
    for kind in ["accounts", "transfers", "ledgers", "records", "settings"] {
        let missing: Vec<_> = all(kind)
            .into_iter()
            .filter(|name| !coverage[kind].contains(name))
            .collect();
        assert!(missing.is_empty(), "{kind}: no table has {missing:?}");
    }
}

/// The scripts named after a kind walk through its refusals from the first to the last: each item breaks the rule it
/// is refused for and as many later ones as it can, so a changed precedence changes an answer.
#[test]
fn refusals_come_in_order_of_precedence() {
    for kind in ["accounts", "transfers", "ledgers", "records", "settings"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/tables/precedence_{kind}.txt"));
        let mut coverage = table::Coverage::new();
        table::run(&std::fs::read_to_string(&path).unwrap(), &mut coverage);
        let order = all(kind);
        let place = |name: &&str| order.iter().position(|other| other == name).unwrap();
        // Success is no refusal, and chains stand at the end of each script.
        let refusals = coverage[kind]
            .iter()
            .filter(|name| !name.starts_with("linked_event_"))
            .map(place);
        let places: Vec<_> = refusals.filter(|&place| place != 0).collect();
        assert!(places.is_sorted(), "{kind}: {:?}", coverage[kind]);
    }
}
