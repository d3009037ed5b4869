//! Concurrent calls travel together: the batcher.
//!
//! A call that finds nothing in flight leaves at once. While a few requests are in
//! flight, further calls gather; the next request takes all that may travel together.
//! There is no timer and no added delay.
//!
//! Only what cannot notice its company is merged. Chains, the imported mode and the
//! order of sections belong to one request, so a call with a linked or an imported item,
//! or with several sections, always travels alone. A plain item is judged by the ledger
//! item by item, one tick of the clock each, exactly as in a request of its own.
//!
//! [`call`] is one caller's side of it, [`batcher`] the task that gathers, [`attempt`]
//! sends and retries, [`submit`] and [`lookup`] are the two loads it carries, [`settle`]
//! gives `exists` after a retry its true name.

pub(crate) mod attempt;
pub(crate) mod batcher;
pub(crate) mod call;
pub(crate) mod lookup;
pub(crate) mod settle;
pub(crate) mod submit;

use std::time::Duration;

use crate::transport::lane::Exchange;
use crate::transport::node::OnConnection;

/// What a batcher carries.
pub(crate) trait Load: Send + Sync + 'static {
    /// What one caller wants.
    type Part: Send + Sync + 'static;
    /// What one caller gets.
    type Answer: Send + 'static;
    /// How it travels.
    type Exchange: OnConnection;

    /// Items and bytes of a part.
    fn size(part: &Self::Part) -> Size;

    /// Whether `next` may travel right behind `previous` in one request.
    fn joins(previous: &Self::Part, next: &Self::Part) -> bool;

    /// The request that carries these parts.
    fn request(parts: &[&Self::Part], remaining: Duration) -> RequestOf<Self>;

    /// Each part's own answer; words when the reply does not fit the request.
    fn answers(parts: &[&Self::Part], reply: ReplyOf<Self>) -> Result<Vec<Self::Answer>, String>;

    /// What a caller must keep when the outcome is not known; `None` when an unanswered
    /// call has no effect, as with reads.
    fn ids(part: &Self::Part) -> Option<Vec<u128>>;

    /// Whether it may be sent again while an earlier attempt may have been applied: an id
    /// or a version makes the second time harmless.
    fn is_repeatable(part: &Self::Part) -> bool;
}

pub(crate) type RequestOf<L> = <<L as Load>::Exchange as Exchange>::Request;
pub(crate) type ReplyOf<L> = <<L as Load>::Exchange as Exchange>::Reply;

/// How much a part takes of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

/// Whole milliseconds for the wire: at least one, since zero means "no deadline".
pub(crate) fn deadline_ms(remaining: Duration) -> u32 {
    u32::try_from(remaining.as_millis())
        .unwrap_or(u32::MAX)
        .max(1)
}
