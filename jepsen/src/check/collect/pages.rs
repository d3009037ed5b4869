//! What questions were answered.

use super::Collector;
use crate::check::trace::Asked;
use crate::history::{About, Lookup, Query, Rows, Value};

impl Collector {
    pub(super) fn end_query(
        &mut self,
        query: Query,
        (invoke_event, complete_event): (u32, u32),
        (invoke_ns, complete_ns): (u64, u64),
        value: Value,
    ) {
        let Value::Page(page) = value else {
            return self.not_its_answer(complete_event);
        };
        match (&page.rows, query.about) {
            (Rows::Transfers(rows), About::Transfers) => {
                for row in rows {
                    let found = Lookup::Found(row.0);
                    self.transfer_row(row.0.id.0, &found, complete_event);
                }
            }
            (Rows::Accounts(rows), About::Accounts) => {
                for row in rows {
                    self.saw_account(row.0.id.0, row.0.timestamp, complete_event);
                }
            }
            (Rows::Statement(_), About::Statement) | (Rows::Sums(_), About::Sums) => {}
            _ => return self.not_its_answer(complete_event),
        }
        self.trace.reads.row_count += page.rows.len() as u64;
        self.trace.asked.push(Asked {
            query,
            page: *page,
            invoke_ns,
            complete_ns,
            invoke_event,
            complete_event,
        });
    }
}
