//! What can stand where the cursor is: read from the same tree of commands that parses the line.

use clap::builder::ValueHint;
use clap::{Arg, Command};

use super::words;
use crate::explain;

/// What can stand at the end of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Candidates {
    /// These words, in place of the text from this byte on.
    Words(usize, Vec<String>),
    /// A file's name.
    File,
}

/// What can stand at the end of `line`. `root` must have been built, so that every command has its flags.
pub(super) fn candidates(root: &Command, line: &str) -> Candidates {
    let (before, begin, word) = words::unfinished(line);
    let mut command = root;
    // The flag whose value is due.
    let mut due: Option<&Arg> = None;
    for word in &before {
        if due.take().is_some() {
            continue;
        }
        if word.starts_with('-') {
            due = flag(command, word).filter(|arg| arg.get_action().takes_values());
        } else if let Some(sub) = command.find_subcommand(word) {
            command = sub;
        } else if command.get_name() == super::WATCH {
            // What follows is a command line of its own.
            command = root.find_subcommand(word).unwrap_or(root);
        }
    }
    let mut found = match due {
        Some(arg) => match values(arg) {
            Some(values) => values,
            None => return Candidates::File,
        },
        None if word.starts_with('-') => flags(command),
        None if command.get_name() == super::WATCH => subcommands(root),
        None if command.has_subcommands() => subcommands(command),
        None if command.get_name() == super::EXPLAIN => statuses(),
        None => match command.get_positionals().next().map(values) {
            Some(Some(values)) => values,
            Some(None) => return Candidates::File,
            None => Vec::new(),
        },
    };
    found.retain(|candidate| candidate.starts_with(&word));
    found.sort_unstable();
    found.dedup();
    Candidates::Words(begin, found)
}

fn flag<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    // `--flag=value` is complete.
    if word.contains('=') {
        return None;
    }
    command.get_arguments().find(|arg| {
        let long = arg
            .get_long()
            .is_some_and(|long| word == format!("--{long}"));
        let short = arg
            .get_short()
            .is_some_and(|short| word == format!("-{short}"));
        long || short
    })
}

fn flags(command: &Command) -> Vec<String> {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    shown
        .filter_map(|arg| arg.get_long().map(|long| format!("--{long}")))
        .collect()
}

fn subcommands(command: &Command) -> Vec<String> {
    let shown = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    shown.map(|sub| sub.get_name().to_owned()).collect()
}

fn statuses() -> Vec<String> {
    let entries = explain::all();
    entries
        .into_iter()
        .map(|entry| entry.name.to_owned())
        .collect()
}

/// The values an argument can have; `None` when it is a file.
fn values(arg: &Arg) -> Option<Vec<String>> {
    if arg.get_value_hint() == ValueHint::AnyPath {
        return None;
    }
    let possible = arg.get_possible_values();
    let shown = possible.iter().filter(|value| !value.is_hide_set());
    Some(shown.map(|value| value.get_name().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: &str) -> Vec<String> {
        match candidates(&super::super::language::built(true), line) {
            Candidates::Words(_, words) => words,
            Candidates::File => vec!["<file>".to_owned()],
        }
    }

    #[test]
    fn commands_subcommands_flags_and_values() {
        assert_eq!(at("acc"), ["account"]);
        assert_eq!(
            at("account "),
            [
                "balances", "create", "get", "help", "history", "list", "sums"
            ]
        );
        assert_eq!(
            at("account create --deb"),
            ["--debits-must-not-exceed-credits"]
        );
        assert_eq!(at("-o "), ["csv", "json", "table"]);
        assert_eq!(at("-o json acc"), ["account"]);
        assert_eq!(at("account get --out"), ["--output"]);
        assert_eq!(at("help trans"), ["transfer"]);
        assert_eq!(at("help transfer c"), ["chain", "create"]);
        assert_eq!(at("nonsense"), [""; 0]);
    }

    #[test]
    fn statuses_files_and_what_is_watched() {
        assert_eq!(at("explain exceeds_c"), ["exceeds_credits"]);
        assert!(at("explain NO").contains(&"NOT_REACHABLE".to_owned()));
        assert_eq!(at("explain --kind trans"), ["transfer"]);
        assert_eq!(at("import "), ["<file>"]);
        assert_eq!(at("--dir "), ["<file>"]);
        assert_eq!(at("watch clu"), ["cluster"]);
        assert_eq!(at("watch -n 1 cluster stat"), ["status"]);
        // Not inside a prompt.
        assert!(!at("").contains(&"repl".to_owned()));
        assert!(at("").contains(&"exit".to_owned()));
        assert_eq!(at("kill"), ["kill", "kill-leader"]);
        assert_eq!(at("load st"), ["start", "stop"]);
    }
}
