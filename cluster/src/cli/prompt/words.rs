//! A line cut into words, as a shell would: quotes keep blanks, a backslash keeps the character after it, `#` at the
//! beginning of a word begins a comment. Nothing is expanded.

/// The words of a line.
///
/// # Errors
/// In words, when a quote is not closed or the line ends with a backslash.
pub(in crate::cli) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut cut = Cut::new(line);
    let mut words = Vec::new();
    while let Some(word) = cut.next_word() {
        match word.open {
            Some('\\') => return Err("the line ends with a backslash".to_owned()),
            Some(quote) => return Err(format!("a quote {quote} is not closed")),
            None => words.push(word.text),
        }
    }
    Ok(words)
}

/// The words before the one that is being typed, and that one with the byte at which it begins.
pub(super) fn unfinished(line: &str) -> (Vec<String>, usize, String) {
    let mut cut = Cut::new(line);
    let mut words = Vec::new();
    let mut last = None;
    while let Some(word) = cut.next_word() {
        if let Some(before) = last.replace(word) {
            words.push(before.text);
        }
    }
    match last {
        Some(word) if word.end == line.len() => (words, word.begin, word.text),
        Some(word) => {
            words.push(word.text);
            (words, line.len(), String::new())
        }
        None => (words, line.len(), String::new()),
    }
}

struct Word {
    text: String,
    begin: usize,
    end: usize,
    /// What still waits for its end: a quote or a backslash.
    open: Option<char>,
}

struct Cut<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cut<'a> {
    const fn new(line: &'a str) -> Self {
        Self { line, at: 0 }
    }

    fn next_word(&mut self) -> Option<Word> {
        let rest = &self.line[self.at..];
        let begin = self.at + (rest.len() - rest.trim_start().len());
        let rest = &self.line[begin..];
        if rest.is_empty() || rest.starts_with('#') {
            self.at = self.line.len();
            return None;
        }
        let mut text = String::new();
        let mut quote = None;
        let mut escaped = false;
        let mut end = self.line.len();
        for (at, c) in rest.char_indices() {
            match (c, quote) {
                _ if escaped => {
                    escaped = false;
                    text.push(c);
                }
                // As in a shell: nothing is special between single quotes.
                ('\\', None | Some('"')) => escaped = true,
                ('"' | '\'', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                (c, None) if c.is_whitespace() => {
                    end = begin + at;
                    break;
                }
                (c, _) => text.push(c),
            }
        }
        self.at = end;
        let open = if escaped { Some('\\') } else { quote };
        Some(Word {
            text,
            begin,
            end,
            open,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_quotes_and_comments() {
        for (line, words) in [
            ("", &[][..]),
            ("  account   get 7 ", &["account", "get", "7"]),
            ("import 'my file.csv'", &["import", "my file.csv"]),
            (r#"a "b \" c" d\ e"#, &["a", "b \" c", "d e"]),
            ("'a\\b'", &["a\\b"]),
            ("verify # the books", &["verify"]),
            (
                "id derive customer a#b",
                &["id", "derive", "customer", "a#b"],
            ),
            ("''", &[""]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
        assert!(split("import 'my file").unwrap_err().contains('\''));
        assert!(split("import my\\").is_err());
    }

    #[test]
    fn the_word_being_typed_is_told_apart() {
        let parts = |line| {
            let (words, begin, word) = unfinished(line);
            (words.join(" "), begin, word)
        };
        assert_eq!(parts("acc"), (String::new(), 0, "acc".into()));
        assert_eq!(parts("account ge"), ("account".into(), 8, "ge".into()));
        assert_eq!(
            parts("account get "),
            ("account get".into(), 12, String::new())
        );
        assert_eq!(parts(""), (String::new(), 0, String::new()));
    }
}
