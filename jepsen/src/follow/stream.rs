//! What one subscriber has seen, and what a stream must be in itself.

use std::collections::HashMap;

use farthing_client::Transfer;
use farthing_proto::convert;
use farthing_proto::v1::event::Body;
use farthing_proto::v1::{Event, SubscribeReply, TransferEvent};
use prost::Message;
use xxhash_rust::xxh3::Xxh3;

use super::books::Books;
use crate::history::Hex;

/// Complaints written down; more are counted by nobody.
const WRONG_MAX: usize = 20;

/// See the module.
#[derive(Default)]
pub(super) struct Stream {
    last: u64,
    hash: Xxh3,
    transfers: Vec<Transfer>,
    scales: HashMap<u32, u8>,
    books: Books,
    wrong: Vec<String>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "events up to {}", self.last)
    }
}

impl Stream {
    /// The last sequence.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Of everything up to it.
    pub(super) fn hash(&self) -> Hex {
        Hex(self.hash.digest128())
    }

    /// Every transfer, in order.
    pub(super) fn transfers(&self) -> &[Transfer] {
        &self.transfers
    }

    pub(super) fn take_wrong(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wrong)
    }

    /// Takes a part of the stream.
    pub(super) fn take(&mut self, reply: SubscribeReply) {
        for scale in &reply.scales {
            let digits = u8::try_from(scale.scale).unwrap_or_default();
            self.scales.insert(scale.ledger, digits);
        }
        for event in reply.events {
            self.event(event);
        }
        if reply.last_sequence != self.last {
            let (last, said) = (self.last, reply.last_sequence);
            self.complain(format!(
                "after event {last} the node says it sent everything up to {said}"
            ));
        }
    }

    fn event(&mut self, event: Event) {
        let sequence = event.sequence;
        if sequence != self.last + 1 {
            self.complain(format!("event {sequence} came after {}", self.last));
        }
        self.last = sequence;
        self.hash.update(&event.encode_to_vec());
        let done = match event.body {
            Some(Body::TransferCreated(created)) => self.transfer(&created, false),
            Some(Body::TransferExpired(expired)) => self.transfer(&expired, true),
            Some(_) => Ok(()),
            None => Err("it says nothing".into()),
        };
        if let Err(why) = done {
            self.complain(format!("event {sequence}: {why}"));
        }
    }

    fn transfer(&mut self, event: &TransferEvent, has_expired: bool) -> Result<(), String> {
        let message = event.transfer.as_ref().ok_or("it has no transfer")?;
        let scale = self.scales.get(&message.ledger).copied();
        let scale =
            scale.ok_or_else(|| format!("the scale of ledger {} is missing", message.ledger))?;
        let transfer = convert::transfer::stored_from_wire(message, scale)
            .map_err(|errors| format!("its transfer cannot be read: {errors:?}"))?;
        let balances = |side: &Option<farthing_proto::v1::BalanceAmounts>| {
            let side = side.as_ref().ok_or("it has no balances")?;
            convert::query::balances_from_wire(side, scale)
                .map_err(|errors| format!("its balances cannot be read: {errors:?}"))
        };
        let after = [
            balances(&event.debit_account)?,
            balances(&event.credit_account)?,
        ];
        if has_expired {
            return self.books.expire(&transfer, after);
        }
        self.transfers.push(transfer);
        self.books.carry_out(&transfer, after)
    }

    fn complain(&mut self, what: String) {
        if self.wrong.len() < WRONG_MAX {
            self.wrong.push(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(sequences: &[u64]) -> SubscribeReply {
        let event = |sequence: &u64| Event {
            sequence: *sequence,
            body: Some(Body::SettingChanged(Default::default())),
            ..Event::default()
        };
        SubscribeReply {
            events: sequences.iter().map(event).collect(),
            last_sequence: sequences.last().copied().unwrap_or_default(),
            ..SubscribeReply::default()
        }
    }

    #[test]
    fn gaps_repeats_and_what_is_left_out_are_complained_about() {
        let complaints = |parts: &[&[u64]]| {
            let mut stream = Stream::default();
            parts.iter().for_each(|part| stream.take(reply(part)));
            stream.take_wrong().len()
        };
        assert_eq!(complaints(&[&[1, 2], &[3]]), 0);
        assert_eq!(complaints(&[&[1, 3]]), 1);
        assert_eq!(complaints(&[&[1, 2], &[2, 3]]), 1);
        let mut stream = Stream::default();
        let late = SubscribeReply {
            last_sequence: 4,
            ..reply(&[1, 2])
        };
        stream.take(late);
        assert_eq!(stream.take_wrong().len(), 1);
    }

    #[test]
    fn the_hash_is_that_of_the_events_and_not_of_the_parts() {
        let hash = |parts: &[&[u64]]| {
            let mut stream = Stream::default();
            parts.iter().for_each(|part| stream.take(reply(part)));
            stream.hash().0
        };
        assert_eq!(hash(&[&[1, 2], &[3]]), hash(&[&[1], &[2, 3]]));
        assert_ne!(hash(&[&[1, 2]]), hash(&[&[1, 2, 3]]));
    }
}
