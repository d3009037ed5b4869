//! Amounts of the transfer builder, and exact conversion between `Decimal` and the
//! ledger's integers.
//!
//! The ledger counts in the smallest unit of a ledger, as unsigned 128-bit integers.
//! [`Decimal`] holds 96 bits and 28 decimals: a value that does not fit is an error,
//! never rounded.

use rust_decimal::Decimal;

/// How much to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Amount {
    /// This many of the ledger's smallest unit.
    Units(u128),
    /// This much in the ledger's unit: `12.50` is 1250 at scale 2.
    Decimal(Decimal),
    /// With a post: the full pending amount.
    All,
    /// With a balancing transfer: as much as the account's limit allows.
    AsMuchAsPossible,
}

macro_rules! units {
    ($($integer:ty),+) => {
        $(impl From<$integer> for Amount {
            fn from(units: $integer) -> Self {
                Amount::Units(u128::from(units))
            }
        })+
    };
}

units!(u8, u16, u32, u64, u128);

impl From<Decimal> for Amount {
    fn from(value: Decimal) -> Self {
        Amount::Decimal(value)
    }
}

/// Why an amount cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// Amounts are unsigned; the direction is debit and credit.
    #[error("{0} is negative: swap the debit and the credit account instead")]
    Negative(Decimal),
    /// More decimals than the ledger's scale.
    #[error("{value} has more decimals than the {scale} of ledger {ledger}")]
    TooManyDecimals {
        /// The amount.
        value: Decimal,
        /// The ledger's number.
        ledger: u32,
        /// The ledger's scale.
        scale: u8,
    },
    /// More than 2^128 - 1 of the smallest unit.
    #[error("{0} is more than 2^128 - 1 of the ledger's smallest unit")]
    Overflow(Decimal),
    /// An integer amount that a `Decimal` cannot hold exactly.
    #[error("{units} at scale {scale} does not fit a 96-bit decimal: use the integer or text")]
    DoesNotFit {
        /// The amount in the smallest unit.
        units: u128,
        /// The ledger's scale.
        scale: u8,
    },
    /// An amount needs the scale, and thereby the number, of its ledger.
    #[error("a decimal amount needs the ledger's number")]
    LedgerMissing,
    /// No amount was given.
    #[error("no amount was given; zero must be said")]
    Missing,
    /// "All" goes with a post, "as much as possible" with a balancing flag.
    #[error("this amount needs {0}")]
    WrongKind(&'static str),
}

/// The integer amount of a decimal on a ledger of this scale.
///
/// ```
/// use farthing_client::amount::{to_decimal, to_units};
/// use farthing_client::Decimal;
///
/// assert_eq!(to_units(Decimal::new(1250, 2), 840, 2), Ok(1_250)); // 12.50
/// assert_eq!(to_units(Decimal::new(125, 1), 840, 2), Ok(1_250)); // 12.5
/// assert!(to_units(Decimal::new(12_505, 3), 840, 2).is_err()); // 12.505
/// assert_eq!(to_decimal(1_250, 2), Ok(Decimal::new(1250, 2)));
/// ```
///
/// # Errors
/// [`AmountError`] when it is negative, has more decimals than the scale, or is too large.
pub fn to_units(value: Decimal, ledger: u32, scale: u8) -> Result<u128, AmountError> {
    let value = value.normalize();
    let mantissa = u128::try_from(value.mantissa()).map_err(|_| AmountError::Negative(value))?;
    let missing =
        u32::from(scale)
            .checked_sub(value.scale())
            .ok_or(AmountError::TooManyDecimals {
                value,
                ledger,
                scale,
            })?;
    10_u128
        .checked_pow(missing)
        .and_then(|factor| mantissa.checked_mul(factor))
        .or((mantissa == 0).then_some(0))
        .ok_or(AmountError::Overflow(value))
}

/// The decimal of an integer amount on a ledger of this scale.
///
/// # Errors
/// [`AmountError::DoesNotFit`] when a `Decimal` cannot hold it exactly.
pub fn to_decimal(units: u128, scale: u8) -> Result<Decimal, AmountError> {
    let does_not_fit = AmountError::DoesNotFit { units, scale };
    let mut mantissa = units;
    let mut decimals = u32::from(scale);
    // Trailing zeros carry nothing; without them more amounts fit.
    while mantissa.is_multiple_of(10) && decimals > 28 {
        mantissa /= 10;
        decimals -= 1;
    }
    while mantissa >> 96 != 0 && mantissa.is_multiple_of(10) && decimals > 0 {
        mantissa /= 10;
        decimals -= 1;
    }
    let mantissa = i128::try_from(mantissa).map_err(|_| does_not_fit.clone())?;
    Decimal::try_from_i128_with_scale(mantissa, decimals).map_err(|_| does_not_fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_range_of_decimal_converts_or_says_why() {
        assert_eq!(to_units(Decimal::ZERO, 1, 38), Ok(0));
        assert_eq!(to_units(Decimal::new(0, 5), 1, 0), Ok(0));
        assert_eq!(to_units(Decimal::new(1_000, 3), 1, 0), Ok(1));
        assert_eq!(to_units(Decimal::ONE, 1, 38), Ok(10_u128.pow(38)));
        assert_eq!(
            to_units(Decimal::TEN, 1, 38),
            Err(AmountError::Overflow(Decimal::TEN.normalize()))
        );
        assert_eq!(to_units(Decimal::MAX, 1, 0), Ok((1 << 96) - 1));
        assert_eq!(
            to_units(Decimal::MAX, 1, 9),
            Ok(((1 << 96) - 1) * 10_u128.pow(9))
        );
        assert_eq!(
            to_units(Decimal::MAX, 1, 10),
            Err(AmountError::Overflow(Decimal::MAX))
        );
        assert!(matches!(
            to_units(Decimal::NEGATIVE_ONE, 1, 2),
            Err(AmountError::Negative(_))
        ));
        assert!(matches!(
            to_units(Decimal::new(1, 3), 1, 2),
            Err(AmountError::TooManyDecimals { .. })
        ));
    }

    #[test]
    fn an_integer_that_does_not_fit_is_an_error() {
        assert_eq!(to_decimal(0, 38), Ok(Decimal::ZERO));
        assert_eq!(
            to_decimal((1 << 96) - 1, 28).map(|value| value.mantissa()),
            Ok((1 << 96) - 1)
        );
        assert!(to_decimal(1 << 96, 28).is_err());
        assert!(to_decimal(u128::MAX, 0).is_err());
        assert!(to_decimal(1, 29).is_err());
        assert_eq!(to_decimal(10_u128.pow(38), 38), Ok(Decimal::ONE));
        assert_eq!(
            to_decimal(25 * 10_u128.pow(36), 37),
            Ok(Decimal::new(25, 1))
        );
    }

    #[test]
    fn what_goes_in_comes_out() {
        for scale in 0..=28_u8 {
            for units in [
                0,
                1,
                9,
                10,
                100,
                12_345,
                u128::from(u64::MAX),
                (1 << 96) - 1,
            ] {
                let value = to_decimal(units, scale).expect("it fits");
                assert_eq!(to_units(value, 1, scale), Ok(units), "{units} at {scale}");
            }
        }
    }
}
