//! Records gathered for one write, without copying large payloads.

use std::io::IoSlice;
use std::ops::Range;

use bytes::Bytes;

use super::record::{ALIGNMENT, RECORD_HEADER_BYTES};

/// Payloads up to this are copied next to their headers: below it a copy costs less than two more slices.
const COPY_BYTES_MAX: usize = 4096;

enum Piece {
    Arena(Range<usize>),
    Payload(Bytes),
}

/// Consecutive bytes of one segment, not yet written.
#[derive(Default)]
pub(super) struct Batch {
    arena: Vec<u8>,
    pieces: Vec<Piece>,
    bytes: usize,
}

impl Batch {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub(super) fn push(&mut self, header: &[u8; RECORD_HEADER_BYTES], payload: &Bytes) {
        self.arena_part(header);
        if payload.len() <= COPY_BYTES_MAX {
            self.arena_part(payload);
        } else {
            self.bytes += payload.len();
            self.pieces.push(Piece::Payload(payload.clone()));
        }
        let padding = payload.len().next_multiple_of(ALIGNMENT) - payload.len();
        self.arena_part(&[0; ALIGNMENT][..padding]);
    }

    fn arena_part(&mut self, part: &[u8]) {
        let start = self.arena.len();
        self.arena.extend_from_slice(part);
        self.bytes += part.len();
        match self.pieces.last_mut() {
            Some(Piece::Arena(range)) => range.end = self.arena.len(),
            _ => self.pieces.push(Piece::Arena(start..self.arena.len())),
        }
    }

    pub(super) fn slices(&self) -> Vec<IoSlice<'_>> {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Arena(range) => IoSlice::new(&self.arena[range.clone()]),
                Piece::Payload(payload) => IoSlice::new(payload),
            })
            .collect()
    }

    pub(super) fn clear(&mut self) {
        self.arena.clear();
        self.pieces.clear();
        self.bytes = 0;
    }
}
