//! What is asked of a part of the stream before anything of it is given: it goes on where the last one ended, and
//! nothing in it is left out, given twice or out of order.

use farthing_proto::v1::SubscribeReply;

use super::packed::changes;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// Everything up to here was given or did not match.
    pub(super) position: u64,
    pub(super) until: Option<u64>,
    /// All events match.
    pub(super) all: bool,
    pub(super) packed: bool,
}

/// Holds a part to what was asked for; fails in words.
pub(super) fn check(asked: Asked, reply: &SubscribeReply) -> Result<(), String> {
    let mut last = asked.position;
    let mut follow = |sequence: u64| {
        let fits = if asked.all {
            last.checked_add(1) == Some(sequence)
        } else {
            sequence > last
        };
        if !fits {
            return Err(format!("event {sequence} came after {last}"));
        }
        last = sequence;
        Ok(())
    };
    if asked.packed {
        if !reply.events.is_empty() {
            return Err("bytes were asked for, and it sends events".to_owned());
        }
        for change in changes(&reply.packed) {
            let change = change.ok_or("its packed events end in the middle of one")?;
            let (sequence, _) = change
                .split_first_chunk()
                .ok_or("a packed event is too short to have a sequence")?;
            follow(u64::from_le_bytes(*sequence))?;
        }
    } else {
        if !reply.packed.is_empty() {
            return Err("events were asked for, and it sends bytes".to_owned());
        }
        reply
            .events
            .iter()
            .try_for_each(|event| follow(event.sequence))?;
    }
    let told = reply.last_sequence;
    if told < last || asked.all && told != last {
        return Err(format!(
            "it says that everything up to {told} was sent, and {last} is the last"
        ));
    }
    match asked.until {
        Some(until) if told > until => Err(format!("{told} is beyond the end {until}")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use farthing_proto::v1::Event;

    use super::*;

    const ALL: Asked = Asked {
        position: 10,
        until: None,
        all: true,
        packed: false,
    };

    fn part(sequences: &[u64], last_sequence: u64) -> SubscribeReply {
        SubscribeReply {
            events: sequences
                .iter()
                .map(|sequence| Event {
                    sequence: *sequence,
                    ..Event::default()
                })
                .collect(),
            last_sequence,
            ..SubscribeReply::default()
        }
    }

    fn packed(sequences: &[u64], last_sequence: u64) -> SubscribeReply {
        let mut bytes = vec![];
        for sequence in sequences {
            bytes.extend_from_slice(&10_u32.to_le_bytes());
            bytes.extend_from_slice(&sequence.to_le_bytes());
            bytes.extend_from_slice(&[1, 0]);
        }
        SubscribeReply {
            packed: bytes.into(),
            last_sequence,
            ..SubscribeReply::default()
        }
    }

    #[test]
    fn a_part_goes_on_where_the_last_one_ended() {
        for part in [part(&[11, 12], 12), part(&[], 10)] {
            check(ALL, &part).unwrap();
        }
        let bytes = Asked {
            packed: true,
            ..ALL
        };
        check(bytes, &packed(&[11, 12], 12)).unwrap();
        check(bytes, &packed(&[], 10)).unwrap();
    }

    #[test]
    fn gaps_repeats_and_disorder_are_found() {
        let wrong = [
            (&[12][..], 12),
            (&[10, 11], 11),
            (&[11, 11], 11),
            (&[11, 13], 13),
            (&[12, 11], 12),
            // Events kept back at the end, or more said than sent.
            (&[11], 12),
            (&[11, 12], 11),
            (&[], 11),
            (&[], 9),
        ];
        let bytes = Asked {
            packed: true,
            ..ALL
        };
        for (sequences, last) in wrong {
            assert!(
                check(ALL, &part(sequences, last)).is_err(),
                "{sequences:?} {last}"
            );
            assert!(
                check(bytes, &packed(sequences, last)).is_err(),
                "{sequences:?} {last}"
            );
        }
        let until = Asked {
            until: Some(11),
            ..ALL
        };
        assert!(check(until, &part(&[11, 12], 12)).is_err());
        assert!(check(ALL, &packed(&[11], 11)).is_err());
        let cut = SubscribeReply {
            packed: packed(&[11], 11).packed.slice(..9),
            last_sequence: 11,
            ..SubscribeReply::default()
        };
        assert!(check(bytes, &cut).is_err());
    }

    #[test]
    fn with_a_filter_only_the_order_can_be_checked() {
        let filtered = Asked { all: false, ..ALL };
        check(filtered, &part(&[15, 19], 30)).unwrap();
        check(filtered, &part(&[], 30)).unwrap();
        for (sequences, last) in [(&[10][..], 12), (&[15, 15], 15), (&[15], 14), (&[], 9)] {
            assert!(
                check(filtered, &part(sequences, last)).is_err(),
                "{sequences:?} {last}"
            );
        }
    }
}
