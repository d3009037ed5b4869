//! Family `ids`: key = transfer id, u128 BE; value = `log_index u64, sequence u64, offset u8`.
//!
//! Sequence 0 stands for a refused id: it is taken for ever, also when its chain rolled back. The block of the
//! transfer has the key `sequence - offset`.

/// Length of a value.
pub(crate) const VALUE_BYTES: usize = 17;

/// Where a transfer id leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    /// The entry that used the id.
    pub(crate) log_index: u64,
    /// Sequence of the transfer, 0 when the id was refused.
    pub(crate) sequence: u64,
    /// Rows before it in its block.
    pub(crate) offset: u8,
}

impl Place {
    /// The value of the row.
    #[inline]
    pub(crate) fn to_bytes(self) -> [u8; VALUE_BYTES] {
        let mut bytes = [0; VALUE_BYTES];
        super::put(&mut bytes, 0, self.log_index.to_le_bytes());
        super::put(&mut bytes, 8, self.sequence.to_le_bytes());
        bytes[16] = self.offset;
        bytes
    }

    /// Reads [`Place::to_bytes`].
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; VALUE_BYTES] = bytes.try_into().ok()?;
        let place = Self {
            log_index: super::log_index(bytes)?,
            sequence: super::u64_at(bytes, 8)?,
            offset: bytes[16],
        };
        (u64::from(place.offset) < place.sequence.max(1)).then_some(place)
    }

    /// True when the id was refused and is taken for ever.
    pub(crate) fn refused(self) -> bool {
        self.sequence == 0
    }

    /// Key of the block with the transfer.
    pub(crate) fn block_key(self) -> [u8; 8] {
        (self.sequence - u64::from(self.offset)).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_and_nonsense_does_not() {
        for place in [
            Place {
                log_index: 3,
                sequence: 100,
                offset: 63,
            },
            Place {
                log_index: u64::MAX,
                sequence: 0,
                offset: 0,
            },
            Place {
                log_index: 1,
                sequence: 1,
                offset: 0,
            },
        ] {
            assert_eq!(Place::from_bytes(&place.to_bytes()), Some(place));
        }
        assert_eq!(
            Place::from_bytes(
                &Place {
                    log_index: 1,
                    sequence: 5,
                    offset: 5
                }
                .to_bytes()
            ),
            None
        );
        assert_eq!(Place::from_bytes(&[0; 16]), None);
    }
}
