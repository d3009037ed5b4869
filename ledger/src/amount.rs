//! Decimal text to and from amounts, exactly, over the whole range of `u128`, by integers only.
//!
//! The text is what people write in the ledger's unit: digits, and behind one point at most as many decimals as the
//! ledger's scale. Nothing is rounded, so text with more decimals is refused even when they are zeros. Formatting
//! writes no more decimals than it takes: `2500` at scale 3 is `2.5`, `2000` is `2`, `5` is `0.005`.

use std::fmt;

use crate::ledger::SCALE_MAX;

/// Characters that formatting writes at most: 39 digits and a point.
pub const TEXT_BYTES_MAX: usize = 40;

/// Why a text is not an amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AmountError {
    /// The scale is above 38.
    ScaleOutOfRange,
    /// There is no text.
    Empty,
    /// It begins with a sign; amounts are unsigned.
    Signed,
    /// It has an exponent.
    Exponent,
    /// It names no finite number (`NaN`, `inf`).
    NotFinite,
    /// Something other than digits and one point, or no digit on one side of the point.
    Malformed,
    /// It has more decimals than the ledger's scale.
    TooManyDecimals,
    /// It is above 2^128 - 1 of the smallest unit.
    Overflow,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ScaleOutOfRange => "the scale is above 38",
            Self::Empty => "the amount is empty",
            Self::Signed => "an amount has no sign",
            Self::Exponent => "an amount has no exponent",
            Self::NotFinite => "an amount is a finite number",
            Self::Malformed => "an amount is digits with at most one point between them",
            Self::TooManyDecimals => "the amount has more decimals than its ledger",
            Self::Overflow => "the amount is too large",
        })
    }
}

impl std::error::Error for AmountError {}

/// The amount, in units of 10^-`scale`, that `text` says.
///
/// # Errors
/// When it does not say one exactly; see [`AmountError`].
pub fn parse(text: &str, scale: u8) -> Result<u128, AmountError> {
    if scale > SCALE_MAX {
        return Err(AmountError::ScaleOutOfRange);
    }
    if text.is_empty() {
        return Err(AmountError::Empty);
    }
    if text.starts_with(['+', '-']) {
        return Err(AmountError::Signed);
    }
    let (whole, decimals) = match text.split_once('.') {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (text, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !decimals.is_none_or(digits) {
        return Err(classify(text));
    }
    let decimals = decimals.unwrap_or("");
    let missing = usize::from(scale)
        .checked_sub(decimals.len())
        .ok_or(AmountError::TooManyDecimals)?;
    let zeros = std::iter::repeat_n(b'0', missing);
    let mut amount = 0_u128;
    for digit in whole.bytes().chain(decimals.bytes()).chain(zeros) {
        let next = amount
            .checked_mul(10)
            .and_then(|amount| amount.checked_add(u128::from(digit - b'0')));
        amount = next.ok_or(AmountError::Overflow)?;
    }
    Ok(amount)
}

/// What kind of not-a-number a text is.
fn classify(text: &str) -> AmountError {
    let lower = text.to_ascii_lowercase();
    if ["nan", "inf", "infinity"].contains(&lower.as_str()) {
        return AmountError::NotFinite;
    }
    match lower.split_once('e') {
        Some((mantissa, _)) if mantissa.starts_with(|c: char| c.is_ascii_digit()) => {
            AmountError::Exponent
        }
        _ => AmountError::Malformed,
    }
}

/// The shortest text that [`parse`] reads back as `amount` at `scale`.
///
/// # Errors
/// [`AmountError::ScaleOutOfRange`] when the scale is above 38.
pub fn format(amount: u128, scale: u8) -> Result<String, AmountError> {
    if scale > SCALE_MAX {
        return Err(AmountError::ScaleOutOfRange);
    }
    let unit = 10_u128.pow(u32::from(scale));
    let (whole, mut decimals) = (amount / unit, amount % unit);
    if decimals == 0 {
        return Ok(whole.to_string());
    }
    let mut width = usize::from(scale);
    while decimals.is_multiple_of(10) {
        decimals /= 10;
        width -= 1;
    }
    Ok(format!("{whole}.{decimals:0width$}"))
}
