//! Texts of elements to values, or to errors that name the element.

use super::document::Document;
use super::names::Name;
use crate::amount::{NumberFormat, parse_signed};
use crate::direction::Direction;
use crate::error::{Problem, StatementError, short};
use crate::time::{self, Span, TimeFormat};

/// An amount with its currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Amount {
    pub(super) value: u128,
    pub(super) currency: String,
}

impl Document<'_> {
    /// An amount in the ledger's smallest unit; in the currency of its `Ccy`. Amounts of entries in another currency that
    /// are to be left out are not read: they may have more decimals.
    pub(super) fn amount(
        &mut self,
        path: &[Name],
        text: &str,
        line: u64,
    ) -> Result<Amount, StatementError> {
        let currency = self
            .currency
            .take()
            .ok_or_else(|| self.wrong(path, line, Problem::Missing))?;
        let other = self
            .reading
            .currency
            .as_deref()
            .is_some_and(|own| !own.eq_ignore_ascii_case(&currency));
        if other && self.reading.skip_other_currencies {
            return Ok(Amount { value: 0, currency });
        }
        let value = self.value(path, text, line)?;
        Ok(Amount { value, currency })
    }

    pub(super) fn value(
        &self,
        path: &[Name],
        text: &str,
        line: u64,
    ) -> Result<u128, StatementError> {
        let scale = self.reading.scale;
        let (negative, value) =
            parse_signed(text, NumberFormat::POINT, scale).map_err(|error| {
                let text = short(text);
                self.wrong(path, line, Problem::Amount { text, scale, error })
            })?;
        if negative {
            let text = short(text);
            return Err(self.wrong(path, line, Problem::Sign { text }));
        }
        Ok(value)
    }

    pub(super) fn direction(
        &self,
        path: &[Name],
        text: &str,
        line: u64,
    ) -> Result<Direction, StatementError> {
        match text {
            "DBIT" => Ok(Direction::Debit),
            "CRDT" => Ok(Direction::Credit),
            _ => Err(self.not_one_of(path, text, line, "CRDT, DBIT")),
        }
    }

    pub(super) fn not_one_of(
        &self,
        path: &[Name],
        text: &str,
        line: u64,
        expected: &'static str,
    ) -> StatementError {
        let text = short(text);
        self.wrong(path, line, Problem::NotOneOf { text, expected })
    }

    pub(super) fn span(
        &self,
        path: &[Name],
        text: &str,
        line: u64,
    ) -> Result<Span, StatementError> {
        let offset = self.reading.utc_offset_s;
        let (span, expected) = match path.last() {
            Some(Name::Dt) => (time::iso_date(text, offset), "a date, such as 2026-01-31"),
            _ => (
                time::parse(text, TimeFormat::Iso, offset),
                TimeFormat::Iso.example(),
            ),
        };
        span.ok_or_else(|| {
            let text = short(text);
            self.wrong(path, line, Problem::Time { text, expected })
        })
    }

    pub(super) fn count(
        &self,
        path: &[Name],
        text: &str,
        line: u64,
    ) -> Result<u64, StatementError> {
        text.parse()
            .map_err(|_| self.not_one_of(path, text, line, "counts of 0 to 15 digits"))
    }
}

/// Names of an entry or a transaction. Mandates and cheque forms are left out: they are shared by unrelated payments, or
/// too short to tell anything.
pub(super) const fn is_reference(name: Name) -> bool {
    use Name::{
        AcctOwnrTxId, AcctSvcrRef, AcctSvcrTxId, ClrSysRef, EndToEndId, InstrId, MktInfrstrctrTxId,
        MsgId, PmtInfId, PrcgId, TxId, UETR,
    };
    matches!(
        name,
        MsgId
            | AcctSvcrRef
            | PmtInfId
            | InstrId
            | EndToEndId
            | UETR
            | TxId
            | ClrSysRef
            | AcctOwnrTxId
            | AcctSvcrTxId
            | MktInfrstrctrTxId
            | PrcgId
    )
}

/// Whether a bank's reference merely counts the entries of the statement, from 1 or from 0. As a number it would be the same
/// as that of many things.
pub(super) fn is_count(text: &str, entry_count: u64) -> bool {
    text.parse().is_ok_and(|number: u64| {
        number == entry_count || number.checked_add(1) == Some(entry_count)
    })
}
