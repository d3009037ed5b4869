//! Rust sources without their comments and literals, so that only code is searched.

use std::fs;
use std::path::Path;

/// One source file.
pub(crate) struct Source {
    /// Path from the searched folder, with `/`.
    pub(crate) path: String,
    /// The code, with comments and the contents of literals blanked; lines stay where they are.
    pub(crate) code: String,
}

/// Every `.rs` file below a folder, sorted by path, without build products and hidden folders.
pub(crate) fn read_tree(root: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && !name.starts_with("farthing-data")
                {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") {
                let relative = path.strip_prefix(root).unwrap();
                found.push(Source {
                    path: relative.to_string_lossy().replace('\\', "/"),
                    code: blank(&fs::read_to_string(&path).unwrap()),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Replaces comments, and what stands inside string and character literals, by spaces.
pub(crate) fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end > at {
            out.extend(
                chars[at..end]
                    .iter()
                    .map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` when none begins there.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => find(chars, at, &['\n']).unwrap_or(chars.len()),
        '/' if next == Some('*') => block_comment_end(chars, at),
        '"' => quoted_end(chars, at + 1, '"'),
        'r' if !follows_word(chars, at) => raw_string_end(chars, at).unwrap_or(at),
        // A character literal, unless it is a lifetime: 'a' and '\n', but not 'a.
        '\'' if next == Some('\\') || chars.get(at + 2) == Some(&'\'') => {
            quoted_end(chars, at + 1, '\'')
        }
        _ => at,
    }
}

fn follows_word(chars: &[char], at: usize) -> bool {
    // `br"..."` is a raw string as well; any other word that ends in r is a name.
    at.checked_sub(1).is_some_and(|before| {
        let c = chars[before];
        (c.is_alphanumeric() || c == '_')
            && !(c == 'b' && (before == 0 || !chars[before - 1].is_alphanumeric()))
    })
}

fn quoted_end(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

fn block_comment_end(chars: &[char], from: usize) -> usize {
    let (mut depth, mut at) = (0_usize, from);
    while at < chars.len() {
        if chars[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if chars[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    chars.len()
}

fn raw_string_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    let open = at + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let mut closing = vec!['"'];
    closing.extend(std::iter::repeat_n('#', hashes));
    Some(find(chars, open + 1, &closing).map_or(chars.len(), |end| end + closing.len()))
}

fn find(chars: &[char], from: usize, wanted: &[char]) -> Option<usize> {
    (from..chars.len()).find(|at| chars[*at..].starts_with(wanted))
}

/// Line of a byte position, from 1.
pub(crate) fn line(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// Byte positions at which `path` (`openraft::`) stands in the code as the beginning of a path, not as part of a
/// longer name or path.
pub(crate) fn positions(code: &str, path: &str) -> Vec<usize> {
    code.match_indices(path)
        .map(|(at, _)| at)
        .filter(|at| {
            !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                || code[..*at].ends_with(" ::")
        })
        .collect()
}

#[test]
fn comments_and_literals_are_blank_and_code_stays() {
    let text = "a // rocksdb::\n/* x /* y */ rocksdb:: */ b \"rocksdb::\\\"\" 'r' c r#\"rocksdb::\"# d<'r> br\"q\" var\"s\"";
    let code = blank(text);
    assert!(!code.contains("rocksdb"), "{code}");
    for word in ["a ", " b ", " c ", " d<'r>", "var"] {
        assert!(code.contains(word), "{word} is lost from {code}");
    }
    assert_eq!(code.lines().count(), text.lines().count());
}

#[test]
fn a_path_is_found_only_as_a_whole() {
    assert_eq!(positions("use openraft::Raft;", "openraft::"), [4]);
    assert!(positions("use my_openraft::Raft; use x::openraft::y;", "openraft::").is_empty());
}
