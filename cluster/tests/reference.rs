//! The reference page is what the program says of itself.
#![allow(clippy::unwrap_used)]

use std::path::Path;

#[test]
fn the_page_is_what_the_program_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/cli.md");
    let page = farthing_cluster::cli::reference::page();
    if std::env::var_os("REWRITE_GOLDEN").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        kept == page,
        "docs/reference/cli.md is out of date; run this test with REWRITE_GOLDEN=1 and look at the change"
    );
}
