//! Many short runs of the same nemeses, each judged, until so many faults have been injected.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Lines;
use crate::check::Verdict;
use crate::nemesis::{Name, Target};
use crate::run::Summary;

/// One run of a campaign.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Piece {
    /// Seed of every choice.
    pub seed: u64,
    /// What was broken.
    pub nemesis: String,
    /// Which nodes; empty: any.
    pub target: String,
    /// Faults injected by the nemeses of the campaign.
    pub faults: u64,
    /// Points that were reached: zones that were damaged, how many nodes lost their power, what the nodes did.
    pub points: BTreeMap<String, u64>,
    /// How often a person would have been needed.
    pub hands: u64,
    /// Calls answered.
    pub ok: u64,
    /// One word.
    pub verdict: String,
    /// Why, in one sentence.
    pub reason: String,
}

/// A campaign whose runs are judged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judged {
    /// Its name, and that of its file of results.
    pub name: &'static str,
    /// What is broken in every run.
    pub nemeses: &'static [Name],
    /// Which nodes, one kind for each run in turn; empty: any.
    pub targets: &'static [Target],
    /// Files that are damaged before a node is started again.
    pub damages: u32,
}

impl Judged {
    /// Damaged files: flipped bits, cut ends, blocks in wrong places, in every zone.
    pub const CORRUPTION: Self = Self {
        name: "corruption",
        nemeses: &[Name::BitFlip, Name::Truncate, Name::Misplace],
        targets: &[Target::One, Target::Leader],
        damages: 4,
    };
    /// Lost power: one node, the majority, all of them at one moment.
    pub const POWER_LOSS: Self = Self {
        name: "power-loss",
        nemeses: &[Name::PowerLoss],
        targets: &[Target::One, Target::Majority, Target::All],
        damages: 1,
    };
    /// A node that forgets what it promised, and then has to decide.
    pub const AMNESIA: Self = Self {
        name: "amnesia",
        nemeses: &[Name::Amnesia],
        targets: &[],
        damages: 1,
    };

    /// Goes on until the file of results holds `count` faults: `run` carries one run out, given its seed and its kind of
    /// nodes. True when none of all runs in the file was anything but `ok`.
    ///
    /// # Errors
    /// When the file cannot be read or written, or the harness could not do its work.
    pub fn carry_out(
        &self,
        results: &Path,
        count: u64,
        seed: u64,
        mut run: impl FnMut(u64, Option<Target>) -> anyhow::Result<Summary>,
        out: &mut impl Write,
    ) -> anyhow::Result<bool> {
        let mut lines = Lines::<Piece>::open(results)?;
        while faults(&lines) < count {
            let number = lines.all.len();
            let seed = seed + number as u64;
            let target = self.targets.get(number % self.targets.len().max(1));
            let summary = run(seed, target.copied())?;
            if summary.was_interrupted {
                break;
            }
            let piece = self.piece(seed, target, &summary)?;
            lines.add(piece)?;
            say(&lines, count, out)?;
        }
        total(self.name, &lines, out)?;
        Ok(lines.all.iter().all(|piece| piece.verdict == "ok"))
    }

    fn piece(
        &self,
        seed: u64,
        target: Option<&Target>,
        summary: &Summary,
    ) -> anyhow::Result<Piece> {
        let report = &summary.report;
        let reached = |name: &str| report.coverage.get(name).copied().unwrap_or(0);
        let faults = self.nemeses.iter();
        let points = report.coverage.iter();
        let boring = [
            "writes.ok",
            "reads.ok",
            "calls.fail",
            "calls.info",
            "calls.shed",
        ];
        Ok(Piece {
            seed,
            nemesis: summary.nemesis.clone(),
            target: target.map_or(String::new(), |it| format!("{it:?}").to_lowercase()),
            faults: faults
                .map(|name| reached(&format!("fault.{}", name.text())))
                .sum(),
            points: points
                .filter(|(point, _)| !boring.contains(&point.as_str()))
                .map(|(point, count)| (point.clone(), *count))
                .collect(),
            hands: summary.hands,
            ok: report.counts.ok,
            verdict: word(report.verdict)?,
            reason: report.reason.clone(),
        })
    }
}

fn word(verdict: Verdict) -> anyhow::Result<String> {
    let word = serde_json::to_value(verdict)?;
    Ok(word.as_str().unwrap_or_default().to_owned())
}

/// Faults of the pieces in which nothing was wrong: only those count.
fn faults(lines: &Lines<Piece>) -> u64 {
    let fine = lines.all.iter().filter(|piece| piece.verdict == "ok");
    fine.map(|piece| piece.faults).sum()
}

fn say(lines: &Lines<Piece>, count: u64, out: &mut impl Write) -> io::Result<()> {
    let Some(last) = lines.all.last() else {
        return Ok(());
    };
    writeln!(
        out,
        "{} of {count} faults: seed {} {} {}: {} faults, {} hands, {} calls ok: {}",
        faults(lines),
        last.seed,
        last.nemesis,
        last.target,
        last.faults,
        last.hands,
        last.ok,
        if last.verdict == "ok" {
            "ok".into()
        } else {
            format!("{}: {}", last.verdict, last.reason)
        }
    )?;
    out.flush()
}

fn total(name: &str, lines: &Lines<Piece>, out: &mut impl Write) -> io::Result<()> {
    let mut verdicts = BTreeMap::<&str, u64>::new();
    let mut points = BTreeMap::<&str, u64>::new();
    for piece in &lines.all {
        *verdicts.entry(&piece.verdict).or_default() += 1;
        for (point, count) in &piece.points {
            *points.entry(point).or_default() += count;
        }
    }
    let hands: u64 = lines.all.iter().map(|piece| piece.hands).sum();
    let runs = lines.all.len();
    writeln!(
        out,
        "{name}: {} faults in {runs} runs, {hands} hands",
        faults(lines)
    )?;
    writeln!(out, "verdicts: {verdicts:?}")?;
    writeln!(out, "points: {points:?}")
}
