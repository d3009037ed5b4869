//! What a statement says of itself: whose it is, its balances and its sums; and whether its entries agree.
//!
//! A file that was cut, edited or read wrongly shows here, before anything is compared with a ledger.

use crate::amount::{Net, text};
use crate::direction::Direction;
use crate::error::Place;
use crate::time::Span;

/// A balance, in the ledger's smallest unit. From the account holder's point of view a credit is money it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Balance {
    /// The side on which it stands.
    pub direction: Direction,
    /// How much.
    pub amount: u128,
}

/// One statement of a file.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Section {
    /// What the bank calls it.
    pub id: String,
    /// The account: its IBAN, or what else it is called.
    pub account: String,
    /// Where it begins.
    pub place: Place,
    /// The time that it covers, if it says so: `FrToDt`, or the dates of its balances.
    pub period: Option<Span>,
    /// Balance before the first entry.
    pub opening: Option<Balance>,
    /// Balance behind the last entry.
    pub closing: Option<Balance>,
    /// What it says of itself; see [`CheckKind`].
    pub stated: Stated,
    /// Its booked entries: count, debits, credits.
    pub booked: SectionSums,
    /// All of its entries, whatever their status.
    pub all: SectionSums,
}

/// Counts and sums that a statement gives for its entries.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Stated {
    /// How many entries.
    pub count: Option<u64>,
    /// How many debits.
    pub debit_count: Option<u64>,
    /// How many credits.
    pub credit_count: Option<u64>,
    /// Their sum.
    pub debits: Option<u128>,
    /// Their sum.
    pub credits: Option<u128>,
}

/// Counts and sums of entries.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SectionSums {
    /// How many debits.
    pub debit_count: u64,
    /// How many credits.
    pub credit_count: u64,
    /// Their sum.
    pub debits: u128,
    /// Their sum.
    pub credits: u128,
}

impl SectionSums {
    /// `None` when a sum is above 2^128 - 1.
    pub(crate) fn add(&mut self, direction: Direction, amount: u128) -> Option<()> {
        let (count, sum) = match direction {
            Direction::Debit => (&mut self.debit_count, &mut self.debits),
            Direction::Credit => (&mut self.credit_count, &mut self.credits),
        };
        *sum = sum.checked_add(amount)?;
        *count += 1;
        Some(())
    }
}

/// Something a statement says of itself, compared with its entries.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Check {
    /// What is compared.
    pub kind: CheckKind,
    /// The statement's own id.
    pub statement: String,
    /// Line where that statement begins.
    pub line: u64,
    /// What it says: decimal text, or a count.
    pub stated: String,
    /// What its entries come to.
    pub found: String,
    /// Whether they are the same.
    pub passed: bool,
}

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// The opening balance and the booked entries come to the closing balance.
    ClosingBalance,
    /// The opening balance is the closing balance of the statement of the same account before it in the file.
    OpeningBalance,
    /// As many entries as stated.
    EntryCount,
    /// As many debits as stated.
    DebitCount,
    /// As many credits as stated.
    CreditCount,
    /// The debits come to what is stated.
    DebitSum,
    /// The credits come to what is stated.
    CreditSum,
}

/// All checks that a file allows.
pub(super) fn checks(sections: &[Section], scale: u8) -> Vec<Check> {
    let mut checks = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        section.check(&mut checks, scale);
        let before = sections[..index]
            .iter()
            .rfind(|before| same_account(&before.account, &section.account))
            .and_then(|before| before.closing);
        if let (Some(opening), Some(before)) = (section.opening, before) {
            let found = before.text(scale);
            checks.push(section.compare(CheckKind::OpeningBalance, opening.text(scale), found));
        }
    }
    checks
}

impl Balance {
    fn text(self, scale: u8) -> String {
        let debits = match self.direction {
            Direction::Debit => self.amount,
            Direction::Credit => 0,
        };
        Net::new(debits, self.amount - debits).text(scale)
    }

    /// This balance and more debits and credits; `None` beyond 2^128 - 1.
    fn and(self, sums: &SectionSums) -> Option<Self> {
        let (mut debits, mut credits) = (sums.debits, sums.credits);
        let side = match self.direction {
            Direction::Debit => &mut debits,
            Direction::Credit => &mut credits,
        };
        *side = side.checked_add(self.amount)?;
        let net = Net::new(debits, credits);
        Some(Self {
            direction: net.direction,
            amount: net.amount,
        })
    }
}

impl Section {
    fn check(&self, checks: &mut Vec<Check>, scale: u8) {
        if let (Some(opening), Some(closing)) = (self.opening, self.closing) {
            let found = match opening.and(&self.booked) {
                Some(found) => found.text(scale),
                None => "more than 2^128 - 1".to_owned(),
            };
            checks.push(self.compare(CheckKind::ClosingBalance, closing.text(scale), found));
        }
        let stated = &self.stated;
        let all = &self.all;
        let counts = [
            (
                CheckKind::EntryCount,
                stated.count,
                all.debit_count + all.credit_count,
            ),
            (CheckKind::DebitCount, stated.debit_count, all.debit_count),
            (
                CheckKind::CreditCount,
                stated.credit_count,
                all.credit_count,
            ),
        ];
        for (kind, stated, found) in counts {
            if let Some(stated) = stated {
                checks.push(self.compare(kind, stated.to_string(), found.to_string()));
            }
        }
        let sums = [
            (CheckKind::DebitSum, stated.debits, all.debits),
            (CheckKind::CreditSum, stated.credits, all.credits),
        ];
        for (kind, stated, found) in sums {
            if let Some(stated) = stated {
                checks.push(self.compare(kind, text(stated, scale), text(found, scale)));
            }
        }
    }

    fn compare(&self, kind: CheckKind, stated: String, found: String) -> Check {
        Check {
            kind,
            statement: self.id.clone(),
            line: self.place.line,
            passed: stated == found,
            stated,
            found,
        }
    }
}

/// Whether two texts name the same account: IBANs are written in groups or not.
pub(crate) fn same_account(left: &str, right: &str) -> bool {
    let plain = |text: &str| {
        text.chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>()
            .to_uppercase()
    };
    plain(left) == plain(right)
}
