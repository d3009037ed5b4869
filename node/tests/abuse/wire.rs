//! HTTP/2 by hand: frames that no library would write.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// What every client says first.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frame types (RFC 9113, section 6).
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

/// Flags.
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;

/// Error codes (RFC 9113, section 7).
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

/// By then the node has said what it thinks of a broken rule; far above what it takes, because machines that test are
/// busy.
pub(crate) const SOON: Duration = Duration::from_secs(10);
/// An answer, or a reset, is under way by then, also beside twenty other attacks.
const ANSWERED_AFTER: Duration = Duration::from_secs(1);

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The node said why.
    GoAway(u32),
    /// The node closed it without a word.
    Closed,
    /// It is still open.
    Open,
}

/// A connection that is written by hand, and read by a task that keeps what matters.
pub(crate) struct Wire {
    writer: OwnedWriteHalf,
    reader: Reader,
}

enum Reader {
    Reads(JoinHandle<Seen>),
    /// Takes nothing of what the node sends.
    Deaf(OwnedReadHalf),
}

/// What the node sent.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) goaway: Option<u32>,
    /// Streams reset, with their codes.
    pub(crate) resets: Vec<(u32, u32)>,
    /// Streams whose headers, of an answer or after it, came.
    pub(crate) answered: Vec<u32>,
    /// Streams answered with the status 200 of HTTP, which is where gRPC's own begins.
    pub(crate) taken_up: Vec<u32>,
    pub(crate) frames: usize,
}

impl Wire {
    /// A bare TCP connection; the node may have closed it already.
    pub(crate) async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (reader, writer) = stream.into_split();
        let reader = Reader::Reads(tokio::spawn(read(reader)));
        Self { writer, reader }
    }

    /// One that has begun HTTP/2.
    pub(crate) async fn open(address: &str) -> Self {
        Self::open_with(address, &[]).await
    }

    /// One that has begun HTTP/2 with settings of its own (identifier and value).
    pub(crate) async fn open_with(address: &str, settings: &[(u16, u32)]) -> Self {
        let mut wire = Self::connect(address).await;
        wire.begin(settings).await;
        wire
    }

    /// One that has begun HTTP/2 and takes nothing, with as little room as the system gives.
    pub(crate) async fn open_deaf(address: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        let stream = socket.connect(address.parse().unwrap()).await.unwrap();
        let (reader, writer) = stream.into_split();
        let reader = Reader::Deaf(reader);
        let mut wire = Self { writer, reader };
        // Windows as large as they may be: it is the socket that takes nothing.
        wire.begin(&[(4, 0x7fff_ffff)]).await;
        let most = 0x7000_0000_u32.to_be_bytes();
        assert!(wire.send(&frame(WINDOW_UPDATE, 0, 0, &most)).await);
        wire
    }

    async fn begin(&mut self, settings: &[(u16, u32)]) {
        let payload: Vec<u8> = settings
            .iter()
            .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        let mut bytes = PREFACE.to_vec();
        bytes.extend(frame(SETTINGS, 0, 0, &payload));
        assert!(self.send(&bytes).await);
    }

    /// False when the node has ended the connection, or has read nothing for 10 s.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> bool {
        let written = self.writer.write_all(bytes);
        matches!(
            tokio::time::timeout(Duration::from_secs(10), written).await,
            Ok(Ok(()))
        )
    }

    /// How it ended within that time, and what the node had sent.
    pub(crate) async fn ended(self, within: Duration) -> (End, Seen) {
        match self.reader {
            Reader::Reads(mut reading) => match tokio::time::timeout(within, &mut reading).await {
                Ok(seen) => {
                    let seen = seen.unwrap();
                    (seen.goaway.map_or(End::Closed, End::GoAway), seen)
                }
                Err(_) => {
                    reading.abort();
                    (End::Open, Seen::default())
                }
            },
            // Its end cannot be read without taking what lies before it: writing fails once the node has closed.
            Reader::Deaf(_reader) => {
                let mut writer = self.writer;
                let until = tokio::time::Instant::now() + within;
                while tokio::time::Instant::now() < until {
                    if writer.write_all(&frame(0x7f, 0, 0, &[])).await.is_err() {
                        return (End::Closed, Seen::default());
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                (End::Open, Seen::default())
            }
        }
    }

    /// Whether the node ends a stream of it, by a reset, an answer or with the connection; and what it had sent by then.
    pub(crate) async fn stream_ended(mut self) -> (bool, Seen) {
        tokio::time::sleep(ANSWERED_AFTER).await;
        let had_ended = matches!(&self.reader, Reader::Reads(reading) if reading.is_finished());
        // An error of its own ends the connection, so that what was answered before can be looked at.
        self.send(&frame(PING, 0, 1, &[0; 8])).await;
        let (end, seen) = self.ended(SOON).await;
        let answered = !seen.resets.is_empty() || !seen.answered.is_empty();
        (end != End::Open && (had_ended || answered), seen)
    }
}

/// Reads frames to the end.
async fn read(mut reader: OwnedReadHalf) -> Seen {
    let mut seen = Seen::default();
    let mut header = [0; 9];
    while reader.read_exact(&mut header).await.is_ok() {
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        let stream = u32::from_be_bytes([header[5], header[6], header[7], header[8]]);
        let mut payload = vec![0; length];
        if reader.read_exact(&mut payload).await.is_err() {
            break;
        }
        seen.frames += 1;
        let word = |at: usize| {
            payload
                .get(at..at + 4)
                .map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
        };
        match header[3] {
            GOAWAY => seen.goaway = word(4),
            RST_STREAM => seen.resets.push((stream, word(0).unwrap_or(0))),
            HEADERS => {
                seen.answered.push(stream);
                // HPACK's static table has `:status: 200` as its eighth entry.
                if payload.first() == Some(&0x88) {
                    seen.taken_up.push(stream);
                }
            }
            _ => {}
        }
    }
    seen
}

/// A frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, high, middle, low] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![high, middle, low, kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The header block of a call, in HPACK's plainest form: nothing indexed, nothing compressed.
pub(crate) fn call_headers(method: &str, more: &[(&str, &str)]) -> Vec<u8> {
    // From the static table: `:method: POST` and `:scheme: http`.
    let mut block = vec![0x83, 0x86];
    for (name, value) in [
        (":path", method),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ]
    .iter()
    .chain(more)
    {
        block.push(0);
        string(&mut block, name);
        string(&mut block, value);
    }
    block
}

/// A string as HPACK has it: a length in a prefix of seven bits, continued in groups of seven.
fn string(block: &mut Vec<u8>, text: &str) {
    if text.len() < 127 {
        block.push(text.len() as u8);
    } else {
        block.push(127);
        let mut rest = text.len() - 127;
        while rest >= 128 {
            block.push((rest % 128) as u8 | 128);
            rest /= 128;
        }
        block.push(rest as u8);
    }
    block.extend_from_slice(text.as_bytes());
}
