//! Rows and columns, written aligned or as CSV.

use std::fmt::Write as _;

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table with a header line.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these columns.
    #[must_use]
    pub fn new(columns: &[(&str, Align)]) -> Self {
        Self {
            columns: columns
                .iter()
                .map(|(name, align)| ((*name).to_owned(), *align))
                .collect(),
            rows: Vec::new(),
        }
    }

    /// A table of names and values, one pair a row.
    #[must_use]
    pub fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let mut table = Self::new(&[("field", Align::Left), ("value", Align::Left)]);
        for (name, value) in pairs {
            table.row(vec![name.to_owned(), value]);
        }
        table
    }

    /// Adds a row; missing cells are empty, surplus cells are dropped.
    pub fn row(&mut self, mut cells: Vec<String>) {
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as it fits a terminal of so many columns: aligned, or, when that is too wide, row by row with a name and
    /// a value on each line, empty ones left out.
    #[must_use]
    pub fn to_width(&self, width: Option<usize>, colour: bool) -> String {
        let text = self.to_text(false);
        let widest = text.lines().map(|line| line.chars().count()).max();
        if width.is_none_or(|width| widest <= Some(width)) {
            return self.to_text(colour);
        }
        let names = self.columns.iter().map(|(name, _)| name.chars().count());
        let names = names.max().unwrap_or(0);
        let block = |row: &Vec<String>| {
            let cells = self
                .columns
                .iter()
                .zip(row)
                .filter(|(_, cell)| !cell.is_empty());
            cells
                .map(|((name, _), cell)| {
                    if colour {
                        format!("\u{1b}[1m{name:<names$}\u{1b}[0m  {cell}\n")
                    } else {
                        format!("{name:<names$}  {cell}\n")
                    }
                })
                .collect()
        };
        let blocks: Vec<String> = self.rows.iter().map(block).collect();
        blocks.join("\n")
    }

    /// The table with aligned columns, every line ended.
    #[must_use]
    pub fn to_text(&self, colour: bool) -> String {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, (name, _))| {
                let cells = self.rows.iter().filter_map(|row| row.get(at));
                cells
                    .map(|cell| cell.chars().count())
                    .chain([name.chars().count()])
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let header: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let mut text = String::new();
        let line = self.line(&header, &widths);
        if colour {
            let _ = writeln!(text, "\u{1b}[1m{line}\u{1b}[0m");
        } else {
            let _ = writeln!(text, "{line}");
        }
        for row in &self.rows {
            let _ = writeln!(text, "{}", self.line(row, &widths));
        }
        text
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, width), (_, align)) in cells.iter().zip(widths).zip(&self.columns) {
            if !line.is_empty() {
                line.push_str("  ");
            }
            match align {
                Align::Left => {
                    let _ = write!(line, "{cell:<width$}");
                }
                Align::Right => {
                    let _ = write!(line, "{cell:>width$}");
                }
            }
        }
        line.trim_end().to_owned()
    }

    /// The table as CSV with a header line.
    ///
    /// # Errors
    /// Only when the CSV writer fails in memory, which it does not.
    pub fn to_csv(&self) -> Result<String, std::io::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(|(name, _)| name))?;
        for row in &self.rows {
            writer.write_record(row)?;
        }
        let bytes = writer.into_inner().map_err(|error| error.into_error())?;
        String::from_utf8(bytes)
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(&[("id", Align::Right), ("role", Align::Left)]);
        table.row(vec!["1".into(), "leader".into()]);
        table.row(vec!["12".into(), "a, b".into()]);
        table
    }

    #[test]
    fn numbers_stand_right_and_words_left() {
        assert_eq!(sample().to_text(false), "id  role\n 1  leader\n12  a, b\n");
    }

    #[test]
    fn what_is_too_wide_stands_below_each_other() {
        assert_eq!(sample().to_width(Some(10), false), sample().to_text(false));
        assert_eq!(
            sample().to_width(Some(8), false),
            "id    1\nrole  leader\n\nid    12\nrole  a, b\n"
        );
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        assert_eq!(
            sample().to_csv().unwrap(),
            "id,role\n1,leader\n12,\"a, b\"\n"
        );
    }
}
