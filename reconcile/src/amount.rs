//! Decimal text of statements to exact integers in the ledger's smallest unit, and back.
//!
//! Whoever writes statements has habits: a decimal comma, groups of thousands, a sign behind the number, brackets for
//! what is negative, zeros for decimals that the currency does not have. All of it is taken off here; the digits go
//! through [`farthing_ledger::amount`], by integers only.

use farthing_ledger::amount::{self, AmountError};

use crate::direction::Direction;

/// How numbers are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NumberFormat {
    /// Stands before the decimals.
    pub decimal: char,
    /// Stands between groups of three digits. `None`: nothing may.
    pub group: Option<char>,
}

impl NumberFormat {
    /// `1234.56`.
    pub const POINT: Self = Self {
        decimal: '.',
        group: None,
    };
    /// `1234,56`.
    pub const COMMA: Self = Self {
        decimal: ',',
        group: None,
    };
}

impl Default for NumberFormat {
    fn default() -> Self {
        Self::POINT
    }
}

/// A number with its sign: true is negative. Zero is never negative.
pub(crate) type Signed = (bool, u128);

/// Reads `text` in units of 10^-`scale`. Decimals beyond the scale must be zeros: nothing is ever rounded.
pub(crate) fn parse_signed(
    text: &str,
    format: NumberFormat,
    scale: u8,
) -> Result<Signed, AmountError> {
    let (negative, text) = split_sign(text.trim())?;
    let plain = plain(text, format)?;
    let amount = amount::parse(within_scale(&plain, scale), scale)?;
    Ok((negative && amount != 0, amount))
}

/// Takes off one sign: before, behind, or brackets.
fn split_sign(text: &str) -> Result<(bool, &str), AmountError> {
    if text.is_empty() {
        return Err(AmountError::Empty);
    }
    if let Some(inner) = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
    {
        return Ok((true, inner.trim()));
    }
    let minus = ['-', '\u{2212}'];
    if let Some(rest) = text.strip_prefix(minus) {
        return Ok((true, rest.trim_start()));
    }
    if let Some(rest) = text.strip_prefix('+') {
        return Ok((false, rest.trim_start()));
    }
    match text.strip_suffix(minus) {
        Some(rest) => Ok((true, rest.trim_end())),
        None => Ok((false, text)),
    }
}

/// The number without groups and with a decimal point.
fn plain(text: &str, format: NumberFormat) -> Result<std::borrow::Cow<'_, str>, AmountError> {
    if format.decimal == '.' && format.group.is_none() {
        return Ok(text.into());
    }
    let (whole, decimals) = match text.split_once(format.decimal) {
        Some((whole, decimals)) => (whole, Some(decimals)),
        None => (text, None),
    };
    let mut plain = String::with_capacity(text.len());
    let mut groups = format
        .group
        .map_or_else(|| vec![whole], |group| whole.split(group).collect())
        .into_iter();
    let first = groups.next().unwrap_or_default();
    plain.push_str(first);
    for group in groups {
        // `1.5` with groups by points would otherwise be fifteen.
        if group.len() != 3 || first.is_empty() || first.len() > 3 {
            return Err(AmountError::Malformed);
        }
        plain.push_str(group);
    }
    if let Some(decimals) = decimals {
        plain.push('.');
        plain.push_str(decimals);
    }
    // What is left of the other convention is no digit and no point, or a second point: the ledger's parser says so.
    if format.decimal != '.' && whole.contains('.') && format.group != Some('.') {
        return Err(AmountError::Malformed);
    }
    Ok(plain.into())
}

/// Without zeros that the scale has no room for: `10.000` at scale 2 is `10.00`, at scale 0 `10`.
fn within_scale(text: &str, scale: u8) -> &str {
    let Some((whole, decimals)) = text.split_once('.') else {
        return text;
    };
    let Some(beyond) = decimals.get(usize::from(scale)..) else {
        return text;
    };
    if decimals.is_empty() || !beyond.bytes().all(|byte| byte == b'0') {
        return text;
    }
    let kept = whole.len()
        + match scale {
            0 => 0,
            scale => 1 + usize::from(scale),
        };
    &text[..kept]
}

/// The decimal text of an amount with all decimals of its scale: `146.00`.
#[must_use]
pub(crate) fn text(amount: u128, scale: u8) -> String {
    let scale = usize::from(scale);
    if scale == 0 {
        return amount.to_string();
    }
    let padded = format!("{amount:0>width$}", width = scale + 1);
    let (whole, decimals) = padded.split_at(padded.len() - scale);
    format!("{whole}.{decimals}")
}

/// What credits less debits come to: a direction and an amount. Zero is a credit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Net {
    pub(crate) direction: Direction,
    pub(crate) amount: u128,
}

impl Net {
    pub(crate) fn new(debits: u128, credits: u128) -> Self {
        if debits > credits {
            Self {
                direction: Direction::Debit,
                amount: debits - credits,
            }
        } else {
            Self {
                direction: Direction::Credit,
                amount: credits - debits,
            }
        }
    }

    /// `-3.50` when the debits prevail.
    pub(crate) fn text(self, scale: u8) -> String {
        let sign = match self.direction {
            Direction::Debit => "-",
            Direction::Credit => "",
        };
        format!("{sign}{}", text(self.amount, scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GERMAN: NumberFormat = NumberFormat {
        decimal: ',',
        group: Some('.'),
    };

    #[test]
    fn signs_and_conventions() {
        let point = NumberFormat::POINT;
        for (text, format, expected) in [
            ("12.34", point, (false, 1234)),
            (" 12.34 ", point, (false, 1234)),
            ("-12.34", point, (true, 1234)),
            ("+12.34", point, (false, 1234)),
            ("\u{2212}12.34", point, (true, 1234)),
            ("12.34-", point, (true, 1234)),
            ("(12.34)", point, (true, 1234)),
            ("-0.00", point, (false, 0)),
            ("12", point, (false, 1200)),
            ("12.3", point, (false, 1230)),
            ("12.3400", point, (false, 1234)),
            ("12.00000", point, (false, 1200)),
            ("12,34", NumberFormat::COMMA, (false, 1234)),
            ("1.234.567,89", GERMAN, (false, 123_456_789)),
            ("-1.234,5", GERMAN, (true, 123_450)),
            ("234,5", GERMAN, (false, 23_450)),
            ("1234,5", GERMAN, (false, 123_450)),
        ] {
            assert_eq!(parse_signed(text, format, 2), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_named() {
        let point = NumberFormat::POINT;
        for (text, format, expected) in [
            ("", point, AmountError::Empty),
            ("  ", point, AmountError::Empty),
            ("-", point, AmountError::Empty),
            ("--1", point, AmountError::Signed),
            ("-1-", point, AmountError::Malformed),
            ("12.345", point, AmountError::TooManyDecimals),
            ("12.3401", point, AmountError::TooManyDecimals),
            ("12,34", point, AmountError::Malformed),
            ("1,234.00", point, AmountError::Malformed),
            ("12.34", NumberFormat::COMMA, AmountError::Malformed),
            ("1.5", GERMAN, AmountError::Malformed),
            ("1234.567,00", GERMAN, AmountError::Malformed),
            (".5", point, AmountError::Malformed),
            ("5.", point, AmountError::Malformed),
            ("1e3", point, AmountError::Exponent),
            ("NaN", point, AmountError::NotFinite),
            ("\u{661}\u{662}", point, AmountError::Malformed),
            (
                "3402823669209384634633746074317682114.56",
                point,
                AmountError::Overflow,
            ),
        ] {
            assert_eq!(parse_signed(text, format, 2), Err(expected), "{text}");
        }
    }

    #[test]
    fn decimals_that_a_currency_does_not_have() {
        let point = NumberFormat::POINT;
        assert_eq!(parse_signed("1000.00", point, 0), Ok((false, 1000)));
        assert_eq!(
            parse_signed("1000.01", point, 0),
            Err(AmountError::TooManyDecimals)
        );
        assert_eq!(parse_signed("1000.", point, 0), Err(AmountError::Malformed));
        assert_eq!(
            parse_signed("340282366920938463463374607431768211455", point, 0),
            Ok((false, u128::MAX))
        );
    }

    #[test]
    fn text_has_all_decimals() {
        assert_eq!(text(5, 2), "0.05");
        assert_eq!(text(14_600, 2), "146.00");
        assert_eq!(text(7, 0), "7");
        assert_eq!(Net::new(350, 0).text(2), "-3.50");
        assert_eq!(Net::new(3, 3).text(2), "0.00");
    }
}
