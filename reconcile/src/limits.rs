//! What a statement may cost. A file comes from outside, so everything it can make us keep has an end.

/// Hard limits of reading a statement; reaching one is an error that names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Entries that are kept. An entry takes 64 bytes and its texts.
    pub entries_max: usize,
    /// Transactions inside of entries (camt `TxDtls`), over the whole file; 32 bytes each.
    pub details_max: usize,
    /// References, over the whole file; 12 bytes each and their texts.
    pub references_max: usize,
    /// Bytes of all texts that are kept. At most 4 GiB, whatever is set.
    pub text_bytes_max: usize,
    /// Bytes of one field, of one XML tag and of one XML comment; a row of a CSV file may have sixteen times as many.
    pub field_bytes_max: usize,
    /// Nested XML elements.
    pub depth_max: usize,
    /// Statements in one file, and currencies.
    pub sections_max: usize,
}

impl Limits {
    /// Bytes of a description that are kept; the rest of a longer one is left out.
    pub const DESCRIPTION_BYTES_MAX: usize = 140;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries_max: 5_000_000,
            details_max: 10_000_000,
            references_max: 20_000_000,
            text_bytes_max: 1 << 30,
            field_bytes_max: 64 * 1024,
            depth_max: 64,
            sections_max: 1_000,
        }
    }
}
