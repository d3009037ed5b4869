//! A cluster-wide setting, changed through the log so that every node changes at the same entry.

use crate::bytes::{get_u32, get_u64, put};

/// Number of the setting that says which features entries may use.
pub const SETTING_FEATURE_LEVEL: u32 = 1;

/// The highest feature level this code can apply.
pub const FEATURE_LEVEL_MAX: u16 = 1;

/// One item of a configuration section.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Setting {
    /// Which setting. An unknown number is an error of the entry, not a status: skipping it would make nodes differ.
    pub setting: u32,
    /// Must be zero.
    pub reserved: u32,
    /// Its new value.
    pub value: u64,
}

impl Setting {
    /// Encoded length.
    pub const BYTES: usize = 16;

    /// The 16 bytes of the format.
    pub fn to_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        put(&mut bytes, 0, &self.setting.to_le_bytes());
        put(&mut bytes, 4, &self.reserved.to_le_bytes());
        put(&mut bytes, 8, &self.value.to_le_bytes());
        bytes
    }

    /// Reads [`Setting::to_bytes`].
    pub fn from_bytes(bytes: &[u8; 16]) -> Self {
        Self {
            setting: get_u32(bytes, 0),
            reserved: get_u32(bytes, 4),
            value: get_u64(bytes, 8),
        }
    }

    /// Appends [`Setting::to_bytes`].
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }
}
