//! Several lists walked together: what is in all of them.

use farthing_ledger::Order;

use super::list::List;
use super::{Span, before};
use crate::storage::error::Error;
use crate::storage::reader::Reader;
use crate::storage::rows::postings::Posting;
use crate::storage::window::ListKey;

/// See the module.
pub(super) struct Walk<'a> {
    lists: Vec<List<'a>>,
    order: Order,
    /// What is still to be walked.
    span: Span,
    /// Jumps so far.
    pub(super) jumps: u64,
}

impl<'a> Walk<'a> {
    /// A walk over `keys`, at least one.
    pub(super) fn open(
        reader: &'a Reader,
        keys: &[ListKey],
        order: Order,
        span: Span,
    ) -> Result<Self, Error> {
        let lists = keys.iter().map(|&key| List::open(reader, key));
        Ok(Self {
            lists: lists.collect::<Result<_, _>>()?,
            order,
            span,
            jumps: 0,
        })
    }

    /// The next change that is in every list; `None` at the end. Gives up after `jumps_max` jumps, with the place up to
    /// which nothing was.
    pub(super) fn next(&mut self, jumps_max: u64) -> Result<Step, Error> {
        let end = self.jumps.saturating_add(jumps_max);
        'search: while !self.span.is_empty() {
            let from = self.span.begin(self.order);
            let mut common = None;
            for list in &mut self.lists {
                self.jumps += 1;
                let found =
                    list.seek(self.order, common.map_or(from, |it: Posting| it.sequence))?;
                let Some(found) = found.filter(|it| self.span.holds(it.sequence)) else {
                    self.span = Span { low: 1, high: 0 };
                    return Ok(Step::End);
                };
                if common.is_some_and(|common: Posting| common.sequence != found.sequence) {
                    // Everything before it is not in this list.
                    self.span = self.span.from(self.order, found.sequence);
                    if self.jumps >= end {
                        return Ok(Step::Weary);
                    }
                    continue 'search;
                }
                common = Some(found);
            }
            let Some(common) = common else {
                return Ok(Step::End);
            };
            self.span = self.span.past(self.order, common.sequence);
            return Ok(Step::Found(common));
        }
        Ok(Step::End)
    }

    /// The last sequence that was passed, when there is more to walk.
    pub(super) fn passed(&self) -> Option<u64> {
        let begin = self.span.begin(self.order);
        (!self.span.is_empty()).then(|| before(self.order, begin))
    }
}

/// What a step of a walk came to.
pub(super) enum Step {
    /// A change that is in every list.
    Found(Posting),
    /// Nothing yet after many jumps.
    Weary,
    /// There is nothing more.
    End,
}
