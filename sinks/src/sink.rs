//! What a sink is.

use std::future::Future;

use crate::delivery::Delivery;
use crate::error::Error;

/// A place that keeps events.
pub trait Sink: Send {
    /// Its kind, as in `farthing sink run KIND`.
    fn kind(&self) -> &'static str;

    /// The last sequence that is durably there with everything before it; 0 = none. Asked at the start and after every
    /// transient failure, so it must be what is there and not what this process believes to have sent.
    ///
    /// # Errors
    /// [`Error::Permanent`] when the place is not one for this sink: somebody else's, damaged, or unfit to keep events.
    fn resume(&mut self) -> impl Future<Output = Result<u64, Error>> + Send;

    /// Delivers a batch, which is never empty and whose first event follows the last one that was delivered. When it
    /// answers with success all of it is durably there. After an error some of the first events may be, and never one without
    /// those before it.
    ///
    /// # Errors
    /// All of [`Error`].
    fn deliver(&mut self, batch: &[Delivery]) -> impl Future<Output = Result<(), Error>> + Send;

    /// Events that were put aside since the start, because the other side does not take them: they count as delivered.
    fn dead_letters(&self) -> u64 {
        0
    }

    /// Called at least once a second while there is nothing to deliver.
    ///
    /// # Errors
    /// As [`Sink::deliver`].
    fn idle(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }

    /// Called once, when the runner ends as asked: the last chance to save how far it is.
    ///
    /// # Errors
    /// As [`Sink::deliver`].
    fn finish(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }
}
