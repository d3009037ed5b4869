//! The chaos harness names the node's failpoints in a list of its own, because it may not import the node. Both lists
//! are read here, so that a point renamed or added in the node is not silently left untried.

use std::collections::BTreeSet;
use std::path::Path;

/// The texts of a constant list in a source file.
fn listed(root: &Path, file: &str, constant: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root.join(file)).unwrap();
    let (_, after) = text.split_once(&format!("const {constant}: [")).unwrap();
    let (_, items) = after.split_once("= [").unwrap();
    let (items, _) = items.split_once("];").unwrap();
    items
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// What the harness tries and the node does not have, or the node has for its kill tests and the harness leaves out.
pub(crate) fn differences(root: &Path) -> Vec<String> {
    let tried = listed(root, "jepsen/src/nemesis/failpoints.rs", "POINTS");
    let mut differences = Vec::new();
    for (file, constant) in [
        ("node/src/storage/error.rs", "FAILPOINTS"),
        ("node/tests/log_failpoints.rs", "POINTS"),
    ] {
        let there = listed(root, file, constant);
        assert!(!there.is_empty(), "{file} lists nothing");
        let left_out = there.difference(&tried);
        differences.extend(left_out.map(|point| format!("{point} of {file} is never tried")));
    }
    let sources = super::source::read_tree(&root.join("node/src"));
    let text = |path: &str| std::fs::read_to_string(root.join("node/src").join(path)).unwrap();
    let node: String = sources.iter().map(|source| text(&source.path)).collect();
    let gone = tried
        .iter()
        .filter(|point| !node.contains(&format!("\"{point}\"")));
    differences.extend(gone.map(|point| format!("{point} is no point of the node")));
    differences
}
