//! Charts as inline SVG.

use std::fmt::Write as _;

use super::{Dot, Shade};
use crate::history::Kind;

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 30.0;
/// Dots drawn at most; more would only be slower to look at.
const DOTS_MAX: usize = 12_000;

fn x(at: f64, end: f64) -> f64 {
    LEFT + at / end * (WIDTH - LEFT - 10.0)
}

fn frame(title: &str, shades: &[Shade], end: f64) -> String {
    let mut svg = format!(
        "<h2>{title}</h2><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" xmlns=\"http://www.w3.org/2000/svg\">"
    );
    for shade in shades {
        let (from, to) = (x(shade.from, end), x(shade.to, end));
        let _ = write!(
            svg,
            "<rect class=\"fault\" x=\"{from:.1}\" y=\"10\" width=\"{:.1}\" height=\"{:.1}\"><title>{} {:.1}-{:.1} s</title></rect>",
            (to - from).max(1.0),
            HEIGHT - BOTTOM - 10.0,
            shade.name,
            shade.from,
            shade.to
        );
    }
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 60.0]
        .into_iter()
        .find(|step| end / step <= 20.0)
        .unwrap_or(300.0);
    let mut at = 0.0;
    while at <= end {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\">{at:.0} s</text>",
            x(at, end),
            HEIGHT - 10.0
        );
        at += step;
    }
    svg
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Ok => "ok",
        Kind::Fail => "bad",
        Kind::Invoke | Kind::Info => "info",
    }
}

/// One dot for each call, logarithmic from 0.1 ms to 10 s.
pub(super) fn latency(dots: &[Dot], shades: &[Shade], end: f64) -> String {
    let mut svg = frame("Latency of each call", shades, end);
    let y = |ms: f64| {
        let share = (ms.clamp(0.1, 10_000.0).log10() + 1.0) / 5.0;
        10.0 + (1.0 - share) * (HEIGHT - BOTTOM - 10.0)
    };
    for (ms, label) in [
        (0.1, "0.1 ms"),
        (1.0, "1 ms"),
        (10.0, "10 ms"),
        (100.0, "100 ms"),
        (1e3, "1 s"),
    ] {
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/><text x=\"2\" y=\"{0:.1}\">{label}</text>",
            y(ms)
        );
    }
    let skip = dots.len() / DOTS_MAX + 1;
    // What did not go well is always drawn.
    let drawn = dots
        .iter()
        .enumerate()
        .filter(|(number, dot)| dot.kind != Kind::Ok || number % skip == 0);
    for (_, dot) in drawn.take(2 * DOTS_MAX) {
        let _ = write!(
            svg,
            "<circle class=\"{}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"1.4\"/>",
            class(dot.kind),
            x(dot.at, end),
            y(dot.took_ms)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Calls that ended in each half second, by how they ended.
pub(super) fn throughput(dots: &[Dot], shades: &[Shade], end: f64) -> String {
    let mut svg = frame("Calls a second", shades, end);
    let slots = (end * 2.0) as usize + 1;
    let kinds = [Kind::Ok, Kind::Fail, Kind::Info];
    let mut counts = vec![vec![0_u32; slots]; kinds.len()];
    for dot in dots {
        let slot = ((dot.at * 2.0) as usize).min(slots - 1);
        if let Some(kind) = kinds.iter().position(|kind| *kind == dot.kind) {
            counts[kind][slot] += 1;
        }
    }
    let most = counts.iter().flatten().copied().max().unwrap_or(0).max(1);
    let _ = write!(svg, "<text x=\"2\" y=\"20\">{}/s</text>", 2 * most);
    for (kind, counts) in kinds.iter().zip(&counts) {
        let _ = write!(svg, "<polyline class=\"{}\" points=\"", class(*kind));
        for (slot, count) in counts.iter().enumerate() {
            let share = f64::from(*count) / f64::from(most);
            let y = 10.0 + (1.0 - share) * (HEIGHT - BOTTOM - 10.0);
            let _ = write!(svg, "{:.1},{y:.1} ", x((slot as f64 / 2.0).min(end), end));
        }
        svg.push_str("\"/>");
    }
    svg.push_str("</svg>");
    svg
}
