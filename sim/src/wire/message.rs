//! What is sent from host to host: one datagram for each frame of a call.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Whose number a call has and which it is.
pub(super) type CallId = u64;

/// Which end of a call a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Caller,
    Callee,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

/// One frame.
#[derive(Debug, Clone)]
pub(super) enum Frame {
    /// The path and headers of a request, or the status and headers of a response.
    Head(String, HeaderMap),
    /// Bytes of a body.
    Data(Bytes),
    /// The end of a body, with its trailers.
    End(HeaderMap),
    /// The call is over; whatever it was about is not answered.
    Reset,
    /// The sender lives and has sent so many numbered frames.
    Alive(u32),
}

impl Frame {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Head(..) => "head",
            Self::Data(_) => "data",
            Self::End(_) => "end",
            Self::Reset => "reset",
            Self::Alive(_) => "alive",
        }
    }
}

/// A frame with its address inside of the two hosts.
#[derive(Debug, Clone)]
pub(super) struct Datagram {
    pub(super) call: CallId,
    /// Which end sends.
    pub(super) from: Side,
    /// Position among the frames of this end; 0 for those without order.
    pub(super) sequence: u32,
    pub(super) frame: Frame,
}

impl Datagram {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(&self.call.to_le_bytes());
        bytes.push(u8::from(self.from == Side::Callee));
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        match &self.frame {
            Frame::Head(line, headers) => {
                bytes.push(0);
                put(&mut bytes, line.as_bytes());
                put_headers(&mut bytes, headers);
            }
            Frame::Data(data) => {
                bytes.push(1);
                bytes.extend_from_slice(data);
            }
            Frame::End(trailers) => {
                bytes.push(2);
                put_headers(&mut bytes, trailers);
            }
            Frame::Reset => bytes.push(3),
            Frame::Alive(count) => {
                bytes.push(4);
                bytes.extend_from_slice(&count.to_le_bytes());
            }
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (call, rest) = bytes.split_first_chunk::<8>()?;
        let (from, rest) = rest.split_first()?;
        let (sequence, rest) = rest.split_first_chunk::<4>()?;
        let (kind, mut rest) = rest.split_first()?;
        let frame = match kind {
            0 => {
                let line = take(&mut rest)?;
                let line = String::from_utf8(line.to_vec()).ok()?;
                Frame::Head(line, take_headers(rest)?)
            }
            1 => Frame::Data(Bytes::copy_from_slice(rest)),
            2 => Frame::End(take_headers(rest)?),
            3 => Frame::Reset,
            _ => Frame::Alive(u32::from_le_bytes(*rest.first_chunk()?)),
        };
        Some(Self {
            call: u64::from_le_bytes(*call),
            from: if *from == 0 {
                Side::Caller
            } else {
                Side::Callee
            },
            sequence: u32::from_le_bytes(*sequence),
            frame,
        })
    }
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
    bytes.extend_from_slice(part);
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let (part, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = behind;
    Some(part)
}

fn put_headers(bytes: &mut Vec<u8>, headers: &HeaderMap) {
    for (name, value) in headers {
        put(bytes, name.as_str().as_bytes());
        put(bytes, value.as_bytes());
    }
}

fn take_headers(mut rest: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    while !rest.is_empty() {
        let name = HeaderName::from_bytes(take(&mut rest)?).ok()?;
        headers.append(name, HeaderValue::from_bytes(take(&mut rest)?).ok()?);
    }
    Some(headers)
}
