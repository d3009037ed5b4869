//! Questions in a history, and the pages that answered them.

use farthing_client::Sides;
use serde::{Deserialize, Serialize};

use super::accounts::AccountState;
use super::number::{Hex, Number, is_default};
use super::transfers::TransferRow;
use super::values::Consistency;

/// What a question is about.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// Transfers that match.
    #[default]
    Transfers,
    /// Accounts that match, with their balances.
    Accounts,
    /// The balances of the filter's account after each change.
    Statement,
    /// Sums of the settled transfers of the filter's account, by code and second.
    Sums,
}

/// Which rows; what is left out matches all.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Transfers of this account.
    #[serde(default, skip_serializing_if = "is_default")]
    pub account: Option<Hex>,
    /// It must be debited (`true`) or credited.
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_debited: Option<bool>,
    /// With this value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub user_data_128: Option<Hex>,
    /// With this value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub user_data_64: Option<u64>,
    /// With this value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub user_data_32: Option<u32>,
    /// With this value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub code: Option<u16>,
    /// ns, included.
    #[serde(default, skip_serializing_if = "is_default")]
    pub from: u64,
    /// ns, included; 0 = no end.
    #[serde(default, skip_serializing_if = "is_default")]
    pub to: u64,
}

impl Filter {
    /// The sides of the account that match.
    #[must_use]
    pub fn sides(&self) -> Sides {
        match self.is_debited {
            None => Sides::Both,
            Some(true) => Sides::Debits,
            Some(false) => Sides::Credits,
        }
    }
}

/// A question: one page of it.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// What it is about.
    pub about: About,
    /// Which rows.
    pub filter: Filter,
    /// Newest first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reversed: bool,
    /// Rows, at most.
    pub size: u32,
    /// ns; timestamp of the last row of the pages before: the page was asked for with their token. 0 = first page.
    #[serde(default, skip_serializing_if = "is_default")]
    pub after: u64,
    /// How fresh; linearizable when it is left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub consistency: Consistency,
}

/// A page.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Log index at which it is exact.
    pub applied_index: u64,
    /// It came with a token for another page.
    #[serde(default, skip_serializing_if = "is_default")]
    pub more: bool,
    /// The rows.
    pub rows: Rows,
}

/// Rows of a page.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// [`About::Transfers`].
    Transfers(Vec<TransferRow>),
    /// [`About::Accounts`].
    Accounts(Vec<AccountState>),
    /// [`About::Statement`]; `None`: there is no such account.
    Statement(Option<Statement>),
    /// [`About::Sums`].
    Sums(Vec<Sum>),
}

impl Rows {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Transfers(rows) => rows.len(),
            Self::Accounts(rows) => rows.len(),
            Self::Statement(statement) => statement.as_ref().map_or(0, |it| it.rows.len()),
            Self::Sums(rows) => rows.len(),
        }
    }

    /// None at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Debits pending and posted, credits pending and posted.
pub type Amounts = [Number; 4];

/// Part of an account's statement.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Before the oldest row.
    pub opening: Amounts,
    /// In the order that was asked for.
    pub rows: Vec<Change>,
}

/// One change of an account's balances.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Of the transfer that was carried out, or of the pending one that expired.
    pub id: Hex,
    /// It expired.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expired: bool,
    /// The balances afterwards.
    pub balances: Amounts,
}

/// Sums of one code in one second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// ns; where the second begins.
    pub start: u64,
    /// The transfers' code.
    pub code: u16,
    /// Transfers that debit the account, and their sum.
    pub debits: (u64, Number),
    /// Transfers that credit the account, and their sum.
    pub credits: (u64, Number),
}
