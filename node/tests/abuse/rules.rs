//! Rules of RFC 9113 broken one at a time: what each costs, on either listener.

use std::time::Duration;

use crate::honest::Attacked;
use crate::wire::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, End, GOAWAY, HEADERS, PADDED, PING, PUSH_PROMISE,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, Wire, call_headers, frame,
};

const METHOD: &str = "/farthing.v1.Admin/Status";
const SOON: Duration = Duration::from_secs(10);
/// An answer, or a reset, is under way by then.
const ANSWERED_AFTER: Duration = Duration::from_millis(300);

/// What must follow.
enum Cost {
    /// The connection. Which error code it ends with is the library's affair; that there is one is not.
    Connection,
    /// The stream, by a reset or an answer, or the connection.
    Stream,
}

use Cost::{Connection, Stream};

fn cases() -> Vec<(&'static str, Vec<u8>, Cost)> {
    let headers = || call_headers(METHOD, &[]);
    let open = |stream| frame(HEADERS, END_HEADERS, stream, &headers());
    let closed = |stream| frame(HEADERS, END_HEADERS | END_STREAM, stream, &headers());
    let most = 0x7fff_ffff_u32.to_be_bytes();
    let setting = |id: u16, value: u32| {
        let payload = [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
        frame(SETTINGS, 0, 0, &payload)
    };
    vec![
        (
            "a window that overflows",
            frame(WINDOW_UPDATE, 0, 0, &most),
            Connection,
        ),
        (
            "a stream's window that overflows",
            [open(1), frame(WINDOW_UPDATE, 0, 1, &most)].concat(),
            Stream,
        ),
        (
            "a window that grows by nothing",
            frame(WINDOW_UPDATE, 0, 0, &[0; 4]),
            Connection,
        ),
        (
            "a window update of three bytes",
            frame(WINDOW_UPDATE, 0, 0, &[0, 0, 1]),
            Connection,
        ),
        (
            "the window of a stream that was never opened",
            frame(WINDOW_UPDATE, 0, 99, &[0, 0, 0, 1]),
            Connection,
        ),
        (
            "a window larger than a window can be",
            setting(4, 0x8000_0000),
            Connection,
        ),
        (
            "frames smaller than a frame can be",
            setting(5, 1),
            Connection,
        ),
        ("push that is neither on nor off", setting(2, 7), Connection),
        (
            "settings of five bytes",
            frame(SETTINGS, 0, 0, &[0; 5]),
            Connection,
        ),
        (
            "settings of a stream",
            frame(SETTINGS, 0, 1, &[]),
            Connection,
        ),
        (
            "an acknowledgement with a load",
            frame(SETTINGS, 1, 0, &[0; 6]),
            Connection,
        ),
        (
            "a ping of seven bytes",
            frame(PING, 0, 0, &[0; 7]),
            Connection,
        ),
        ("a ping of a stream", frame(PING, 0, 1, &[0; 8]), Connection),
        (
            "a goodbye of a stream",
            frame(GOAWAY, 0, 1, &[0; 8]),
            Connection,
        ),
        (
            "a push from a client",
            [open(1), frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2])].concat(),
            Connection,
        ),
        (
            "a frame larger than allowed",
            frame(DATA, 0, 1, &vec![0; 2 << 20]),
            Connection,
        ),
        ("headers of no stream", open(0), Connection),
        ("headers of a stream of the node's", open(2), Connection),
        (
            "a stream older than one that was opened",
            [open(7), open(5)].concat(),
            Connection,
        ),
        ("data of no stream", frame(DATA, 0, 0, &[1]), Connection),
        (
            "data of a stream that was never opened",
            frame(DATA, 0, 99, &[1]),
            Connection,
        ),
        (
            "data after the end",
            [closed(1), frame(DATA, 0, 1, &[1])].concat(),
            Stream,
        ),
        (
            "headers after the end",
            [closed(1), closed(1)].concat(),
            Stream,
        ),
        (
            "a reset of a stream that was never opened",
            frame(RST_STREAM, 0, 99, &[0; 4]),
            Connection,
        ),
        (
            "a reset of no stream",
            frame(RST_STREAM, 0, 0, &[0; 4]),
            Connection,
        ),
        (
            "a reset of three bytes",
            [open(1), frame(RST_STREAM, 0, 1, &[0; 3])].concat(),
            Connection,
        ),
        (
            "a continuation of nothing",
            frame(CONTINUATION, END_HEADERS, 1, &[]),
            Connection,
        ),
        (
            "another frame amid headers",
            [frame(HEADERS, 0, 1, &headers()), frame(PING, 0, 0, &[0; 8])].concat(),
            Connection,
        ),
        (
            "a continuation of another stream",
            [
                frame(HEADERS, 0, 1, &headers()),
                frame(CONTINUATION, END_HEADERS, 3, &[]),
            ]
            .concat(),
            Connection,
        ),
        (
            "padding longer than the frame",
            [open(1), frame(DATA, PADDED, 1, &[200, 1])].concat(),
            Connection,
        ),
        (
            "a name that is in no table",
            frame(HEADERS, END_HEADERS, 1, &[0xff, 0xff, 0xff, 0x7f]),
            Connection,
        ),
        (
            "a number without end",
            frame(HEADERS, END_HEADERS, 1, &[0xff; 64]),
            Connection,
        ),
        (
            "a string longer than the headers",
            frame(HEADERS, END_HEADERS, 1, &[0, 0x7f, 0xff, 0xff, 0x7f, b'a']),
            Connection,
        ),
        (
            "a table larger than allowed",
            frame(HEADERS, END_HEADERS, 1, &[0x3f, 0xff, 0xff, 0xff, 0x7f]),
            Connection,
        ),
        (
            "headers without a method",
            frame(HEADERS, END_HEADERS, 1, &[]),
            Stream,
        ),
        (
            "a name in capitals",
            frame(
                HEADERS,
                END_HEADERS,
                1,
                &call_headers(METHOD, &[("Name", "v")]),
            ),
            Stream,
        ),
        (
            "a header of HTTP/1",
            frame(
                HEADERS,
                END_HEADERS,
                1,
                &call_headers(METHOD, &[("connection", "close")]),
            ),
            Stream,
        ),
        (
            "a stream that depends on itself",
            frame(
                HEADERS,
                END_HEADERS | 0x20,
                1,
                &[&[0, 0, 0, 1, 0][..], &headers()].concat(),
            ),
            Stream,
        ),
        (
            "flow control ignored",
            {
                // One message that is whole, and more than a window of what nobody asked for behind it.
                let mut bytes = open(1);
                bytes.extend(frame(DATA, 0, 1, &[0; 5]));
                (0..700).for_each(|_| bytes.extend(frame(DATA, 0, 1, &[0; 16_000])));
                bytes
            },
            Connection,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_broken_one_at_a_time() {
    let attacked = Attacked::start().await;
    let mut wrong = Vec::new();
    for (listener, address) in attacked.addresses().into_iter().enumerate() {
        for (what, bytes, cost) in cases() {
            let mut wire = Wire::open(&address).await;
            // What comes behind an error may find the connection closed already.
            wire.send(&bytes).await;
            match cost {
                Connection => {
                    let (end, _) = wire.ended(SOON).await;
                    if matches!(end, End::Open | End::GoAway(0)) {
                        wrong.push((listener, what, end));
                    }
                }
                Stream => {
                    // An error of its own then ends the connection and shows what was answered before.
                    tokio::time::sleep(ANSWERED_AFTER).await;
                    let had_ended = wire.has_ended();
                    wire.send(&frame(PING, 0, 1, &[0; 8])).await;
                    let (end, seen) = wire.ended(SOON).await;
                    if end == End::Open || !had_ended && !seen.ended_streams() {
                        wrong.push((listener, what, end));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    attacked.ends_well().await;
}
