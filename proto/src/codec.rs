//! How messages become bytes in every call of ours: protobuf, with lists that are counted before they are read.
//!
//! An item without fields takes two bytes on the wire and some hundred in memory, so a limit of bytes alone lets a
//! stranger turn four MiB into most of a GiB. The bytes are therefore walked once, allocating nothing, before they are
//! decoded: one field more than [`LIST_ITEMS_MAX`] times, and the message is refused.
//!
//! Only the message's own fields are counted. A message that holds lists inside of its items must bound those itself;
//! requests and messages of peers have none but flags, which are smaller in memory than the item they belong to.

use std::marker::PhantomData;

use bytes::{Buf, Bytes};
use prost::Message;
use prost::encoding::{DecodeContext, decode_key, skip_field};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;

use crate::error::{Reason, Refused};
use crate::limits::ITEMS_MAX;

/// Most items of one list in a message: as many as a request may hold.
pub const LIST_ITEMS_MAX: usize = ITEMS_MAX;

/// Field numbers that are counted one by one; no message of ours has more, and those above share a count.
const NUMBERS: usize = 64;

/// Decodes a message.
///
/// # Errors
/// [`Reason::TooLarge`] for a list that is too long; otherwise what protobuf makes of broken bytes, as `INTERNAL`.
pub fn decode<M: Message + Default>(bytes: Bytes) -> Result<M, Status> {
    if let Some(number) = too_long(&bytes) {
        let message = format!(
            "field {number} of the message stands there more than {LIST_ITEMS_MAX} times: split the request"
        );
        return Err(Refused::new(Reason::TooLarge, message).into_status());
    }
    M::decode(bytes).map_err(|error| Status::internal(error.to_string()))
}

/// The first field that there is too much of. Bytes that are no protobuf are walked up to where they cease to be: no
/// decoder takes in more of them.
fn too_long(mut bytes: &[u8]) -> Option<u32> {
    let mut counts = [0_usize; NUMBERS];
    while let Ok((number, wire_type)) = decode_key(&mut bytes) {
        let count = &mut counts[(number as usize).min(NUMBERS - 1)];
        *count += 1;
        if *count > LIST_ITEMS_MAX {
            return Some(number);
        }
        // The decoder's own way over a field that it does not know, groups included.
        skip_field(wire_type, number, &mut bytes, DecodeContext::default()).ok()?;
    }
    None
}

/// The codec of generated clients and servers.
#[derive(Debug)]
pub struct CountedCodec<T, U> {
    kinds: PhantomData<(T, U)>,
}

impl<T, U> Default for CountedCodec<T, U> {
    fn default() -> Self {
        Self { kinds: PhantomData }
    }
}

impl<T, U> Codec for CountedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = CountedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        CountedDecoder { kind: PhantomData }
    }
}

/// The decoding half of [`CountedCodec`].
#[derive(Debug)]
pub struct CountedDecoder<U> {
    kind: PhantomData<U>,
}

impl<U: Message + Default> Decoder for CountedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // Shares the receive buffer: nothing is copied, and `bytes` fields are slices of it.
        let length = buffer.remaining();
        decode(buffer.copy_to_bytes(length)).map(Some)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::v1;

    fn empty_transfers(count: usize) -> Bytes {
        [0x0a, 0].repeat(count).into()
    }

    #[test]
    fn as_many_items_as_a_request_holds_are_read_and_one_more_is_refused() {
        let whole = decode::<v1::CreateTransfersRequest>(empty_transfers(LIST_ITEMS_MAX)).unwrap();
        assert_eq!(whole.transfers.len(), LIST_ITEMS_MAX);
        let status =
            decode::<v1::CreateTransfersRequest>(empty_transfers(LIST_ITEMS_MAX + 1)).unwrap_err();
        let refused = Refused::from_status(&status).unwrap();
        assert_eq!(refused.reason, Some(Reason::TooLarge));
        assert!(refused.message.contains("field 1"), "{}", refused.message);
    }

    #[test]
    fn no_other_field_in_between_hides_a_list() {
        let items = empty_transfers(LIST_ITEMS_MAX + 1);
        // Of every wire type, with unknown numbers: a varint, eight bytes, four bytes, a text, a group.
        let others: [&[u8]; 5] = [
            b"\x78\xff\x01",
            b"\x79\x0a\0\0\0\0\0\0\0",
            b"\x7d\x0a\0\0\0",
            b"\x7a\x02\x0a\0",
            b"\x7b\x0a\0\x7c",
        ];
        for other in others {
            let mixed = [other, &items[..2_000], other, &items[2_000..]].concat();
            assert_eq!(too_long(&mixed), Some(1), "{other:?}");
            let few = [other, &items[..2_000], other].concat();
            assert_eq!(too_long(&few), None, "{other:?}");
            assert_eq!(
                decode::<v1::CreateTransfersRequest>(few.into())
                    .unwrap()
                    .transfers
                    .len(),
                1_000
            );
        }
    }

    #[test]
    fn numbers_without_a_count_of_their_own_are_counted_together() {
        // Fields 64 and 100,000 as empty texts.
        let pair = [0x82, 0x04, 0, 0x82, 0xea, 0x30, 0].repeat(LIST_ITEMS_MAX / 2 + 1);
        assert!(too_long(&pair).is_some());
    }

    #[test]
    fn broken_bytes_are_protobufs_to_refuse() {
        let groups_in_groups = vec![0x0b; LIST_ITEMS_MAX + 1];
        for bytes in [
            &b"\x0a"[..],
            b"\x0a\x05\0",
            b"\xff",
            b"\x0b",
            b"\0",
            &groups_in_groups,
        ] {
            assert_eq!(too_long(bytes), None);
            let status = decode::<v1::CreateTransfersRequest>(bytes.to_vec().into()).unwrap_err();
            assert_eq!(status.code(), tonic::Code::Internal, "{bytes:?}");
        }
    }
}
