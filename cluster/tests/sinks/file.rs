//! What lies in files.

use std::path::Path;

use serde_json::Value;

/// The events of a directory in the order of their files and lines, each as its `data` stands there. All must be there once,
/// from 1 on.
pub(crate) fn data(dir: &Path) -> Vec<String> {
    let mut paths: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some())
        .collect();
    paths.sort();
    assert!(paths.len() > 1, "files are rotated");
    let mut all = Vec::new();
    for path in paths {
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            assert_eq!(event["id"], (all.len() + 1).to_string());
            // It is the last attribute, and stands there as it is.
            let (_, data) = line.split_once(",\"data\":").unwrap();
            all.push(data.strip_suffix('}').unwrap().to_owned());
        }
    }
    all
}
