//! Which crate may depend on which, read from the manifests.

use std::fs;
use std::path::Path;

/// What a crate of ours may depend on.
struct Row {
    folder: &'static str,
    /// Crates of ours it may use.
    ours: &'static [&'static str],
    /// Crates of others it must not use, tests included.
    never: &'static [&'static str],
    /// Whether it may use crates of others at all, tests aside.
    others: bool,
}

/// The table of ARCHITECTURE.md.
const ROWS: &[Row] = &[
    Row {
        folder: "ledger",
        ours: &[],
        never: &["tokio", "rocksdb", "openraft"],
        others: false,
    },
    Row {
        folder: "proofs",
        ours: &["farthing-ledger"],
        never: &["tokio", "tonic", "prost", "openraft", "rocksdb"],
        others: true,
    },
    Row {
        folder: "reconcile",
        ours: &["farthing-ledger"],
        never: &[
            "tokio",
            "tonic",
            "prost",
            "openraft",
            "rocksdb",
            "rust_decimal",
        ],
        others: true,
    },
    Row {
        folder: "proto",
        ours: &["farthing-ledger"],
        never: &["openraft", "rocksdb", "rust_decimal"],
        others: true,
    },
    Row {
        folder: "node",
        ours: &["farthing-ledger", "farthing-proofs", "farthing-proto"],
        never: &["rust_decimal"],
        others: true,
    },
    Row {
        folder: "client",
        ours: &["farthing-ledger", "farthing-proto"],
        never: &["openraft", "rocksdb", "bincode"],
        others: true,
    },
    Row {
        folder: "sinks",
        ours: &["farthing-client", "farthing-ledger", "farthing-proofs"],
        never: &[
            "openraft",
            "rocksdb",
            "bincode",
            "tonic",
            "prost",
            "rust_decimal",
        ],
        others: true,
    },
    Row {
        folder: "cluster",
        ours: &[
            "farthing-client",
            "farthing-ledger",
            "farthing-proofs",
            "farthing-reconcile",
            "farthing-sinks",
        ],
        never: &["openraft", "rocksdb", "bincode", "tonic", "prost"],
        others: true,
    },
    Row {
        folder: "jepsen",
        ours: &["farthing-client", "farthing-proto"],
        never: &["openraft", "rocksdb", "bincode"],
        others: true,
    },
    Row {
        folder: "hostile",
        // Whoever decodes bytes from outside.
        ours: &[
            "farthing-ledger",
            "farthing-proofs",
            "farthing-proto",
            "farthing-reconcile",
            "farthing-node",
            "farthing-cluster",
            "farthing-jepsen",
        ],
        never: &["openraft", "rocksdb", "bincode"],
        others: true,
    },
];

/// Everything in the manifests that no row allows.
pub(crate) fn violations(root: &Path) -> Vec<String> {
    let workspace: toml::Table = read(&root.join("Cargo.toml"));
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let mut wrong = Vec::new();
    for member in members {
        let folder = member.as_str().unwrap();
        let manifest = read(&root.join(folder).join("Cargo.toml"));
        match ROWS.iter().find(|row| row.folder == folder) {
            Some(row) => wrong.extend(violations_of(row, &manifest)),
            None => wrong.push(format!(
                "{folder}: a new crate; give it a row in cluster/tests/arrows/crates.rs"
            )),
        }
    }
    wrong
}

fn read(path: &Path) -> toml::Table {
    fs::read_to_string(path).unwrap().parse().unwrap()
}

fn violations_of(row: &Row, manifest: &toml::Table) -> Vec<String> {
    let mut wrong = Vec::new();
    for section in ["dependencies", "build-dependencies", "dev-dependencies"] {
        let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else {
            continue;
        };
        for name in dependencies.keys().map(String::as_str) {
            let is_ours = name.starts_with("farthing-");
            let allowed = if is_ours {
                row.ours.contains(&name)
            } else {
                !row.never.contains(&name) && (row.others || section == "dev-dependencies")
            };
            if !allowed {
                wrong.push(format!("{}: [{section}] must not name {name}", row.folder));
            }
        }
    }
    wrong
}

#[test]
fn an_arrow_the_wrong_way_is_found() {
    let manifest = "[dependencies]\nfarthing-client.workspace = true\ntokio = \"1\"\n\
                    [dev-dependencies]\nproptest = \"1\"\n"
        .parse()
        .unwrap();
    let ledger = &ROWS[0];
    assert_eq!(
        violations_of(ledger, &manifest),
        [
            "ledger: [dependencies] must not name farthing-client",
            "ledger: [dependencies] must not name tokio"
        ]
    );
    let cluster = ROWS.iter().find(|row| row.folder == "cluster").unwrap();
    assert!(violations_of(cluster, &manifest).is_empty());
}
