//! A campaign's file of results: JSON lines, appended, read back to go on.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A file of results.
#[derive(Debug)]
pub struct Lines<T> {
    file: File,
    /// All lines so far.
    pub all: Vec<T>,
}

impl<T: Serialize + DeserializeOwned> Lines<T> {
    /// Opens the file, or begins it; a line that a crash cut is an error for a person to look at.
    ///
    /// # Errors
    /// When it cannot be read or holds something else.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        let file = options.create(true).read(true).append(true).open(path)?;
        let mut all = Vec::new();
        for line in BufReader::new(&file).lines() {
            all.push(serde_json::from_str(&line?)?);
        }
        Ok(Self { file, all })
    }

    /// Appends a line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, line: T) -> io::Result<()> {
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        self.all.push(line);
        Ok(())
    }
}

/// The value below which so many of a thousand are; 0 without any.
pub(super) fn quantile(values: &[f64], per_mille: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() * per_mille).div_ceil(1000).max(1) - 1;
    sorted.get(at).copied().unwrap_or(0.0)
}

/// Rounded to a tenth: more digits would say more than was measured.
pub(super) fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_was_added_is_there_when_the_file_is_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results/x.jsonl");
        let mut lines = Lines::open(&path).unwrap();
        lines.add(7_u64).unwrap();
        lines.add(9).unwrap();
        assert_eq!(Lines::<u64>::open(&path).unwrap().all, [7, 9]);
    }

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert_eq!(quantile(&values, 500), 100.0);
        assert_eq!(quantile(&values, 990), 198.0);
        assert_eq!(quantile(&values, 1000), 200.0);
        assert_eq!(quantile(&[], 990), 0.0);
        assert_eq!(quantile(&[3.0], 1), 3.0);
    }
}
