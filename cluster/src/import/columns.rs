//! Which column of a file means what.

use csv::ByteRecord;

use crate::failure::{Code, Failure};

/// Names of the columns that are read; the others are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// What tells one payment from another: the transfer's id is derived from it.
    pub id: String,
    /// When it happened; kept in `user_data_64`, in ns since 1970.
    pub time: String,
    /// Who pays: the debit account's id is derived from it.
    pub debit: String,
    /// Who is paid: the credit account's id is derived from it.
    pub credit: String,
    /// Decimal text in the ledger's unit.
    pub amount: String,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            id: "payment_id".into(),
            time: "time".into(),
            debit: "customer_id".into(),
            credit: "terminal_id".into(),
            amount: "amount".into(),
        }
    }
}

/// Where the columns stand in the file at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) id: usize,
    pub(super) time: usize,
    pub(super) debit: usize,
    pub(super) credit: usize,
    pub(super) amount: usize,
    /// Columns of the header; a row with another number of them is bad.
    pub(super) width: usize,
}

impl Columns {
    /// Finds the columns in a header line.
    ///
    /// # Errors
    /// [`Code::BadInput`] naming the columns that are missing, the one that stands twice, and what is there.
    pub(super) fn places(&self, header: &ByteRecord) -> Result<Places, Failure> {
        let names: Vec<String> = header
            .iter()
            .map(|name| {
                let name = String::from_utf8_lossy(name);
                // A byte-order mark at the start of the file is not part of the first name.
                name.trim_start_matches('\u{feff}').trim().to_owned()
            })
            .collect();
        let mut missing = Vec::new();
        let mut place = |wanted: &str, flag: &str| {
            let mut found = names.iter().enumerate().filter(|(_, name)| *name == wanted);
            match (found.next(), found.next()) {
                (Some((at, _)), None) => at,
                (None, _) => {
                    missing.push(format!("`{wanted}` is missing (name it with {flag})"));
                    0
                }
                (Some(_), Some(_)) => {
                    missing.push(format!("`{wanted}` stands twice"));
                    0
                }
            }
        };
        let places = Places {
            id: place(&self.id, "--id-column"),
            time: place(&self.time, "--time-column"),
            debit: place(&self.debit, "--debit-column"),
            credit: place(&self.credit, "--credit-column"),
            amount: place(&self.amount, "--amount-column"),
            width: names.len(),
        };
        if missing.is_empty() {
            return Ok(places);
        }
        Err(Failure::new(
            Code::BadInput,
            format!("the header line does not fit: {}", missing.join(", ")),
        )
        .because(format!("the columns of the file are: {}", names.join(", "))))
    }

    /// The kind of account a column names: its name without `_id`, so `customer_id` holds customers.
    #[must_use]
    pub fn kind_of(column: &str) -> &str {
        column
            .strip_suffix("_id")
            .filter(|kind| !kind.is_empty())
            .unwrap_or(column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_strange_columns_do_not_matter() {
        let header = ByteRecord::from(vec![
            "\u{feff}amount",
            "fraud",
            " terminal_id",
            "payment_id",
            "time",
            "customer_id",
        ]);
        let places = Columns::default().places(&header).unwrap();
        assert_eq!(
            (
                places.id,
                places.time,
                places.debit,
                places.credit,
                places.amount,
                places.width
            ),
            (3, 4, 5, 2, 0, 6)
        );
    }

    #[test]
    fn what_is_missing_is_named_with_its_flag() {
        let header = ByteRecord::from(vec![
            "payment_id",
            "time",
            "time",
            "payer",
            "terminal_id",
            "amount",
        ]);
        let failure = Columns::default().places(&header).unwrap_err();
        assert_eq!(failure.code, Code::BadInput);
        assert!(
            failure
                .what
                .contains("`customer_id` is missing (name it with --debit-column)")
        );
        assert!(failure.what.contains("`time` stands twice"));
        assert!(failure.reason.unwrap().contains("payer"));
    }

    #[test]
    fn kinds_are_named_after_columns() {
        assert_eq!(Columns::kind_of("customer_id"), "customer");
        assert_eq!(Columns::kind_of("payer"), "payer");
        assert_eq!(Columns::kind_of("_id"), "_id");
    }
}
