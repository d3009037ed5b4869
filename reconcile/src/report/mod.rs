//! What came out: a summary that proves itself, and every entry of both sides with what became of it.
//!
//! Items are made when they are asked for, so a report of millions takes no more memory than the comparison did. Their
//! order is stable: by class (what needs a person first), then by the statement's order, then by the ledger's.

mod item;
mod money;
mod summary;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

pub use item::{DetailItem, Finding, Item, LedgerItem, Reason, StatementItem};
pub use money::{Money, SignedMoney};
pub use summary::{ClassSummary, Proof, RuleSummary, Summary, Tally};

use crate::matching::{Class, Work};

/// The outcome of a reconciliation.
#[derive(Debug)]
pub struct Report<'a> {
    work: Work<'a>,
    summary: Summary,
}

/// One line of a report as JSON lines: the summary, and then items.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line<'a> {
    /// The first line.
    Summary(&'a Summary),
    /// Any other.
    Item(Item<'a>),
}

impl<'a> Report<'a> {
    pub(crate) fn new(work: Work<'a>, not_searched: u64) -> Self {
        let summary = Summary::of(&work, not_searched);
        Self { work, summary }
    }

    /// Counts and sums.
    #[must_use]
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Whether statement and account agree entirely: everything is matched but what the statement does not cover, and the
    /// statement agrees with itself.
    #[must_use]
    pub const fn agrees(&self) -> bool {
        self.summary.agrees
    }

    /// The items of these classes, in the report's order.
    pub fn items<'r>(
        &'r self,
        classes: &'r [Class],
    ) -> impl Iterator<Item = Item<'a>> + use<'r, 'a> {
        self.work
            .groups
            .iter()
            .filter(|group| classes.contains(&group.verdict.class()))
            .map(|group| Item::of(&self.work, &group))
    }

    /// The summary and the items of these classes, for JSON lines.
    pub fn lines<'r>(
        &'r self,
        classes: &'r [Class],
    ) -> impl Iterator<Item = Line<'r>> + use<'r, 'a> {
        let items = self.items(classes).map(Line::Item);
        std::iter::once(Line::Summary(&self.summary)).chain(items)
    }

    /// The same as one JSON document, `{"summary": {...}, "items": [...]}`, written without holding the items.
    #[must_use]
    pub fn document<'r>(&'r self, classes: &'r [Class]) -> impl Serialize + use<'r, 'a> {
        Document {
            summary: &self.summary,
            items: Items {
                report: self,
                classes,
            },
        }
    }
}

#[derive(Serialize)]
struct Document<'r, 'a> {
    summary: &'r Summary,
    items: Items<'r, 'a>,
}

struct Items<'r, 'a> {
    report: &'r Report<'a>,
    classes: &'r [Class],
}

impl Serialize for Items<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        for item in self.report.items(self.classes) {
            sequence.serialize_element(&item)?;
        }
        sequence.end()
    }
}
