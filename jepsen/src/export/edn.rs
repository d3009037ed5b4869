//! Every event as an EDN map: JSON's names become keywords, the rest stands as it is.

use std::io::{self, Write};

use serde_json::Value as Json;

use crate::history::Event;

/// Names whose values are words of the format, and so keywords.
const WORDS: [&str; 4] = ["type", "f", "phase", "consistency"];

pub(super) fn event(event: &Event, out: &mut impl Write) -> io::Result<()> {
    // Exports are for histories of a size that other checkers can take, so the way through a tree is fast enough.
    let tree = serde_json::to_value(event)?;
    write(&tree, out)?;
    out.write_all(b"\n")
}

fn write(tree: &Json, out: &mut impl Write) -> io::Result<()> {
    match tree {
        Json::Null => out.write_all(b"nil"),
        // EDN's text has the escapes of JSON's.
        Json::Bool(_) | Json::Number(_) | Json::String(_) => write!(out, "{tree}"),
        Json::Array(list) => {
            out.write_all(b"[")?;
            for (place, item) in list.iter().enumerate() {
                if place != 0 {
                    out.write_all(b" ")?;
                }
                write(item, out)?;
            }
            out.write_all(b"]")
        }
        Json::Object(map) => {
            out.write_all(b"{")?;
            for (place, (name, value)) in map.iter().enumerate() {
                if place != 0 {
                    out.write_all(b", ")?;
                }
                write!(out, ":{} ", name.replace('_', "-"))?;
                match value {
                    Json::String(word) if WORDS.contains(&name.as_str()) => write!(out, ":{word}")?,
                    // Jepsen's own name for what breaks things is a keyword.
                    Json::String(word) if name == "process" => write!(out, ":{word}")?,
                    value => write(value, out)?,
                }
            }
            out.write_all(b"}")
        }
    }
}
