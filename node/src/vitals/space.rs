//! The marks of a disk, and how full it is by them.
//!
//! Room is what the file system has free while the ballast is held. Above the low-water mark everything goes. Below it
//! new work is refused and what ends earlier work goes on. Below the reserve nothing is let in any more, runs pause, and
//! what is left is the log's. When the log would find no room for its next segment, the ballast is given up; when that
//! is used up too, the node takes no entries until there is room again. Each level is left a little above the mark
//! where it was entered, so that a disk at a mark does not flap.

use super::Config;
use super::ballast::Ballast;

/// How full a disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub enum Level {
    /// Everything is let in.
    #[default]
    Roomy,
    /// New transfers, accounts, ledgers and records are refused; posts, voids and expiry go on.
    Low,
    /// Only reads are served.
    Reserve,
    /// The log itself has no room: no entries are taken from a leader.
    Full,
}

impl Level {
    /// What a cluster at this level refuses, in words.
    pub fn refused(self) -> &'static str {
        match self {
            Self::Roomy => "nothing",
            Self::Low => "new transfers, accounts, ledgers and records",
            Self::Reserve | Self::Full => "everything but reads",
        }
    }

    /// As a number for the wire; the reverse of [`Level::from_number`].
    pub(crate) fn number(self) -> u32 {
        self as u32
    }

    /// An unknown number, from a newer version, counts as the worst that still has a log.
    pub(crate) fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Roomy,
            1 => Self::Low,
            3 => Self::Full,
            _ => Self::Reserve,
        }
    }
}

/// Free bytes at which a level begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) low: u64,
    pub(super) reserve: u64,
    /// Bytes that the log must find for itself, spare segments included.
    pub(super) log: u64,
    /// One segment, without which the ballast is given up.
    pub(super) segment: u64,
}

impl Marks {
    /// The low-water mark covers what is under way when work is refused: what the door holds, in the log and in the
    /// state; the windows being filled and written; what a compaction writes before it may remove what it read; the
    /// spare segments that are missing, and two more in the place of those that are being used up.
    pub(super) fn of(config: &Config, compaction_bytes: u64, spare_segments: u64) -> Self {
        let missing = 2_u64.saturating_sub(spare_segments);
        let computed = config
            .run_bytes
            .saturating_mul(4)
            .saturating_add(compaction_bytes)
            .saturating_add((missing + 2).saturating_mul(config.segment_bytes))
            .saturating_add(config.door_bytes.saturating_mul(2))
            .saturating_add(config.reserve_bytes);
        Self {
            low: config
                .low_bytes
                .unwrap_or(computed)
                .max(config.reserve_bytes),
            reserve: config.reserve_bytes,
            log: config.segment_bytes.saturating_mul(2),
            segment: config.segment_bytes,
        }
    }

    fn level(&self, room: u64, log_room: u64, before: Level) -> Level {
        let has = |free: u64, mark: u64, level: Level| {
            let more = if before >= level { mark / 16 } else { 0 };
            free >= mark.saturating_add(more)
        };
        if !has(log_room, self.log, Level::Full) {
            Level::Full
        } else if !has(room, self.reserve, Level::Reserve) {
            Level::Reserve
        } else if !has(room, self.low, Level::Low) {
            Level::Low
        } else {
            Level::Roomy
        }
    }
}

/// One disk: its last reading and its ballast.
pub(super) struct Space {
    ballast: Ballast,
    level: Level,
    free: u64,
    marks: Option<Marks>,
}

impl Space {
    pub(super) fn new(ballast: Ballast) -> Self {
        Self {
            ballast,
            level: Level::Roomy,
            free: 0,
            marks: None,
        }
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }

    /// Takes a reading: bytes free, and bytes free or in spare segments.
    pub(super) fn update(&mut self, free: u64, log_room: u64, marks: Marks) {
        let mut room = free;
        if !self.ballast.is_held() {
            room = free.saturating_sub(self.ballast.bytes());
        }
        self.level = marks.level(room, log_room, self.level);
        self.free = free;
        self.marks = Some(marks);
        if self.level == Level::Roomy {
            self.ballast.make();
        } else if self.level >= Level::Reserve && free < marks.segment && self.ballast.is_held() {
            self.ballast.release();
        }
    }

    /// What a person must look at.
    pub(super) fn alarm(&self) -> Option<String> {
        let marks = self.marks?;
        let mark = match self.level {
            Level::Roomy => return None,
            Level::Low => marks.low,
            Level::Reserve | Level::Full => marks.reserve,
        };
        let and_entries = if self.level == Level::Full {
            ", and takes no entries from the leader"
        } else {
            ""
        };
        Some(format!(
            "the disk has {} MiB free and should have {}: this node has no room for {}{and_entries}; make room, it goes on by itself",
            self.free >> 20,
            mark >> 20,
            self.level.refused(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    const MARKS: Marks = Marks {
        low: 1_600 * MIB,
        reserve: 320 * MIB,
        log: 128 * MIB,
        segment: 64 * MIB,
    };

    #[test]
    fn a_filling_disk_passes_every_level_and_comes_back_above_the_marks() {
        let mut level = Level::Roomy;
        let mut seen = Vec::new();
        let filling = (0..2_000).rev();
        for free in filling.chain(0..2_000) {
            let next = MARKS.level(free * MIB, free * MIB, level);
            if next != level {
                seen.push((free, next));
                level = next;
            }
        }
        assert_eq!(
            seen,
            [
                (1_599, Level::Low),
                (319, Level::Reserve),
                (127, Level::Full),
                (136, Level::Reserve),
                (340, Level::Low),
                (1_700, Level::Roomy),
            ]
        );
    }

    #[test]
    fn the_low_mark_covers_runs_compaction_and_missing_segments() {
        let config = Config {
            node_id: 1,
            dir: "d".into(),
            ballast_bytes: 0,
            public_key: None,
            low_bytes: None,
            reserve_bytes: 10,
            segment_bytes: 100,
            door_bytes: 20,
            run_bytes: 1_000,
            sync_slow: std::time::Duration::ZERO,
            scrub: super::super::ScrubConfig {
                period: std::time::Duration::ZERO,
                bytes_per_s: 1,
            },
        };
        assert_eq!(Marks::of(&config, 5_000, 2).low, 9_250);
        assert_eq!(Marks::of(&config, 5_000, 0).low, 9_450);
        let told = |low| Config {
            low_bytes: Some(low),
            ..config.clone()
        };
        assert_eq!(Marks::of(&told(500), 5_000, 2).low, 500);
        assert_eq!(
            Marks::of(&told(5), 5_000, 2).low,
            10,
            "never below the reserve"
        );
    }

    #[test]
    fn levels_survive_the_wire() {
        for level in [Level::Roomy, Level::Low, Level::Reserve, Level::Full] {
            assert_eq!(Level::from_number(level.number()), level);
        }
        assert_eq!(Level::from_number(9), Level::Reserve);
    }
}
