//! More frames than anybody needs.

use std::time::Duration;

use crate::honest::Attacked;
use crate::wire::{
    CONTINUATION, DATA, END_HEADERS, ENHANCE_YOUR_CALM, End, GOAWAY, HEADERS, PING, PRIORITY,
    RST_STREAM, SETTINGS, SOON, WINDOW_UPDATE, Wire, call_headers, frame,
};

const SUBMIT: &str = "/farthing.v1.Packed/SubmitStream";
/// Streams of a rapid reset, and frames of the other floods.
const STREAMS: u32 = 50_000;
const FRAMES: u32 = 100_000;

/// Sends batches of frames until all are sent or the node has ended the connection; says whether all were sent.
async fn flood(wire: &mut Wire, count: u32, mut next: impl FnMut(u32) -> Vec<u8>) -> bool {
    let mut batch = Vec::new();
    for number in 0..count {
        batch.extend(next(number));
        if (batch.len() > 32 << 10 || number + 1 == count)
            && !wire.send(&std::mem::take(&mut batch)).await
        {
            return false;
        }
    }
    true
}

/// The same, and how the connection ends.
async fn flood_to_the_end(
    mut wire: Wire,
    count: u32,
    next: impl FnMut(u32) -> Vec<u8>,
) -> (bool, End) {
    let all = flood(&mut wire, count, next).await;
    let (end, _) = wire.ended(SOON).await;
    (all, end)
}

/// Opens a stream after the other, each with another frame behind its headers.
async fn flood_of_streams(address: &str, kind: u8, payload: &[u8]) -> (bool, End) {
    let headers = call_headers(SUBMIT, &[]);
    let wire = Wire::open(address).await;
    flood_to_the_end(wire, STREAMS, |number| {
        let stream = number * 2 + 1;
        let mut frames = frame(HEADERS, END_HEADERS, stream, &headers);
        frames.extend(frame(kind, 0, stream, payload));
        frames
    })
    .await
}

/// The rapid reset (CVE-2023-44487).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_opened_and_reset() {
    let attacked = Attacked::start().await;
    for address in attacked.addresses() {
        let cancel = 8_u32.to_be_bytes();
        let (all, end) = flood_of_streams(&address, RST_STREAM, &cancel).await;
        assert!(
            !all && matches!(end, End::GoAway(ENHANCE_YOUR_CALM) | End::Closed),
            "{all} {end:?}"
        );
    }
    attacked.ends_well().await;
}

/// The same, with the node made to reset (CVE-2025-8671): each stream is opened and then given a frame that is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_the_node_must_reset() {
    let attacked = Attacked::start().await;
    for address in attacked.addresses() {
        // More than a window can be: an error of the stream alone.
        let most = 0x7fff_ffff_u32.to_be_bytes();
        let (all, end) = flood_of_streams(&address, WINDOW_UPDATE, &most).await;
        assert!(!all && end != End::Open, "{all} {end:?}");
    }
    attacked.ends_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_without_an_end() {
    let attacked = Attacked::start().await;
    // Half a gigabyte of them, if they were taken; and the same in frames of nothing.
    for (address, filler) in attacked
        .addresses()
        .into_iter()
        .flat_map(|address| [(address.clone(), vec![0; 16_000]), (address, Vec::new())])
    {
        let mut wire = Wire::open(&address).await;
        assert!(
            wire.send(&frame(HEADERS, 0, 1, &call_headers(SUBMIT, &[])))
                .await
        );
        let next = |_| frame(CONTINUATION, 0, 1, &filler);
        let (all, end) = flood_to_the_end(wire, 30_000, next).await;
        // Frames of nothing are so small that all may be under way before the node has said what it thinks.
        assert!(
            (!all || filler.is_empty()) && end != End::Open,
            "{all} {end:?}"
        );
    }
    attacked.ends_well().await;
}

/// Each wants an acknowledgement: they must not pile up, not even when nobody takes them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_and_pings() {
    let attacked = Attacked::start().await;
    for address in attacked.addresses() {
        for is_deaf in [false, true] {
            let kinds = [(SETTINGS, &[][..]), (PING, &[7; 8][..])];
            let mut wires = Vec::new();
            for (kind, payload) in kinds {
                let mut wire = if is_deaf {
                    Wire::open_deaf(&address).await
                } else {
                    Wire::open(&address).await
                };
                let bytes = frame(kind, 0, 0, payload);
                let sending = flood(&mut wire, FRAMES, |_| bytes.clone());
                // When its answers are not taken, the node stops to read.
                let _ = tokio::time::timeout(Duration::from_secs(2), sending).await;
                wires.push(wire);
            }
            drop(wires);
        }
    }
    attacked.ends_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_do_nothing() {
    let attacked = Attacked::start().await;
    for address in attacked.addresses() {
        let mut wires = Vec::new();
        let kinds: [(u8, u32, &[u8]); 5] = [
            (PRIORITY, 3, &[0, 0, 0, 0, 1]),
            (GOAWAY, 0, &[0; 8]),
            (WINDOW_UPDATE, 0, &[0, 0, 0, 1]),
            (0x20, 0, &[1, 2, 3]),
            (CONTINUATION, 1, &[]),
        ];
        for (kind, stream, payload) in kinds {
            let mut wire = Wire::open(&address).await;
            let bytes = frame(kind, 0, stream, payload);
            flood(&mut wire, FRAMES, |_| bytes.clone()).await;
            wires.push(wire);
        }
        // Still connected, those that are: and yet nothing works on them.
        let is_idle = attacked.node().cpu_time();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let worked = attacked.node().cpu_time() - is_idle;
        assert!(worked < Duration::from_millis(400), "{worked:?}");
        drop(wires);
    }
    attacked.ends_well().await;
}

/// Frames of no or one byte cost more than they carry: there is a budget of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_in_crumbs() {
    let attacked = Attacked::start().await;
    for crumb in [&[][..], &[0]] {
        let mut wire = Wire::open(&attacked.node().client_address).await;
        let headers = call_headers(SUBMIT, &[]);
        assert!(wire.send(&frame(HEADERS, END_HEADERS, 1, &headers)).await);
        let bytes = frame(DATA, 0, 1, crumb);
        let (all, end) = flood_to_the_end(wire, 4 * FRAMES, |_| bytes.clone()).await;
        // Crumbs of a byte are messages of no bytes, five to one: each is answered, and the stream goes on or is ended.
        assert!(
            !crumb.is_empty() || (!all && end != End::Open),
            "{all} {end:?}"
        );
    }
    attacked.ends_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_headers_than_fit() {
    let attacked = Attacked::start().await;
    // 1 MiB of metadata where 16 KiB are allowed, in pieces that fit a frame; a little more than fits; many small ones,
    // which cost more than their bytes.
    let value = "x".repeat(1 << 20);
    let some = "x".repeat(20 << 10);
    let many = [("n", "v"); 2_000];
    for address in attacked.addresses() {
        for more in [
            &[("farthing-filler", value.as_str())][..],
            &[("farthing-filler", some.as_str())],
            &many,
        ] {
            let block = call_headers(SUBMIT, more);
            let mut wire = Wire::open(&address).await;
            let pieces: Vec<&[u8]> = block.chunks(16_000).collect();
            for (number, piece) in pieces.iter().enumerate() {
                let kind = if number == 0 { HEADERS } else { CONTINUATION };
                let is_last = number + 1 == pieces.len();
                let flags = if is_last { END_HEADERS } else { 0 };
                if !wire.send(&frame(kind, flags, 1, piece)).await {
                    break;
                }
            }
            let (ended, seen) = wire.stream_ended().await;
            assert!(ended && seen.taken_up.is_empty(), "{ended} {seen:?}");
        }
    }
    attacked.ends_well().await;
}
