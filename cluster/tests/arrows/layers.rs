//! Which layer of the node may call which, read from the paths in its sources.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, line, positions};

/// A layer and the layers directly below it. A layer may call everything below, however far.
const LAYERS: &[(&str, &[&str])] = &[
    ("server", &["admission", "query", "events"]),
    ("admission", &["consensus"]),
    ("query", &["consensus", "storage"]),
    ("consensus", &["log", "state", "vitals", "listener"]),
    ("events", &["storage"]),
    ("vitals", &["log", "storage"]),
    ("state", &["storage"]),
    ("log", &["disk"]),
    ("storage", &["disk"]),
    ("disk", &[]),
    // Connections as they come in, for the clients' and the peers' side alike.
    ("listener", &[]),
];

/// Called by every layer, calling none.
const COMMON: &[&str] = &["telemetry", "cold", "meta", "failpoints", "planted"];

/// Settles what each layer is told, puts the layers together and starts them: calls every layer, called by none.
const ROOTS: &[&str] = &[
    "lib",
    "main",
    "config",
    "node",
    "repair",
    "inspect",
    "clock_file",
    "fuzzing",
];

/// Every call upwards, and every module that has no place in the table.
pub(crate) fn violations(sources: &[Source]) -> Vec<String> {
    let below = closure();
    let mut wrong = BTreeSet::new();
    for source in sources {
        let top = top_module(&source.path);
        if ROOTS.contains(&top) {
            continue;
        }
        let allowed: BTreeSet<&str> = match below.get(top) {
            Some(below) => below
                .iter()
                .copied()
                .chain(COMMON.iter().copied())
                .collect(),
            None if COMMON.contains(&top) => COMMON.iter().copied().collect(),
            None => {
                wrong.insert(format!(
                    "node/src/{}: `{top}` has no place yet; give it one in cluster/tests/arrows/layers.rs",
                    source.path
                ));
                continue;
            }
        };
        for (at, called) in calls(source) {
            let is_layer =
                below.contains_key(called) || COMMON.contains(&called) || ROOTS.contains(&called);
            if is_layer && called != top && !allowed.contains(called) {
                let line = line(&source.code, at);
                wrong.insert(format!(
                    "node/src/{}:{line}: `{top}` must not call `{called}`",
                    source.path
                ));
            }
        }
    }
    wrong.into_iter().collect()
}

/// Each layer with everything below it.
fn closure() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    // The rows stand with callers first, so from the last row up everything below is already known.
    let mut below = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (layer, direct) in LAYERS.iter().rev() {
        let mut all = BTreeSet::new();
        for called in *direct {
            all.insert(*called);
            all.extend(
                below
                    .get(called)
                    .unwrap_or_else(|| panic!("{called} must stand below {layer}")),
            );
        }
        below.insert(layer, all);
    }
    below
}

/// `log` for `log/segment.rs` and for `log.rs`.
fn top_module(path: &str) -> &str {
    let first = path.split('/').next().unwrap_or(path);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// How many modules a file is below the root of the crate.
fn depth(path: &str) -> usize {
    let parts = path.split('/').count();
    if path.ends_with("/mod.rs") {
        parts - 1
    } else {
        parts
    }
}

/// Modules at the root of the crate that the code names, with the position.
fn calls(source: &Source) -> Vec<(usize, &str)> {
    let code = source.code.as_str();
    let mut found = Vec::new();
    for at in positions(code, "crate::") {
        found.extend(
            heads(&code[at + "crate::".len()..])
                .into_iter()
                .map(|head| (at, head)),
        );
    }
    for at in positions(code, "super::") {
        let mut rest = &code[at..];
        let mut levels = 0;
        while let Some(after) = rest.strip_prefix("super::") {
            rest = after;
            levels += 1;
        }
        if levels >= depth(&source.path) {
            found.extend(heads(rest).into_iter().map(|head| (at, head)));
        }
    }
    found
}

/// First names of a path or of each path in a group: `a` of `a::b`, `a` and `c` of `{a::b, c::{d, e}}`.
fn heads(rest: &str) -> Vec<&str> {
    let name = |text: &'_ str| {
        text.find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(text.len())
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![&rest[..name(rest)]];
    };
    let mut heads = Vec::new();
    let (mut depth, mut fresh) = (1, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            c if fresh && (c.is_alphanumeric() || c == '_') => {
                heads.push(&group[at..at + name(&group[at..])]);
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

#[test]
fn a_call_upwards_is_found_in_every_form() {
    let source = |path: &str, code: &str| Source {
        path: path.into(),
        code: code.into(),
    };
    let wrong = violations(&[
        source(
            "server/mod.rs",
            "use crate::{admission::A, storage::{B, C}, telemetry};",
        ),
        source("storage/runs.rs", "use crate::{disk::Disk,\n state::X};"),
        source(
            "log/segment.rs",
            "use super::Log; use super::super::consensus::Y;",
        ),
        source(
            "log/mod.rs",
            "use super::server::Z; fn f() { crate::disk::g() }",
        ),
        source("telemetry.rs", "use crate::storage::S;"),
        source("surprise.rs", ""),
        source("main.rs", "use crate::server::S;"),
    ]);
    assert_eq!(
        wrong,
        [
            "node/src/log/mod.rs:1: `log` must not call `server`",
            "node/src/log/segment.rs:1: `log` must not call `consensus`",
            "node/src/storage/runs.rs:1: `storage` must not call `state`",
            "node/src/surprise.rs: `surprise` has no place yet; give it one in cluster/tests/arrows/layers.rs",
            "node/src/telemetry.rs:1: `telemetry` must not call `storage`",
        ]
    );
}
