//! Nodes tell each other how they are, twice a second, whoever leads.

use std::time::Duration;

use bytes::Bytes;
use farthing_proto::peer::v1 as wire;
use futures::future::join_all;

use super::network::Network;
use super::types::Member;
use crate::vitals::{Handle, Level, Vitals};

/// A peer that takes longer says it in the next round.
const ANSWER_MAX: Duration = Duration::from_millis(400);
/// More from one message are not looked at: what a peer says is bounded by us.
const ITEMS_MAX: usize = 64;

pub(super) fn to_wire(vitals: &Vitals) -> wire::Vitals {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    wire::Vitals {
        disk_level: vitals.level.number(),
        sync_p50_us: vitals.sync_p50.map(|time| micros(time).max(1)).unwrap_or(0),
        digests: vitals
            .digests
            .iter()
            .map(|(index, digest)| wire::DigestAt {
                index: *index,
                digest: digest.to_be_bytes().to_vec().into(),
            })
            .collect(),
        agrees: vitals.agrees.clone(),
        // Only who tells puts it in: see `round`.
        membership_index: 0,
        membership: Bytes::new(),
        public_key: vitals
            .public_key
            .map_or_else(Bytes::new, |key| Bytes::copy_from_slice(&key)),
    }
}

pub(super) fn from_wire(vitals: wire::Vitals) -> Vitals {
    let digest = |at: wire::DigestAt| {
        let digest = <[u8; 16]>::try_from(at.digest.as_ref()).ok()?;
        Some((at.index, u128::from_be_bytes(digest)))
    };
    let some = Some(vitals.sync_p50_us).filter(|micros| *micros > 0);
    Vitals {
        level: Level::from_number(vitals.disk_level),
        sync_p50: some.map(Duration::from_micros),
        digests: vitals
            .digests
            .into_iter()
            .take(ITEMS_MAX)
            .filter_map(digest)
            .collect(),
        agrees: vitals.agrees.into_iter().take(ITEMS_MAX).collect(),
        public_key: vitals.public_key.as_ref().try_into().ok(),
    }
}

/// One round: tells every peer, also what the members are, and hears what each answers.
pub(super) async fn round(
    network: &Network,
    vitals: &Handle,
    peers: &[(u64, Member)],
    membership: Option<(u64, Bytes)>,
) {
    let mut own = to_wire(&vitals.own());
    if let Some((index, membership)) = membership {
        (own.membership_index, own.membership) = (index, membership);
    }
    let calls = peers.iter().map(|(id, member)| {
        let own = own.clone();
        async move {
            let mut client = network.control(&member.peer_address).ok()?;
            let call = client.exchange(network.request(*id, own));
            let reply = tokio::time::timeout(ANSWER_MAX, call).await.ok()?.ok()?;
            Some((*id, from_wire(reply.into_inner())))
        }
    });
    for (id, told) in join_all(calls).await.into_iter().flatten() {
        vitals.heard(id, told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_heard() {
        let vitals = Vitals {
            level: Level::Reserve,
            sync_p50: Some(Duration::from_micros(1_234)),
            digests: vec![(7, u128::MAX - 1), (1_024, 3)],
            agrees: vec![1, 3],
            public_key: Some([7; 32]),
        };
        assert_eq!(from_wire(to_wire(&vitals)), vitals);
        assert_eq!(from_wire(wire::Vitals::default()), Vitals::default());
        let mut bad = to_wire(&vitals);
        bad.digests[0].digest = vec![1; 15].into();
        assert_eq!(from_wire(bad).digests, [(1_024, 3)]);
    }
}
