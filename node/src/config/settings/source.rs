//! A configuration file read key by key, so that one that is wrong does not hide the others.

use std::fmt::Write as _;

use serde::Deserialize as _;

use super::super::file::File;
use super::{HIDDEN, KEYS, Problem};

/// What a file says, as far as it can be read.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Values of known keys whose types are right.
    pub(super) values: toml::Table,
    /// Line of every known key.
    pub(super) lines: Vec<(String, usize)>,
}

impl Source {
    /// Reads a file's text; what is wrong with it is noted and left out.
    pub(super) fn new(text: &str, problems: &mut Vec<Problem>) -> Self {
        let mut source = Self::default();
        let parsed = text.parse::<toml::Table>();
        let spanned = toml::de::DeTable::parse(text);
        let (values, spans) = match (parsed, spanned) {
            (Ok(values), Ok(spans)) => (values, spans),
            (Err(error), _) | (_, Err(error)) => {
                problems.push(Problem {
                    key: None,
                    line: error.span().map(|span| line(text, span.start)),
                    what: error.message().to_owned(),
                });
                return source;
            }
        };
        for (key, value) in spans.get_ref() {
            let name = key.get_ref().to_string();
            match value.get_ref().as_table() {
                Some(section) if is_section(&name) => {
                    for (key, _) in section {
                        let at = line(text, key.span().start);
                        source.lines.push((format!("{name}.{}", key.get_ref()), at));
                    }
                }
                _ => source.lines.push((name, line(text, key.span().start))),
            }
        }
        source.lines.sort_by_key(|(_, line)| *line);
        for (key, line) in source.lines.clone() {
            let mut problem = |what: String| {
                problems.push(Problem {
                    key: Some(key.clone()),
                    line: Some(line),
                    what,
                });
            };
            if !KEYS.contains(&key.as_str()) {
                problem(if is_section(&key) {
                    format!("it is a section: write [{key}] and its settings below")
                } else {
                    unknown(&key)
                });
                continue;
            }
            let Some(one) = alone(&values, &key) else {
                continue;
            };
            match File::deserialize(one.clone()) {
                Ok(_) => merge(&mut source.values, one),
                Err(error) => problem(plain(error.message())),
            }
        }
        source
    }

    pub(super) fn line(&self, key: &str) -> Option<usize> {
        let mut lines = self.lines.iter();
        lines.find(|(known, _)| known == key).map(|(_, line)| *line)
    }

    /// Leaves a key out; whether it was there.
    pub(super) fn remove(&mut self, key: &str) -> bool {
        match key.split_once('.') {
            Some((section, key)) => self
                .values
                .get_mut(section)
                .and_then(toml::Value::as_table_mut)
                .is_some_and(|section| section.remove(key).is_some()),
            None => self.values.remove(key).is_some(),
        }
    }
}

fn line(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| {
        key.split_once('.')
            .is_some_and(|(section, _)| section == name)
    })
}

/// A table with nothing but this key.
fn alone(values: &toml::Table, key: &str) -> Option<toml::Table> {
    let mut one = toml::Table::new();
    match key.split_once('.') {
        Some((section, key)) => {
            let value = values.get(section)?.as_table()?.get(key)?;
            let inner = toml::Table::from_iter([(key.to_owned(), value.clone())]);
            one.insert(section.to_owned(), inner.into());
        }
        None => {
            one.insert(key.to_owned(), values.get(key)?.clone());
        }
    }
    Some(one)
}

fn merge(into: &mut toml::Table, one: toml::Table) {
    for (key, value) in one {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(section)), toml::Value::Table(more)) => section.extend(more),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn unknown(key: &str) -> String {
    let mut text = "there is no such setting".to_owned();
    let likely = KEYS
        .iter()
        .filter(|known| **known != HIDDEN)
        .map(|known| (distance(known, key), *known))
        .min();
    if let Some((apart, known)) = likely
        && apart <= 3
    {
        let _ = write!(text, "; perhaps {known}");
    }
    text
}

/// How many letters have to be put in, taken out or replaced to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, a) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (column, b) in other.iter().enumerate() {
            let replaced = before + usize::from(a != *b);
            before = row[column + 1];
            row[column + 1] = replaced.min(before + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

/// The parser's words without the names of types.
fn plain(message: &str) -> String {
    let mut text = message.trim().to_owned();
    for (name, words) in [
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected i64", "expected a whole number"),
        ("expected path string", "expected text in quotes"),
        ("expected a string", "expected text in quotes"),
        ("expected a boolean", "expected true or false"),
        (
            "expected struct FileMember",
            "expected id, client_address and peer_address of each, as [[members]]",
        ),
    ] {
        text = text.replace(name, words);
    }
    text
}
