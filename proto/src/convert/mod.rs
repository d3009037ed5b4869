//! The typed form to and from the ledger's types, one file for each message.
//!
//! Two rules hold everywhere. What cannot be read is refused with the path of its
//! field and never guessed; what can be read but breaks a rule of the ledger is
//! passed on, so that the ledger answers with its own status. And amounts are exact:
//! decimal text is converted by the ledger's integer code, with the scale of the
//! ledger the caller supplies as `scale_of`.
//!
//! `scale_of` gives the scale of a ledger number, `None` when nothing is registered or
//! in use under it; its scale is 0 then, as it will be for the first account on it.

pub mod account;
pub mod amount;
pub mod consistency;
pub mod event;
pub mod id;
pub mod ledger;
pub mod query;
pub mod record;
pub mod status;
pub mod transfer;

use crate::error::FieldError;

/// Collects refused fields below a path such as `transfers[3]`.
#[derive(Debug, Default)]
pub(crate) struct Violations {
    path: String,
    list: Vec<FieldError>,
}

/// A request with thousands of wrong fields is answered with the first of them.
const VIOLATIONS_MAX: usize = 32;

impl Violations {
    pub(crate) fn enter(&mut self, list: &str, number: usize) {
        self.path = format!("{list}[{number}]");
    }

    /// Fields of one message, such as `filter`.
    pub(crate) fn within(&mut self, field: &str) {
        self.path = field.to_owned();
    }

    pub(crate) fn add(&mut self, field: &str, description: impl Into<String>) {
        if self.list.len() < VIOLATIONS_MAX {
            self.list.push(FieldError::new(
                format!("{}.{field}", self.path),
                description,
            ));
        }
    }

    /// The value, or its default after noting why there is none.
    pub(crate) fn take<T: Default, E: std::fmt::Display>(
        &mut self,
        field: &str,
        value: Result<T, E>,
    ) -> T {
        value.unwrap_or_else(|error| {
            self.add(field, error.to_string());
            T::default()
        })
    }

    pub(crate) fn finish<T>(self, items: T) -> Result<T, Vec<FieldError>> {
        if self.list.is_empty() {
            Ok(items)
        } else {
            Err(self.list)
        }
    }
}

/// Flags as bits: each name of the list sets one.
pub(crate) fn flags<F>(list: &[i32], bit: impl Fn(F) -> Option<u16>) -> Result<u16, String>
where
    F: TryFrom<i32>,
{
    let mut bits = 0;
    for number in list {
        let known = F::try_from(*number).ok().and_then(&bit);
        bits |= known.ok_or_else(|| format!("flag {number} is not known"))?;
    }
    Ok(bits)
}

/// Bits as flags, lowest first, for bits `0..count` where flag number = bit + 1. Bits
/// this version has no name for keep their number, so that nothing is hidden.
pub(crate) fn flag_list(bits: u16) -> Vec<i32> {
    (0..16_i32)
        .filter(|bit| bits & (1 << bit) != 0)
        .map(|bit| bit + 1)
        .collect()
}
