//! Records without their zeros: most of a 256-byte row is zero words (high halves of amounts, unused links).
//!
//! A packed record is `mask u32, then the non-zero words`, a word being 8 bytes and bit `i` of the mask standing for
//! word `i`. It is exact, has one form only, and makes windows and files less than half as big before compression.

/// The longest record that can be packed, in bytes.
pub const RECORD_BYTES_MAX: usize = 256;
const MASK_BYTES: usize = 4;
const WORD_BYTES: usize = 8;

/// Appends the packed form of a record whose length is a multiple of 8 and at most [`RECORD_BYTES_MAX`].
#[inline]
pub fn pack<const N: usize>(record: &[u8; N], out: &mut Vec<u8>) {
    const { assert!(N.is_multiple_of(WORD_BYTES) && N <= RECORD_BYTES_MAX) };
    let mut packed = [0_u8; MASK_BYTES + RECORD_BYTES_MAX + WORD_BYTES];
    let mut mask = 0_u32;
    let mut end = MASK_BYTES;
    for (index, word) in record.as_chunks::<WORD_BYTES>().0.iter().enumerate() {
        // Written always, kept when not zero: no branch to mispredict.
        // As an array, not a slice: eight bytes by one store and not by a call.
        if let Some(place) = packed[end..].first_chunk_mut() {
            *place = *word;
        }
        let some = u32::from(*word != [0; WORD_BYTES]);
        mask |= some << index;
        end += WORD_BYTES * some as usize;
    }
    if let Some(place) = packed.first_chunk_mut() {
        *place = mask.to_le_bytes();
    }
    out.extend_from_slice(&packed[..end]);
}

/// Length of the packed record at the start of `bytes`, or `None` when they end before it does.
#[inline]
pub fn length(bytes: &[u8]) -> Option<usize> {
    let mask = u32::from_le_bytes(*bytes.first_chunk()?);
    let length = MASK_BYTES + WORD_BYTES * mask.count_ones() as usize;
    (length <= bytes.len()).then_some(length)
}

/// One word of the packed record at the start of `bytes`; `None` when they end before it.
#[inline]
pub fn word(bytes: &[u8], index: u32) -> Option<u64> {
    let mask = u32::from_le_bytes(*bytes.first_chunk()?);
    if mask & (1 << index) == 0 {
        return Some(0);
    }
    let before = (mask & ((1 << index) - 1)).count_ones() as usize;
    let word = bytes
        .get(MASK_BYTES + WORD_BYTES * before..)?
        .first_chunk()?;
    Some(u64::from_le_bytes(*word))
}

/// The record at the start of `bytes` and the number of bytes it takes there; `None` when they are not its packed
/// form.
#[inline]
pub fn unpack<const N: usize>(bytes: &[u8]) -> Option<([u8; N], usize)> {
    let mut mask = u32::from_le_bytes(*bytes.first_chunk()?);
    if N / WORD_BYTES < 32 && mask >> (N / WORD_BYTES) != 0 {
        return None;
    }
    let mut record = [0; N];
    let mut at = MASK_BYTES;
    while mask != 0 {
        let word: &[u8; WORD_BYTES] = bytes.get(at..)?.first_chunk()?;
        if *word == [0; WORD_BYTES] {
            return None;
        }
        let index = mask.trailing_zeros() as usize * WORD_BYTES;
        *record.get_mut(index..)?.first_chunk_mut()? = *word;
        at += WORD_BYTES;
        mask &= mask - 1;
    }
    Some((record, at))
}

/// [`unpack`] of bytes that must be one packed record and nothing more.
pub fn unpack_all<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let (record, used) = unpack(bytes)?;
    (used == bytes.len()).then_some(record)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
    use super::*;
    use proptest::prelude::*;

    fn round_trip<const N: usize>(record: &[u8; N]) -> Result<(), TestCaseError> {
        let mut bytes = vec![];
        pack(record, &mut bytes);
        prop_assert_eq!(length(&bytes), Some(bytes.len()));
        prop_assert_eq!(unpack_all::<N>(&bytes), Some(*record));
        for (index, expected) in record.as_chunks::<WORD_BYTES>().0.iter().enumerate() {
            prop_assert_eq!(
                word(&bytes, index as u32),
                Some(u64::from_le_bytes(*expected))
            );
        }
        for end in 0..bytes.len() {
            prop_assert_eq!(unpack::<N>(&bytes[..end]), None);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(words in proptest::collection::vec(prop_oneof![Just(0_u64), any::<u64>()], 32)) {
            let mut record = [0; 256];
            for (index, word) in words.iter().enumerate() {
                record[index * 8..index * 8 + 8].copy_from_slice(&word.to_le_bytes());
            }
            round_trip::<256>(&record)?;
            round_trip::<128>(record.first_chunk().unwrap())?;
            round_trip::<144>(record.first_chunk().unwrap())?;
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(record) = unpack_all::<128>(&bytes) {
                let mut again = vec![];
                pack(&record, &mut again);
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
