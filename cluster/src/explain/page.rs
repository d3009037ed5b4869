//! The page `docs/reference/errors.md`.

use std::fmt::Write as _;

use super::{Kind, all};

/// The page as Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# Statuses and codes\n\n\
         Made by `farthing explain --all --markdown`; `farthing explain NAME` or `farthing explain NUMBER` tells one of \
         them.\nNumbers and names are frozen: a retired one is never used again.\n\n\
         A refused **item** is data: the call succeeds, and each item has a status. If several apply, it is the one \
         that stands\nfirst in its table, success aside. A refused **call** has a reason, and nothing of it was done \
         unless the reason says so.\n",
    );
    let entries = all();
    for kind in Kind::ALL {
        let number = match kind {
            Kind::Failure => "exit status",
            _ => "number",
        };
        let of_kind = || entries.iter().filter(|entry| entry.kind == kind);
        let numbered = of_kind().any(|entry| entry.number.is_some());
        let _ = write!(page, "\n## {}\n\n", kind.title());
        if numbered {
            let _ = writeln!(
                page,
                "| {number} | name | meaning | why | what to do |\n|---|---|---|---|---|"
            );
        } else {
            let _ = writeln!(
                page,
                "| name | meaning | why | what to do |\n|---|---|---|---|"
            );
        }
        for entry in of_kind() {
            if numbered {
                let number = entry.number.map(|number| number.to_string());
                let _ = write!(page, "| {} ", number.unwrap_or_default());
            }
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} |",
                entry.name, entry.meaning, entry.why, entry.advice
            );
        }
    }
    page
}
