//! The reference pages are what the program says of itself.
#![allow(clippy::unwrap_used)]

use std::path::Path;

#[test]
fn the_pages_are_what_the_program_says() {
    for (name, page) in [
        ("cli.md", farthing_cluster::cli::reference::page()),
        ("errors.md", farthing_cluster::explain::page()),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../docs/reference")
            .join(name);
        if std::env::var_os("REWRITE_GOLDEN").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap();
        assert!(
            kept == page,
            "docs/reference/{name} is out of date; run this test with REWRITE_GOLDEN=1 and look at the change"
        );
    }
}
