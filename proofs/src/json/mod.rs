//! JSON of one form: fixed fields in a fixed order, no spaces, numbers and texts written in one way only.
//!
//! What is written and what is read is described once, by functions over a [`Form`]: with a [`Writer`] they write, with a
//! [`Reader`] they read the same, and nothing else. So both cannot drift apart, and a text that is read is one that was
//! written. It is not for JSON in general, and knows nothing of events.

mod digits;
mod error;
mod read;
mod write;

pub use error::Expected;
pub(crate) use error::Malformed;
pub(crate) use read::Reader;
pub(crate) use write::Writer;

use crate::Hash;

/// Hashes in a list at most: a path in the largest tree that numbers of 64 bits can count has no more.
pub(crate) const HASHES_MAX: usize = 128;

/// One side of the form: everything takes the value that is written, or that takes what is read.
pub(crate) trait Form {
    /// Why something could not be read; writing does not fail.
    type Error;

    /// Just this text.
    fn word(&mut self, word: &'static str) -> Result<(), Self::Error>;

    /// This text or nothing. When writing, `wanted` decides; says whether the text is there.
    fn word_if(&mut self, word: &'static str, wanted: bool) -> Result<bool, Self::Error>;

    /// A number.
    fn number<N>(&mut self, value: &mut N) -> Result<(), Self::Error>
    where
        N: Copy + Into<u64> + TryFrom<u64>;

    /// A number of 128 bits, as text: many readers of JSON keep 53 bits of a number.
    fn amount(&mut self, value: &mut u128) -> Result<(), Self::Error>;

    /// A UUID as text.
    fn id(&mut self, value: &mut u128) -> Result<(), Self::Error>;

    /// A UUID as text, or an empty text for zero.
    fn optional_id(&mut self, value: &mut u128) -> Result<(), Self::Error>;

    /// Bits as a list of their names, the lowest first; a bit without a name is `bit_N`.
    fn flags(&mut self, value: &mut u16, names: &'static [&'static str])
    -> Result<(), Self::Error>;

    /// `true` or `false`.
    fn boolean(&mut self, value: &mut bool) -> Result<(), Self::Error>;

    /// So many bytes as hexadecimal text.
    fn hex(&mut self, value: &mut [u8]) -> Result<(), Self::Error>;

    /// Bytes as base64, at most `length_max` of them.
    fn base64(&mut self, value: &mut Vec<u8>, length_max: usize) -> Result<(), Self::Error>;

    /// Text.
    fn text(&mut self, value: &mut String) -> Result<(), Self::Error>;

    /// A list of hashes, at most [`HASHES_MAX`].
    fn hashes(&mut self, value: &mut Vec<Hash>) -> Result<(), Self::Error>;
}
