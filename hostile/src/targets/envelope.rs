//! The envelope of an entry, which comes from peers and from the log.

use farthing_ledger::{EntryBuilder, EntryReader, SectionKind};

use super::Part;
use crate::budget::within;
use crate::corpus;

pub(super) const PART: Part = Part {
    name: "envelope",
    run,
    seeds: corpus::entries,
    words: &[
        "\u{1}\u{0}\u{1}\u{0}",
        "\u{5}\u{0}\u{0}\u{0}\u{1}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}",
    ],
};

fn run(bytes: &[u8]) {
    // Everything is borrowed: no count or length can make it allocate.
    let Ok(entry) = within(0, || EntryReader::new(bytes)) else {
        return;
    };
    let mut items = 0;
    let mut again = EntryBuilder::new(entry.proposed_time());
    for request in entry.requests() {
        for section in request.sections() {
            items += section.count();
            let walked = match section.kind() {
                SectionKind::Accounts => section.accounts().count(),
                SectionKind::Transfers => section.transfers().count(),
                SectionKind::Ledgers => section.ledgers().count(),
                SectionKind::Records => section.records().count(),
                SectionKind::Configuration => section.settings().count(),
                SectionKind::Pulse => 1,
            };
            assert_eq!(walked, section.count(), "{:?}", section.kind());
        }
        again
            .push(request.bytes())
            .expect("what the reader accepts can be built");
    }
    assert_eq!(items, entry.item_count());
    assert_eq!(again.request_count() as usize, entry.request_count());
    assert_eq!(again.finish(), bytes);
}
