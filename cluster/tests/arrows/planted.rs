//! The harness names the planted bugs in a list of its own, because it may not import the node. The list is compared
//! with the conditions in the sources, so that no bug is planted that nobody hunts.

use std::collections::BTreeSet;
use std::path::Path;

/// The first words in quotes after each `before`.
fn quoted_after(text: &str, before: &str) -> BTreeSet<String> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .flat_map(|names| names.split(','))
        .map(str::to_owned)
        .collect()
}

/// Bugs that are planted and not hunted, or hunted and not planted.
pub(crate) fn differences(root: &Path) -> Vec<String> {
    let list = std::fs::read_to_string(root.join("jepsen/src/planted/mod.rs")).unwrap();
    let mut hunted = quoted_after(&list, "    bug(\"");
    // The simulator hunts those that the node lists for it.
    let node = std::fs::read_to_string(root.join("node/src/planted.rs")).unwrap();
    let (_, simulated) = node.split_once("NAMES: [&str;").unwrap();
    let (simulated, _) = simulated.split_once("];").unwrap();
    hunted.extend(quoted_after(simulated, "    \""));
    let mut there = BTreeSet::new();
    for folder in ["ledger/src", "node/src"] {
        for source in super::source::read_tree(&root.join(folder)) {
            let text = std::fs::read_to_string(root.join(folder).join(&source.path)).unwrap();
            there.extend(quoted_after(&text, "planted(\""));
            there.extend(quoted_after(&text, "planted::is(\""));
        }
    }
    assert!(there.len() >= 20, "only {} bugs are planted", there.len());
    let unhunted = there.difference(&hunted);
    let unhunted = unhunted.map(|name| format!("{name} is planted and never hunted"));
    let gone = hunted.difference(&there);
    let gone = gone.map(|name| format!("{name} is hunted and not planted"));
    unhunted.chain(gone).collect()
}
