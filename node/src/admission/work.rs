//! What kind of work a request is, as far as a nearly full disk cares.

use farthing_ledger::{SectionKind, Transfer};

/// Work that begins something, or ends what was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// It adds rows that nobody has counted on.
    New,
    /// Posts and voids of pending transfers only: they end what is reserved.
    Ending,
}

impl Work {
    /// Of the sections of one request.
    pub fn of<'a>(sections: impl IntoIterator<Item = (SectionKind, &'a [u8])>) -> Self {
        let ends = |(kind, items): (SectionKind, &[u8])| {
            kind == SectionKind::Transfers && items.chunks(Transfer::BYTES).all(ends_a_pending)
        };
        if sections.into_iter().all(ends) {
            Self::Ending
        } else {
            Self::New
        }
    }
}

fn ends_a_pending(item: &[u8]) -> bool {
    let item = <&[u8; Transfer::BYTES]>::try_from(item);
    item.is_ok_and(|item| Transfer::from_bytes(item).flags.resolves_pending())
}
