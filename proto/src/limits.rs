//! Sizes both ends keep to.

/// Most items in one request, and most ids in one lookup.
pub const ITEMS_MAX: usize = 8_189;

/// Most bytes of items in one request (a limit of the log format).
pub const REQUEST_BYTES_MAX: usize = 4 << 20;

/// Most sections in one request (their count is one byte in the log).
pub const SECTIONS_MAX: usize = 255;

/// Most bytes of one message on the client listener, in either direction: the
/// largest request or lookup reply, and room for field headers. Both ends set it
/// as their explicit decode limit.
pub const MESSAGE_BYTES_MAX: usize = REQUEST_BYTES_MAX + (256 << 10);

/// Bytes of one id in a packed lookup.
pub const ID_BYTES: usize = 16;

/// Bytes of one result in a packed reply.
pub const RESULT_BYTES: usize = 16;
