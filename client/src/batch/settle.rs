//! Results of a call as they came.
use super::call::Delivered;
use super::submit::{SubmitAnswer, SubmitPart};
use crate::client::{Client, SettledItem};
use crate::error::Error;
use tokio::time::Instant;
pub(crate) async fn settle(
    _c: &Client,
    _p: &SubmitPart,
    d: Delivered<SubmitAnswer>,
    _i: Instant,
) -> Result<Vec<Vec<SettledItem>>, Error> {
    Ok(d.answer
        .results
        .into_iter()
        .map(|r| {
            r.into_iter()
                .map(|result| SettledItem {
                    result,
                    by_earlier_attempt: false,
                })
                .collect()
        })
        .collect())
}
