//! 128-bit ids as text: a UUID, or 32 hexadecimal digits.

/// Why text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// No text at all where an id is required.
    #[error("an id is required")]
    Missing,
    /// Neither a UUID nor 32 hexadecimal digits.
    #[error(
        "not an id: write a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057, or 32 hexadecimal digits"
    )]
    Malformed,
}

/// Reads an id.
///
/// ```
/// use farthing_proto::convert::id::{format_id, parse_id};
/// let id = parse_id("0189-0a5d").is_err();
/// assert!(id);
/// assert_eq!(parse_id("00000000-0000-0000-0000-00000000000A"), Ok(10));
/// assert_eq!(parse_id("0000000000000000000000000000000a"), Ok(10));
/// assert_eq!(format_id(10), "00000000-0000-0000-0000-00000000000a");
/// ```
///
/// # Errors
/// [`IdError`] for everything else, surrounding spaces and braces included.
pub fn parse_id(text: &str) -> Result<u128, IdError> {
    let bytes = text.as_bytes();
    let hyphens: &[usize] = match bytes.len() {
        0 => return Err(IdError::Missing),
        32 => &[],
        36 => &[8, 13, 18, 23],
        _ => return Err(IdError::Malformed),
    };
    let mut id: u128 = 0;
    for (position, byte) in bytes.iter().enumerate() {
        if hyphens.contains(&position) {
            if *byte != b'-' {
                return Err(IdError::Malformed);
            }
            continue;
        }
        let digit = char::from(*byte).to_digit(16).ok_or(IdError::Malformed)?;
        id = id << 4 | u128::from(digit);
    }
    Ok(id)
}

/// Reads an id that may be left out; empty text is zero.
///
/// # Errors
/// [`IdError::Malformed`].
pub fn parse_optional_id(text: &str) -> Result<u128, IdError> {
    if text.is_empty() {
        Ok(0)
    } else {
        parse_id(text)
    }
}

/// The canonical text: a lower-case UUID.
#[must_use]
pub fn format_id(id: u128) -> String {
    let hex = format!("{id:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[0..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..32]
    )
}

/// The canonical text; zero is empty text.
#[must_use]
pub fn format_optional_id(id: u128) -> String {
    if id == 0 {
        String::new()
    } else {
        format_id(id)
    }
}
