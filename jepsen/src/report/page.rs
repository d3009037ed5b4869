//! The page around the charts.

use std::fmt::Write as _;

use super::{Dot, Shade, chart};
use crate::run::Summary;

const STYLE: &str = "body{font:15px system-ui,sans-serif;max-width:1040px;margin:2em auto;color:#222}\
svg{width:100%}svg text{font-size:11px;fill:#555}line{stroke:#ddd}.fault{fill:#d33;fill-opacity:.13}\
circle.ok{fill:#27813b}circle.bad{fill:#b8860b}circle.info{fill:#b00020}polyline{fill:none;stroke-width:1.5}\
polyline.ok{stroke:#27813b}polyline.bad{stroke:#b8860b}polyline.info{stroke:#b00020}\
table{border-collapse:collapse}td,th{padding:2px 10px;border-bottom:1px solid #ddd;text-align:right}\
td:first-child,th:first-child{text-align:left}code{background:#f3f3f3;padding:1px 4px}";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

pub(super) fn page(summary: &Summary, dots: &[Dot], shades: &[Shade], end: f64) -> String {
    let report = &summary.report;
    let word = format!("{:?}", report.verdict).to_lowercase();
    let mut html = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>{word}: {} / {}</title><style>{STYLE}</style>\
         <h1>{word}: {} under {}</h1><p>{}</p><p><code>{}</code></p>",
        summary.workload,
        summary.nemesis,
        summary.workload,
        summary.nemesis,
        escape(&report.reason),
        escape(&summary.command)
    );
    let counts = &report.counts;
    let _ = write!(
        html,
        "<p>{} calls: {} ok, {} fail (certainly did not happen), {} info (unknown; {} of them happened, {} did not). \
         {} faults, {} hands, {} nodes, hosts: {}.</p>",
        counts.operations,
        counts.ok,
        counts.fail,
        counts.info,
        counts.info_happened,
        counts.info_did_not_happen,
        summary.faults,
        summary.hands,
        summary.nodes,
        summary.hosts
    );
    html.push_str(&chart::latency(dots, shades, end));
    html.push_str(&chart::throughput(dots, shades, end));
    if !report.violations.is_empty() {
        html.push_str("<h2>Violations</h2><ul>");
        for violation in &report.violations {
            let _ = write!(
                html,
                "<li>{:?}, events {:?}: {}</li>",
                violation.checker,
                violation.events,
                escape(&violation.message)
            );
        }
        html.push_str("</ul>");
    }
    html.push_str("<h2>Service by fault</h2><table><tr><th>fault<th>from ms<th>to ms<th>ok<th>fail<th>info<th>longest gap ms<th>p50 ms<th>p99 ms</tr>");
    for window in &report.windows {
        let _ = write!(
            html,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{:.1}<td>{:.1}</tr>",
            window.fault,
            window.from_ms,
            window.to_ms,
            window.ok_count,
            window.fail_count,
            window.info_count,
            window.gap_ms_max,
            window.latency_ms_p50,
            window.latency_ms_p99
        );
    }
    html.push_str("</table><h2>Points reached</h2><table>");
    for (point, count) in &report.coverage {
        let _ = write!(html, "<tr><td>{point}<td>{count}</tr>");
    }
    html.push_str("</table>");
    html
}
