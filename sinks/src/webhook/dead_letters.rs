//! Events that a receiver does not take, kept for a person.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;

use crate::cloud_event::{CloudEvent, Origin};
use crate::delivery::Delivery;
use crate::error::Error;
use crate::file::{Lines, lock};

/// A directory of NDJSON files, one begun by each run of the sink that needs one.
#[derive(Debug)]
pub(super) struct DeadLetters {
    dir: PathBuf,
    _lock: File,
    lines: Option<Lines>,
    count: u64,
}

impl DeadLetters {
    pub(super) fn open(dir: &Path) -> Result<DeadLetters, Error> {
        Ok(DeadLetters {
            _lock: lock(dir)?,
            dir: dir.to_owned(),
            lines: None,
            count: 0,
        })
    }

    /// How many there were since the start.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Keeps events with the reason; they are on the disk when it returns.
    pub(super) fn put(
        &mut self,
        origin: &Origin,
        events: &[Delivery],
        reason: &str,
    ) -> Result<(), Error> {
        let reason = Value::from(reason).to_string();
        let now = DateTime::<Utc>::from(SystemTime::now());
        let time = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut text = Vec::new();
        for event in events {
            let head = format!("{{\"reason\":{reason},\"put_aside\":\"{time}\",\"event\":");
            text.extend_from_slice(head.as_bytes());
            CloudEvent::new(origin, event).write_structured(&mut text);
            text.extend_from_slice(b"}\n");
        }
        // Taken out: after an error the file is not what it should be, and another one is begun.
        let mut lines = match (self.lines.take(), events.first()) {
            (Some(lines), _) => lines,
            (None, Some(first)) => Lines::create(&self.free(first.sequence))?,
            (None, None) => return Ok(()),
        };
        lines.append(&text)?;
        self.lines = Some(lines);
        self.count += events.len() as u64;
        Ok(())
    }

    /// A name that no file has: an event may come here twice, by two runs.
    fn free(&self, first: u64) -> PathBuf {
        let name = |number: u32| match number {
            1 => format!("dead-letters-{first:020}.ndjson"),
            _ => format!("dead-letters-{first:020}-{number}.ndjson"),
        };
        let mut paths = (1..u32::MAX).map(|number| self.dir.join(name(number)));
        paths
            .find(|path| !path.exists())
            .unwrap_or_else(|| self.dir.join(name(1)))
    }
}
