//! Rules of RFC 9113 broken one at a time: what each costs, on either listener.

use crate::honest::Attacked;
use crate::wire::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, End, GOAWAY, HEADERS, PADDED, PING, PUSH_PROMISE,
    RST_STREAM, SETTINGS, SOON, WINDOW_UPDATE, Wire, call_headers, frame,
};

const METHOD: &str = "/farthing.v1.Admin/Status";
/// The largest window there can be.
const MOST: [u8; 4] = 0x7fff_ffff_u32.to_be_bytes();

/// What is wrong, and the bytes that are.
type Case = (&'static str, Vec<u8>);

fn headers() -> Vec<u8> {
    call_headers(METHOD, &[])
}

/// Opens a stream.
fn open(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &headers())
}

/// Opens a stream on which nothing more will come.
fn closed(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &headers())
}

/// Opens stream 1 with this header block.
fn block(bytes: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, 1, bytes)
}

fn setting(id: u16, value: u32) -> Vec<u8> {
    let payload = [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
    frame(SETTINGS, 0, 0, &payload)
}

/// One message that is whole, and more than a window of what nobody asked for behind it.
fn more_than_a_window() -> Vec<u8> {
    let mut bytes = open(1);
    bytes.extend(frame(DATA, 0, 1, &[0; 5]));
    (0..700).for_each(|_| bytes.extend(frame(DATA, 0, 1, &[0; 16_000])));
    bytes
}

/// What must cost the connection. Which error code it ends with is the library's affair; that there is one is not.
fn costs_the_connection() -> Vec<Case> {
    vec![
        ("a window that overflows", frame(WINDOW_UPDATE, 0, 0, &MOST)),
        (
            "a window that grows by nothing",
            frame(WINDOW_UPDATE, 0, 0, &[0; 4]),
        ),
        (
            "a window update of three bytes",
            frame(WINDOW_UPDATE, 0, 0, &[0, 0, 1]),
        ),
        (
            "the window of a stream that was never opened",
            frame(WINDOW_UPDATE, 0, 99, &[0, 0, 0, 1]),
        ),
        (
            "a window larger than a window can be",
            setting(4, 0x8000_0000),
        ),
        ("frames smaller than a frame can be", setting(5, 1)),
        ("push that is neither on nor off", setting(2, 7)),
        ("settings of five bytes", frame(SETTINGS, 0, 0, &[0; 5])),
        ("settings of a stream", frame(SETTINGS, 0, 1, &[])),
        (
            "an acknowledgement with a load",
            frame(SETTINGS, 1, 0, &[0; 6]),
        ),
        ("a ping of seven bytes", frame(PING, 0, 0, &[0; 7])),
        ("a ping of a stream", frame(PING, 0, 1, &[0; 8])),
        ("a goodbye of a stream", frame(GOAWAY, 0, 1, &[0; 8])),
        (
            "a push from a client",
            [open(1), frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2])].concat(),
        ),
        (
            "a frame larger than allowed",
            frame(DATA, 0, 1, &vec![0; 2 << 20]),
        ),
        ("headers of no stream", open(0)),
        ("headers of a stream of the node's", open(2)),
        (
            "a stream older than one that was opened",
            [open(7), open(5)].concat(),
        ),
        ("data of no stream", frame(DATA, 0, 0, &[1])),
        (
            "data of a stream that was never opened",
            frame(DATA, 0, 99, &[1]),
        ),
        (
            "a reset of a stream that was never opened",
            frame(RST_STREAM, 0, 99, &[0; 4]),
        ),
        ("a reset of no stream", frame(RST_STREAM, 0, 0, &[0; 4])),
        (
            "a reset of three bytes",
            [open(1), frame(RST_STREAM, 0, 1, &[0; 3])].concat(),
        ),
        (
            "a continuation of nothing",
            frame(CONTINUATION, END_HEADERS, 1, &[]),
        ),
        (
            "another frame amid headers",
            [frame(HEADERS, 0, 1, &headers()), frame(PING, 0, 0, &[0; 8])].concat(),
        ),
        (
            "a continuation of another stream",
            [
                frame(HEADERS, 0, 1, &headers()),
                frame(CONTINUATION, END_HEADERS, 3, &[]),
            ]
            .concat(),
        ),
        (
            "padding longer than the frame",
            [open(1), frame(DATA, PADDED, 1, &[200, 1])].concat(),
        ),
        (
            "a name that is in no table",
            block(&[0xff, 0xff, 0xff, 0x7f]),
        ),
        ("a number without end", block(&[0xff; 64])),
        (
            "a string longer than the headers",
            block(&[0, 0x7f, 0xff, 0xff, 0x7f, b'a']),
        ),
        (
            "a table larger than allowed",
            block(&[0x3f, 0xff, 0xff, 0xff, 0x7f]),
        ),
        ("flow control ignored", more_than_a_window()),
    ]
}

/// What must cost the stream, by a reset or an answer, or the connection.
fn costs_the_stream() -> Vec<Case> {
    vec![
        (
            "a stream's window that overflows",
            [open(1), frame(WINDOW_UPDATE, 0, 1, &MOST)].concat(),
        ),
        (
            "data after the end",
            [closed(1), frame(DATA, 0, 1, &[1])].concat(),
        ),
        ("headers after the end", [closed(1), closed(1)].concat()),
        ("headers without a method", block(&[])),
        (
            "a name in capitals",
            block(&call_headers(METHOD, &[("Name", "v")])),
        ),
        (
            "a header of HTTP/1",
            block(&call_headers(METHOD, &[("connection", "close")])),
        ),
        (
            "a stream that depends on itself",
            frame(
                HEADERS,
                END_HEADERS | 0x20,
                1,
                &[&[0, 0, 0, 1, 0][..], &headers()].concat(),
            ),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_broken_one_at_a_time() {
    let attacked = Attacked::start().await;
    let mut wrong = Vec::new();
    for (listener, address) in attacked.addresses().into_iter().enumerate() {
        for (what, bytes) in costs_the_connection() {
            let mut wire = Wire::open(&address).await;
            // What comes behind an error may find the connection closed already.
            wire.send(&bytes).await;
            let (end, _) = wire.ended(SOON).await;
            if matches!(end, End::Open | End::GoAway(0)) {
                wrong.push(format!("{what}, listener {listener}: {end:?}"));
            }
        }
        for (what, bytes) in costs_the_stream() {
            let mut wire = Wire::open(&address).await;
            wire.send(&bytes).await;
            let (ended, seen) = wire.stream_ended().await;
            if !ended {
                wrong.push(format!("{what}, listener {listener}: {seen:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    attacked.ends_well().await;
}
