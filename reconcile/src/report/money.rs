//! Amounts in reports: integers that are written as decimal text, exactly.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::amount;

/// An amount in units of 10^-`scale`. Serialised as decimal text with all decimals, since JSON's numbers are not exact.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Money {
    /// In the smallest unit.
    pub units: u128,
    /// Decimals.
    pub scale: u8,
}

/// The same with a sign.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SignedMoney {
    /// Below zero. Never set for zero.
    pub negative: bool,
    /// How far from zero.
    pub money: Money,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&amount::text(self.units, self.scale))
    }
}

impl fmt::Display for SignedMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        f.pad(&format!("{sign}{}", self.money))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for SignedMoney {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
