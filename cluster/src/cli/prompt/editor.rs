//! Lines typed at a terminal: editing, history in a file, completion.

use std::borrow::Cow;
use std::cell::Cell;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Command;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::config::CompletionType;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context, ExternalPrinter as _, Helper};

use super::completion::{Candidates, candidates};
use crate::demo::Say;
use crate::failure::{Code, Failure};
use crate::output;

/// Lines of history kept.
const HISTORY_LINES_MAX: usize = 1_000;

/// What came from the terminal.
pub(super) enum Typed {
    Line(String),
    /// Ctrl-C in a line, which is left.
    Leave,
    /// Ctrl-C where nothing is typed.
    Interrupt,
    /// Ctrl-D, or the terminal is gone.
    End,
}

/// A terminal with its history.
pub(super) struct Editor {
    inner: rustyline::Editor<Helps, FileHistory>,
    prompt: &'static str,
    history: Option<PathBuf>,
}

impl Editor {
    /// Takes over the terminal. `root` is the tree of commands, for completion.
    ///
    /// # Errors
    /// [`Code::Io`] when it is no terminal that can be written to.
    pub(super) fn new(mut root: Command, prompt: &'static str) -> Result<Self, Failure> {
        root.build();
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .history_ignore_space(true)
            .max_history_size(HISTORY_LINES_MAX)
            .map_err(|error| no_terminal(&error))?
            .build();
        let mut inner =
            rustyline::Editor::with_config(config).map_err(|error| no_terminal(&error))?;
        inner.set_helper(Some(Helps {
            root,
            files: FilenameCompleter::new(),
            colour: std::env::var_os("NO_COLOR").is_none(),
            typed: Cell::new(false),
        }));
        let history = history_file();
        if let Some(path) = &history
            && path.exists()
            && let Err(error) = inner.load_history(path)
        {
            output::tell(format!(
                "the history in {} was not read: {error}",
                path.display()
            ));
        }
        Ok(Self {
            inner,
            prompt,
            history,
        })
    }

    /// Waits for a line.
    ///
    /// # Errors
    /// [`Code::Io`] when the terminal fails.
    pub(super) fn line(&mut self) -> Result<Typed, Failure> {
        match self.inner.readline(self.prompt) {
            Ok(line) => {
                self.remember(&line);
                Ok(Typed::Line(line))
            }
            Err(ReadlineError::Interrupted) => {
                let typed = self.inner.helper().is_some_and(|helps| helps.typed.get());
                Ok(if typed {
                    Typed::Leave
                } else {
                    Typed::Interrupt
                })
            }
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(error) => Err(no_terminal(&error)),
        }
    }

    /// Writes lines above the one that is being typed, whenever they come.
    pub(super) fn say(&mut self) -> Option<Say> {
        let printer = Mutex::new(self.inner.create_external_printer().ok()?);
        Some(Arc::new(move |line| {
            let mut printer = printer.lock().unwrap_or_else(PoisonError::into_inner);
            // A terminal that is gone must not stop what goes on in the background.
            let _ = printer.print(format!("{line}\n"));
        }))
    }

    fn remember(&mut self, line: &str) {
        // Each line at once, so that two prompts share a history and a killed one keeps it. What cannot be kept is
        // told once.
        let (Ok(true), Some(path)) = (self.inner.add_history_entry(line), &self.history) else {
            return;
        };
        if let Err(error) = self.inner.append_history(path) {
            output::tell(format!(
                "the history is not kept in {}: {error}",
                path.display()
            ));
            self.history = None;
        }
    }
}

fn no_terminal(error: &ReadlineError) -> Failure {
    Failure::new(Code::Io, "the terminal cannot be used").because(error)
}

/// `$XDG_STATE_HOME/farthing/history`, by default below `~/.local/state`; none without a home.
fn history_file() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    let dir = state.join("farthing");
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&dir);
    made.is_ok().then(|| dir.join("history"))
}

struct Helps {
    root: Command,
    files: FilenameCompleter,
    colour: bool,
    /// Whether anything stands in the line.
    typed: Cell<bool>,
}

impl Completer for Helps {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        match candidates(&self.root, &line[..at]) {
            Candidates::File => self.files.complete(line, at, context),
            Candidates::Words(begin, words) => {
                let pair = |word: String| Pair {
                    replacement: format!("{word} "),
                    display: word,
                };
                Ok((begin, words.into_iter().map(pair).collect()))
            }
        }
    }
}

impl Highlighter for Helps {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        _default: bool,
    ) -> Cow<'b, str> {
        if self.colour {
            Cow::Owned(format!("\u{1b}[1m{prompt}\u{1b}[0m"))
        } else {
            Cow::Borrowed(prompt)
        }
    }
}

impl Hinter for Helps {
    type Hint = String;

    /// Shows nothing; it is how a line is seen while it is typed.
    fn hint(&self, line: &str, _at: usize, _context: &Context<'_>) -> Option<String> {
        self.typed.set(!line.trim().is_empty());
        None
    }
}

impl Validator for Helps {}

impl Helper for Helps {}
