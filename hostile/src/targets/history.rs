//! Histories of test runs: a checker must not be fooled, or felled, by the file it judges.

use farthing_jepsen::history::Event;
use farthing_jepsen::synthetic::{Config, Synthetic};

use super::Part;
use crate::budget::within;

pub(super) const PART: Part = Part {
    name: "history",
    run,
    seeds,
    words: &[
        "\"index\":",
        "\"type\":\"ok\"",
        "\"process\":",
        "\"nemesis\"",
        "\"f\":",
        "\"value\":",
        "null",
        "[",
        "{",
        "\"error\":\"",
        "\"retried\":true",
        "\"digest\":\"",
        "\\u0000",
        "1e999",
    ],
};

/// Each line by itself: what reads whole files does it on threads of its own, whose memory could not be told from that
/// of others.
fn run(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else {
            continue;
        };
        let Ok(event) = within(512 * line.len() + (64 << 10), || Event::parse(line)) else {
            continue;
        };
        let written = serde_json::to_string(&event).expect("an event can be written");
        let again = Event::parse(&written).expect("what was written can be read");
        assert_eq!(again, event, "{written}");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let config = Config {
        operations: 40,
        ..Config::default()
    };
    let lines: Vec<String> = Synthetic::new(config)
        .filter_map(|event| serde_json::to_string(&event).ok())
        .collect();
    // Every kind of line once, as far as a short history has it, and the beginning of a history.
    let mut seeds = vec![lines[..lines.len().min(6)].join("\n").into_bytes()];
    let mut seen = Vec::new();
    for line in &lines {
        let kind = line
            .split("\"f\":")
            .nth(1)
            .map(|rest| &rest[..rest.len().min(6)]);
        let phase = line
            .split("\"type\":")
            .nth(1)
            .map(|rest| &rest[..rest.len().min(4)]);
        if line.len() < 4_096 && !seen.contains(&(kind, phase)) {
            seen.push((kind, phase));
            seeds.push(line.as_bytes().to_vec());
        }
    }
    seeds
}
