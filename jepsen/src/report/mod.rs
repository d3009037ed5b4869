//! A run for people: one HTML file without anything from outside, and the time line as text.
//!
//! It knows histories and verdicts. It deliberately judges nothing.

mod chart;
mod page;

use std::path::Path;

use anyhow::Context;

use crate::history::{Function, Kind, Phase, Process, Reader, Value};
use crate::run::Summary;

/// A fault on the time line, s.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Shade {
    pub(crate) name: String,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// A call that ended: when (s), how long it took (ms), how.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Dot {
    pub(crate) at: f64,
    pub(crate) took_ms: f64,
    pub(crate) kind: Kind,
}

/// Writes `report.html` and `timeline.txt` into the folder of a run.
///
/// # Errors
/// When the history cannot be read or the files not be written.
pub fn write(dir: &Path, summary: &Summary) -> anyhow::Result<()> {
    let mut lines = String::new();
    let (mut dots, mut shades) = (Vec::new(), Vec::<Shade>::new());
    let mut open = std::collections::HashMap::new();
    let mut end = 0.0_f64;
    for event in Reader::open(&dir.join("history.jsonl"))? {
        let event = event?;
        let at = event.time as f64 / 1e9;
        match event.process {
            Process::Worker(process) if event.kind == Kind::Invoke => {
                open.insert(process, at);
            }
            Process::Worker(process) => {
                end = end.max(at);
                if let Some(began) = open.remove(&process) {
                    dots.push(Dot {
                        at,
                        took_ms: (at - began) * 1e3,
                        kind: event.kind,
                    });
                }
            }
            Process::Nemesis => {
                let name = event.function.name();
                if let Value::Fault(fault) = &event.value {
                    let line = format!(
                        "{at:9.3} {name} {:?} {:?} {}\n",
                        fault.phase, fault.nodes, fault.detail
                    );
                    lines.push_str(&line);
                    shade(&mut shades, name, fault.phase, at);
                }
            }
            Process::Harness => {
                let text = match &event.value {
                    Value::Text(text) => text.as_str(),
                    _ => "",
                };
                if !matches!(
                    event.function,
                    Function::FinalRead | Function::Followed | Function::Coverage
                ) {
                    let (node, term) = (event.facts.node, event.facts.term);
                    let mut line = format!("{at:9.3} {}", event.function.name());
                    node.iter()
                        .for_each(|node| line.push_str(&format!(" node {node}")));
                    term.iter()
                        .for_each(|term| line.push_str(&format!(" term {term}")));
                    lines.push_str(&format!("{line} {text}\n"));
                }
            }
        }
    }
    for shade in shades.iter_mut().filter(|shade| shade.to.is_infinite()) {
        shade.to = end;
    }
    std::fs::write(dir.join("timeline.txt"), lines).context("timeline.txt")?;
    let page = page::page(summary, &dots, &shades, end.max(1.0));
    std::fs::write(dir.join("report.html"), page).context("report.html")
}

fn shade(shades: &mut Vec<Shade>, name: &str, phase: Phase, at: f64) {
    match phase {
        Phase::End => {
            let open = shades.iter_mut().rev();
            let mut open = open.filter(|shade| shade.name == name && shade.to.is_infinite());
            if let Some(shade) = open.next() {
                shade.to = at;
            }
        }
        Phase::Begin | Phase::Blow => shades.push(Shade {
            name: name.to_owned(),
            from: at,
            to: if phase == Phase::Blow {
                at + 0.2
            } else {
                f64::INFINITY
            },
        }),
    }
}
