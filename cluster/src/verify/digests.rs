//! Digests of all nodes at one index, and whether they are equal.

use std::time::{Duration, Instant};

use farthing_client::{Client, Digest};
use tokio::time::sleep;

use super::{Member, each};
use crate::failure::{Code, Failure};
use crate::output;

/// Nodes keep the digest of every index that is a multiple of this, for a while.
const DIGEST_PERIOD: u64 = 1_024;
/// Time between two attempts to catch the nodes at equal indexes.
const LOOK_PERIOD: Duration = Duration::from_millis(100);

/// Digests of all nodes at one index.
///
/// # Errors
/// [`Code::NotReachable`] when a node does not answer, or they are not caught at equal indexes within `wait`.
pub(super) async fn equal_index_digests(
    client: &Client,
    members: &[Member],
    wait: Duration,
) -> Result<(u64, Vec<u128>), Failure> {
    let begun = Instant::now();
    loop {
        let now = each(members, async |address| client.digest(address, 0).await).await?;
        if let Some(equal) = at_equal_index(&now) {
            return Ok(equal);
        }
        // The nodes move on while they are asked; all of them have passed this index, and keep its digest.
        let passed = now.iter().map(|digest| digest.index).min().unwrap_or(0) / DIGEST_PERIOD
            * DIGEST_PERIOD;
        if passed > 0 {
            let then = each(members, async |address| {
                client.digest(address, passed).await
            })
            .await;
            if let Some(equal) = then.ok().as_deref().and_then(at_equal_index) {
                return Ok(equal);
            }
        }
        if begun.elapsed() >= wait {
            let indexes: Vec<u64> = now.iter().map(|digest| digest.index).collect();
            return Err(Failure::new(
                Code::NotReachable,
                format!(
                    "the nodes were not caught at equal indexes in {}",
                    output::duration(wait)
                ),
            )
            .because(format!(
                "a node is far behind: they applied up to {indexes:?}"
            ))
            .advise("verify again when it has caught up, or allow more time with --wait"));
        }
        sleep(LOOK_PERIOD).await;
    }
}

fn at_equal_index(digests: &[Digest]) -> Option<(u64, Vec<u128>)> {
    let index = digests.first()?.index;
    digests
        .iter()
        .all(|digest| digest.index == index)
        .then(|| (index, digests.iter().map(|digest| digest.digest).collect()))
}

/// What is wrong when the digests at one index differ.
pub(super) fn digest_finding(index: u64, members: &[Member], digests: &[u128]) -> Option<String> {
    let first = digests.first()?;
    if digests.iter().all(|digest| digest == first) {
        return None;
    }
    let each: Vec<String> = members
        .iter()
        .zip(digests)
        .map(|(member, digest)| format!("node {} has {}", member.id, hex(*digest)))
        .collect();
    Some(format!(
        "at index {index} the digests differ: {}",
        each.join(", ")
    ))
}

/// A digest as it is written.
pub(super) fn hex(digest: u128) -> String {
    format!("{digest:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_compared_at_one_index_only() {
        let digest = |index, digest| Digest { index, digest };
        assert_eq!(at_equal_index(&[digest(7, 1), digest(8, 1)]), None);
        let (index, digests) = at_equal_index(&[digest(7, 1), digest(7, 2)]).unwrap();
        let members = [1, 2].map(|id| Member {
            id,
            address: String::new(),
        });
        assert!(
            digest_finding(index, &members, &digests)
                .unwrap()
                .contains("node 2 has 0000")
        );
        assert_eq!(digest_finding(7, &members, &[1, 1]), None);
    }
}
