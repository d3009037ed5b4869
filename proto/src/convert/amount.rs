//! Amounts as decimal text in a ledger's unit, by the ledger's own integer code.

use farthing_ledger::amount::{self, AmountError};

/// Reads an amount; more decimals than the scale are refused, never rounded.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_amount(text: &str, scale: u8) -> Result<u128, AmountError> {
    amount::parse(text, scale)
}

/// Reads a balance; empty text is zero.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_balance(text: &str, scale: u8) -> Result<u128, AmountError> {
    if text.is_empty() {
        Ok(0)
    } else {
        amount::parse(text, scale)
    }
}

/// The decimal text of an amount. A scale above 38 exists in no ledger; its text would
/// have an exponent, which says the same number and which no reader here accepts.
#[must_use]
pub fn format_amount(amount: u128, scale: u8) -> String {
    amount::format(amount, scale).unwrap_or_else(|_| format!("{amount}e-{scale}"))
}
