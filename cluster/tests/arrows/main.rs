//! Keeps the arrows of ARCHITECTURE.md true: which crate may import which, which layer of the node may call which,
//! and where the libraries that must stay behind one door may be named. It reads the sources, so that an arrow the
//! wrong way fails here and not in a review.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod crates;
mod doors;
mod failpoints;
mod layers;
mod planted;
mod source;

use std::path::{Path, PathBuf};

/// A file longer than this should be asked whether it is one thing.
const LINES_MAX: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

#[test]
fn crates_import_only_what_their_row_allows() {
    let wrong = crates::violations(&root());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn layers_of_the_node_call_only_those_below() {
    let wrong = layers::violations(&source::read_tree(&root().join("node/src")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_harness_tries_every_failpoint_of_the_node() {
    let differences = failpoints::differences(&root());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_harness_hunts_every_planted_bug() {
    let differences = planted::differences(&root());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn libraries_stay_behind_their_doors() {
    let wrong = doors::violations(&source::read_tree(&root()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn long_files_are_named() {
    for file in source::read_tree(&root()) {
        let lines = file.code.lines().count();
        if lines > LINES_MAX {
            println!("warning: {} has {lines} lines; is it one thing?", file.path);
        }
    }
}
