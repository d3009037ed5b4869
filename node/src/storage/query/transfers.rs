//! Which transfers match.

use std::ops::ControlFlow;

use farthing_ledger::{TransferFilter, TransferRow};

use super::filter;
use super::scan::Scan;
use super::walk::{Step, Walk};
use super::{Effort, Mark, Page, Paging, Span, before};
use crate::storage::error::Error;
use crate::storage::reader::{Change, Reader};
use crate::storage::rows::postings::Posting;

/// Places that are gathered before their rows are read together.
const TOGETHER: usize = 256;
/// Jumps between looks at the clock.
const JUMPS: u64 = 1024;

impl Reader {
    /// The transfers that match a filter, a page of them.
    ///
    /// # Errors
    /// As [`Reader::account`].
    pub fn query_transfers(
        &self,
        filter: &TransferFilter,
        paging: &Paging,
    ) -> Result<Page<TransferRow>, Error> {
        let span = self.transfer_span(filter.timestamp_min, filter.timestamp_max)?;
        let span = span.behind(paging);
        if span.is_empty() {
            return Ok(Page::empty());
        }
        let keys = filter::of_transfers(filter);
        if keys.is_empty() {
            return self.scan_transfers(filter, paging, span);
        }
        let walk = Walk::open(self, &keys, paging.order, span)?;
        self.walk_changes(walk, paging, |change| {
            ControlFlow::Continue(match change {
                Change::Transfer(row) if filter.matches(&row.transfer) => Some(row),
                _ => None,
            })
        })
    }

    /// A page of what `keep` makes of the changes on a walk; it ends before a change at which `keep` breaks off.
    pub(super) fn walk_changes<T>(
        &self,
        mut walk: Walk<'_>,
        paging: &Paging,
        mut keep: impl FnMut(Change) -> ControlFlow<(), Option<T>>,
    ) -> Result<Page<T>, Error> {
        let mut effort = Effort::new(paging);
        let mut rows = vec![];
        loop {
            let mut places: Vec<Posting> = vec![];
            let together = TOGETHER.min(paging.limit - rows.len());
            let jumps = walk.jumps;
            let mut at_end = false;
            while places.len() < together && walk.jumps - jumps < JUMPS {
                match walk.next(JUMPS)? {
                    Step::Found(posting) => places.push(posting),
                    Step::Weary => break,
                    Step::End => {
                        at_end = true;
                        break;
                    }
                }
            }
            for change in self.changes_at(&places)? {
                let sequence = change.sequence();
                match keep(change) {
                    ControlFlow::Continue(row) => rows.extend(row),
                    ControlFlow::Break(()) => {
                        let next = Some(Mark::at(before(paging.order, sequence)));
                        return Ok(Page { rows, next });
                    }
                }
            }
            if at_end {
                return Ok(Page { rows, next: None });
            }
            if effort.spent(walk.jumps - jumps) || rows.len() >= paging.limit {
                let next = walk.passed().map(Mark::at);
                return Ok(Page { rows, next });
            }
        }
    }

    fn scan_transfers(
        &self,
        filter: &TransferFilter,
        paging: &Paging,
        span: Span,
    ) -> Result<Page<TransferRow>, Error> {
        let mut effort = Effort::new(paging);
        let mut scan = Scan::open(self, paging.order, span)?;
        let mut rows = vec![];
        while let Some(block) = scan.next_rows()? {
            let count = block.len() as u64;
            for row in block {
                let sequence = row.sequence;
                if filter.matches(&row.transfer) {
                    rows.push(row);
                    if rows.len() >= paging.limit {
                        let next = (!span.past(paging.order, sequence).is_empty())
                            .then_some(Mark::at(sequence));
                        return Ok(Page { rows, next });
                    }
                }
            }
            if effort.spent(count) {
                let next = scan.passed().map(Mark::at);
                return Ok(Page { rows, next });
            }
        }
        Ok(Page { rows, next: None })
    }
}
