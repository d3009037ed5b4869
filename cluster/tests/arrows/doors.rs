//! Libraries that may be named in one place only, and what the pure core must never name.

use super::source::{Source, line, positions};

/// A path and the only folders whose sources may name it.
const DOORS: &[(&str, &[&str], &str)] = &[
    (
        "openraft::",
        &["node/src/consensus/"],
        "its API is unstable: one folder changes when it does",
    ),
    (
        "rocksdb::",
        &["node/src/storage/"],
        "every reader must meet one consistent cut of window and runs",
    ),
    (
        "bincode::",
        &["node/src/"],
        "cold metadata of a node is its only use",
    ),
    (
        "rust_decimal::",
        &["client/"],
        "96 bits do not hold every amount: a convenience of the SDK",
    ),
    (
        "async_nats::",
        &["sinks/src/nats/", "sinks/tests/nats.rs"],
        "what each place promises is decided in one folder",
    ),
    (
        "rdkafka::",
        &["sinks/src/kafka/"],
        "what each place promises is decided in one folder",
    ),
    (
        "quick_xml::",
        &["reconcile/src/camt/walk.rs"],
        "what may be expanded and how deep is decided in one place",
    ),
];

/// In the node, the wire is known to these only.
const WIRE: (&str, &[&str]) = (
    "farthing_proto::",
    &["node/src/server/", "node/src/consensus/"],
);

/// Text of ids is no message: configuration and logs show the same UUIDs as the wire.
const NOT_WIRE: &str = "farthing_proto::convert::id::";

/// What would make equal entries give unequal results, or let money pass through a float.
const NEVER_IN_LEDGER: &[&str] = &[
    "std::time",
    "std::fs",
    "std::io",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "SystemTime",
    "Instant::",
    "RandomState",
    "f32",
    "f64",
];

/// What would make equal statements give unequal reports, or fetch what a statement names.
const NEVER_IN_RECONCILE: &[&str] = &[
    "std::time",
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "HashMap",
    "HashSet",
    "f32",
    "f64",
];

/// Every place in the sources that no door allows.
pub(crate) fn violations(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        for (path, folders, reason) in DOORS {
            if !folders.iter().any(|folder| source.path.starts_with(folder)) {
                name_all(source, path, reason, &mut wrong);
            }
        }
        let (path, folders) = WIRE;
        if source.path.starts_with("node/src/")
            && !folders.iter().any(|folder| source.path.starts_with(folder))
        {
            name_all(
                source,
                path,
                "messages of the wire end at the server",
                &mut wrong,
            );
        }
        if source.path.starts_with("ledger/src/") {
            for path in NEVER_IN_LEDGER {
                name_all(
                    source,
                    path,
                    "the core is a pure function of state and entry",
                    &mut wrong,
                );
            }
        }
        if source.path.starts_with("reconcile/src/") {
            for path in NEVER_IN_RECONCILE {
                name_all(
                    source,
                    path,
                    "a report is a pure function of both sides",
                    &mut wrong,
                );
            }
        }
    }
    wrong
}

fn name_all(source: &Source, path: &str, reason: &str, wrong: &mut Vec<String>) {
    for at in positions(&source.code, path) {
        let after = source.code[at + path.len()..].chars().next();
        let longer = !path.ends_with(':') && after.is_some_and(|c| c.is_alphanumeric() || c == '_');
        if !longer && !source.code[at..].starts_with(NOT_WIRE) {
            wrong.push(format!(
                "{}:{}: must not name {path} ({reason})",
                source.path,
                line(&source.code, at)
            ));
        }
    }
}

#[test]
fn a_name_outside_its_door_is_found() {
    let source = |path: &str, code: &str| Source {
        path: path.into(),
        code: code.into(),
    };
    let wrong = violations(&[
        source(
            "node/src/consensus/types.rs",
            "use openraft::Raft; use farthing_proto::v1;",
        ),
        source("node/src/admission/mod.rs", "use x;\nuse openraft::Raft;"),
        source(
            "node/src/storage/runs.rs",
            "use rocksdb::DB; use farthing_proto::v1; use farthing_proto::convert::id::parse_id;",
        ),
        source(
            "ledger/src/state/mod.rs",
            "let now = std::time::Instant::now(); let f64_like = 1;",
        ),
        source("cluster/src/lib.rs", "use rust_decimal::Decimal;"),
        source(
            "reconcile/src/camt/document.rs",
            "use std::fs::File;\nuse quick_xml::Reader;",
        ),
    ]);
    let places: Vec<&str> = wrong
        .iter()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "node/src/admission/mod.rs:2",
            "node/src/storage/runs.rs:1",
            "ledger/src/state/mod.rs:1",
            "cluster/src/lib.rs:1",
            "reconcile/src/camt/document.rs:2",
            "reconcile/src/camt/document.rs:1"
        ],
        "{wrong:?}"
    );
}
