//! Decimal text of amounts: exact or refused.

use farthing_ledger::amount::{TEXT_BYTES_MAX, format, parse};

use super::Part;
use crate::budget::within;

pub(super) const PART: Part = Part {
    name: "amount",
    run,
    seeds,
    words: &[
        "0.",
        "00",
        "340282366920938463463374607431768211455",
        "NaN",
        "e1",
        "-",
        "+",
        "\u{0663}",
    ],
};

/// A byte for the scale, then the text.
fn run(bytes: &[u8]) {
    let Some((scale, text)) = bytes.split_first() else {
        return;
    };
    let scale = scale % 42;
    let text = String::from_utf8_lossy(text);
    let read = within(text.len() + 64, || parse(&text, scale));
    let Ok(amount) = read else {
        return;
    };
    let written = format(amount, scale).expect("a scale that was read with can be written with");
    assert!(written.len() <= TEXT_BYTES_MAX, "{written}");
    assert_eq!(parse(&written, scale), Ok(amount), "{written} for {text}");
    assert_eq!(written, shortest(&text), "not the number that was written");
}

/// The same number without zeros that say nothing, by text alone.
fn shortest(text: &str) -> String {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    match decimals.trim_end_matches('0') {
        "" => whole.to_owned(),
        decimals => format!("{whole}.{decimals}"),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        (0, "340282366920938463463374607431768211455"),
        (2, "12.50"),
        (2, "0.00"),
        (38, "3.40282366920938463463374607431768211455"),
        (2, "1.005"),
        (39, "1"),
        (2, "1e3"),
    ]
    .iter()
    .map(|(scale, text)| [&[*scale], text.as_bytes()].concat())
    .collect()
}
