//! Sizes both ends keep to.

use farthing_ledger::entry;

/// Most items in one request, and most ids in one lookup.
pub const ITEMS_MAX: usize = entry::REQUEST_ITEMS_MAX;

/// Most bytes of one request as it stands in the log, headers and principal included.
pub const REQUEST_BYTES_MAX: usize = entry::REQUEST_BYTES_MAX;

/// Most sections in one request.
pub const SECTIONS_MAX: usize = entry::REQUEST_SECTIONS_MAX;

/// Most bytes of one message on the client listener, in either direction: the
/// largest request or lookup reply, and room for field headers. Both ends set it
/// as their explicit decode limit.
pub const MESSAGE_BYTES_MAX: usize = REQUEST_BYTES_MAX + (256 << 10);

/// Bytes of one id in a packed lookup.
pub const ID_BYTES: usize = 16;

/// Bytes of one result in a packed reply.
pub const RESULT_BYTES: usize = farthing_ledger::ItemResult::BYTES;

/// Bytes a request takes in the log whose sections hold these many bytes of items,
/// whoever sends it: the longest principal is assumed.
#[must_use]
pub fn request_bytes(section_lengths: impl Iterator<Item = usize>) -> usize {
    section_lengths.fold(
        entry::REQUEST_HEADER_BYTES + entry::PRINCIPAL_BYTES_MAX,
        |sum, length| {
            sum.saturating_add(entry::SECTION_HEADER_BYTES)
                .saturating_add(length)
        },
    )
}
