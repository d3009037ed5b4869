//! What a subscriber of the event stream saw.

use farthing_client::Transfer;
use serde::{Deserialize, Serialize};

use super::number::Hex;
use super::transfers::TransferRow;

/// `followed`: one part of what one subscriber saw; the parts of one subscriber differ in their transfers only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Followed {
    /// Which subscriber.
    pub follower: String,
    /// Whether it went from node to node; its transfers are written down then.
    pub roams: bool,
    /// The last sequence it saw.
    pub last: u64,
    /// Whether that was the end.
    pub complete: bool,
    /// Of all events, in order.
    pub hash: Hex,
    /// What was wrong with the stream in itself, in words.
    pub wrong: Vec<String>,
    /// Transfers of the stream, in order.
    pub transfers: Vec<Transfer>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    follower: String,
    roams: bool,
    last: u64,
    complete: bool,
    hash: Hex,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    wrong: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    transfers: Vec<TransferRow>,
}

impl Serialize for Followed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Form {
            follower: self.follower.clone(),
            roams: self.roams,
            last: self.last,
            complete: self.complete,
            hash: self.hash,
            wrong: self.wrong.clone(),
            transfers: self.transfers.iter().map(|row| TransferRow(*row)).collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Followed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Form::deserialize(deserializer)?;
        Ok(Self {
            follower: form.follower,
            roams: form.roams,
            last: form.last,
            complete: form.complete,
            hash: form.hash,
            wrong: form.wrong,
            transfers: form.transfers.into_iter().map(|row| row.0).collect(),
        })
    }
}
