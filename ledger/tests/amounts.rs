//! Decimal text to and from amounts.
#![allow(clippy::unwrap_used)]

use farthing_ledger::amount::{AmountError, TEXT_BYTES_MAX, format, parse};
use proptest::prelude::*;

proptest! {
    #[test]
    fn what_is_written_is_read_back(amount: u128, shift in 0_u32..128, scale in 0_u8..=38) {
        let amount = amount >> shift;
        let text = format(amount, scale).unwrap();
        prop_assert!(text.len() <= TEXT_BYTES_MAX);
        prop_assert_eq!(parse(&text, scale), Ok(amount));
    }

    /// Against text arithmetic: the digits of the amount with a point put in, needless zeros cut.
    #[test]
    fn formatting_is_the_digits_with_a_point(amount: u128, shift in 0_u32..128, scale in 0_usize..=38) {
        let digits = std::format!("{:0>width$}", amount >> shift, width = scale + 1);
        let (whole, decimals) = digits.split_at(digits.len() - scale);
        let expected = std::format!("{whole}.{decimals}");
        let expected = expected.trim_end_matches('0').trim_end_matches('.');
        prop_assert_eq!(format(amount >> shift, u8::try_from(scale).unwrap()).unwrap(), expected.to_owned() + if expected.is_empty() { "0" } else { "" });
    }

    #[test]
    fn padding_changes_nothing_and_one_decimal_more_is_refused(whole: u64, scale in 0_usize..=18) {
        let zeros = "0".repeat(scale);
        let padded = if scale == 0 { whole.to_string() } else { std::format!("{whole}.{zeros}") };
        let scale = u8::try_from(scale).unwrap();
        prop_assert_eq!(parse(&padded, scale), parse(&whole.to_string(), scale));
        let longer = std::format!("{whole}.{zeros}0");
        prop_assert_eq!(parse(&longer, scale), Err(AmountError::TooManyDecimals));
    }

    #[test]
    fn no_text_panics(text in ".{0,50}", scale: u8) {
        if let Ok(amount) = parse(&text, scale) {
            prop_assert_eq!(parse(&format(amount, scale).unwrap(), scale), Ok(amount));
        }
    }
}

#[test]
fn the_whole_range_is_exact() {
    let max = "340282366920938463463374607431768211455";
    assert_eq!(parse(max, 0), Ok(u128::MAX));
    assert_eq!(
        parse("340282366920938463463374607431768211456", 0),
        Err(AmountError::Overflow)
    );
    assert_eq!(
        parse("3.40282366920938463463374607431768211455", 38),
        Ok(u128::MAX)
    );
    assert_eq!(
        parse("3.40282366920938463463374607431768211456", 38),
        Err(AmountError::Overflow)
    );
    assert_eq!(
        parse("34028236692093846346337460743176821145.6", 1),
        Err(AmountError::Overflow)
    );
    assert_eq!(
        format(u128::MAX, 38).unwrap(),
        "3.40282366920938463463374607431768211455"
    );
    assert_eq!(format(u128::MAX, 0).unwrap(), max);
    assert_eq!(
        format(1, 38).unwrap(),
        "0.00000000000000000000000000000000000001"
    );
    assert_eq!(format(0, 38).unwrap(), "0");
    assert_eq!(parse("0.0025", 6), Ok(2_500));
    assert_eq!(format(2_500, 6).unwrap(), "0.0025");
    assert_eq!(format(25_000_000, 6).unwrap(), "25");
    assert_eq!(parse("007.50", 2), Ok(750));
}

#[test]
fn every_refusal_has_its_reason() {
    for (text, scale, expected) in [
        ("", 2, AmountError::Empty),
        ("-1", 2, AmountError::Signed),
        ("+1", 2, AmountError::Signed),
        ("-0", 2, AmountError::Signed),
        ("1e3", 2, AmountError::Exponent),
        ("1.5E-3", 2, AmountError::Exponent),
        ("NaN", 2, AmountError::NotFinite),
        ("inf", 2, AmountError::NotFinite),
        ("Infinity", 2, AmountError::NotFinite),
        ("1.", 2, AmountError::Malformed),
        (".5", 2, AmountError::Malformed),
        (".", 2, AmountError::Malformed),
        ("1.2.3", 2, AmountError::Malformed),
        ("1,000", 2, AmountError::Malformed),
        ("1_000", 2, AmountError::Malformed),
        (" 1", 2, AmountError::Malformed),
        ("1 ", 2, AmountError::Malformed),
        ("0x10", 2, AmountError::Malformed),
        ("\u{663}", 2, AmountError::Malformed),
        ("1.001", 2, AmountError::TooManyDecimals),
        ("1.000", 2, AmountError::TooManyDecimals),
        ("1.0", 0, AmountError::TooManyDecimals),
        ("1", 39, AmountError::ScaleOutOfRange),
    ] {
        assert_eq!(parse(text, scale), Err(expected), "{text:?}");
    }
    assert_eq!(format(1, 39), Err(AmountError::ScaleOutOfRange));
}
