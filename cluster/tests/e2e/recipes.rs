//! What the documentation tells people to type works, and prints what it says: every page against a cluster of its own.
//!
//! `TRYCMD=overwrite` writes what is printed now into the pages.

use std::path::{Path, PathBuf};

use crate::support::Cluster;

fn pages() -> Vec<PathBuf> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let mut pages = vec![docs.join("concepts/README.md")];
    for entry in std::fs::read_dir(docs.join("recipes")).unwrap() {
        pages.push(entry.unwrap().path());
    }
    pages.retain(|page| page.extension().is_some_and(|it| it == "md"));
    pages.sort();
    pages
}

#[test]
fn recipes_do_what_they_say() {
    let pages = pages();
    assert!(pages.len() >= 12, "{pages:?}");
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        if !text.contains("```console") {
            continue;
        }
        let cluster = Cluster::start();
        trycmd::TestCases::new()
            .register_bin("farthing", Path::new(env!("CARGO_BIN_EXE_farthing")))
            .register_bin("sleep", Path::new("/usr/bin/sleep"))
            .register_bin("cat", Path::new("/usr/bin/cat"))
            .env(
                "FARTHING_DIR",
                cluster.path().join("cluster").to_str().unwrap(),
            )
            .case(&page)
            .run();
    }
}
