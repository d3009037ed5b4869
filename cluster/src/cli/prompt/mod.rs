//! `farthing repl`: a prompt on a cluster.
//!
//! A line is parsed by the same parsers and carried out by the same code as the arguments of a shell; what is added is
//! the terminal, a connection kept from one line to the next, and a few words of the prompt's own. Lines from a pipe
//! are carried out as well, without prompt and history.

mod completion;
mod demo;
mod editor;
mod language;
mod lines;
mod watch;
pub(super) mod words;

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::runtime::Runtime;

use super::globals::Globals;
use crate::demo::{Demo, Say};
use crate::failure::{Code, Failure};
use crate::output;
use editor::{Editor, Typed};
use language::{Language, Plain, Said};

pub(super) use demo::DemoArgs;
pub(super) use language::own_words;

/// Names of commands that completion treats apart.
const WATCH: &str = "watch";
const EXPLAIN: &str = "explain";
/// Exit status of what a person ended by Ctrl-C, as of a shell.
const INTERRUPTED: u8 = 130;

/// A prompt on a cluster: the same commands without `farthing`, one a line, over one connection.
///
/// At a terminal lines can be edited, Tab completes, and the history is kept in `$XDG_STATE_HOME/farthing/history`
/// (`~/.local/state/farthing/history`). From a pipe each line is a command; the first that fails ends the run with its
/// exit status.
#[derive(Debug, Args)]
pub(super) struct ReplArgs {
    /// From a pipe: go on after a command that failed, and end with the exit status of the first.
    #[arg(long)]
    keep_going: bool,
}

impl ReplArgs {
    pub(super) fn run(self, globals: Globals, runtime: &Runtime) -> Result<ExitCode, Failure> {
        let at_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        if at_terminal {
            runtime.block_on(greet(&globals));
        }
        let language = Language {
            globals,
            demo: false,
        };
        let mut prompt = Prompt::new(language, runtime, None);
        if at_terminal {
            prompt.at_terminal("farthing> ")
        } else {
            prompt.at_pipe(self.keep_going)
        }
    }
}

/// Says what the prompt is connected to.
async fn greet(globals: &Globals) {
    match globals.connect().await {
        Ok(client) => {
            let statuses = client.statuses().await;
            let answers: Vec<_> = statuses
                .iter()
                .filter_map(|(_, answer)| answer.as_ref().ok())
                .collect();
            let newest = answers.iter().max_by_key(|status| status.term);
            let leader = newest.map_or(0, |status| status.leader_id);
            output::tell(format!(
                "Cluster {}: {} of {} nodes answer, node {leader} leads.",
                client.cluster_id().map(output::uuid).unwrap_or_default(),
                answers.len(),
                statuses.len(),
            ));
        }
        Err(failure) if failure.code == Code::NoCluster => output::tell(format!(
            "No cluster in {} yet: `cluster up` starts one.",
            globals.dir.display()
        )),
        Err(failure) => output::print_failure(&failure, globals.output),
    }
    output::tell("`help` lists the commands, Tab completes, `exit` or Ctrl-D ends.");
}

/// Prints help, which is an "error" with status 0, or what is wrong with a line, in the words of a prompt.
fn say_of_parser(error: &clap::Error) {
    let text = error.render().to_string();
    // There is no program's name in front of a command.
    let text = text
        .replace("Usage:  ", "Usage: ")
        .replace("try '--help'", "try `help`");
    if error.use_stderr() {
        output::tell(text.trim_end());
    } else {
        let _ = output::write_stdout(text.as_bytes());
    }
}

/// A place where commands are said.
struct Prompt<'a> {
    language: Language,
    runtime: &'a Runtime,
    demo: Option<Arc<Demo>>,
    /// Shows a line of something that goes on in the background.
    say: Say,
    /// At a terminal Ctrl-C ends one command; elsewhere it ends the process, as it does without a prompt.
    at_terminal: bool,
}

/// What came of a line.
enum Outcome {
    /// Done, or refused: the exit status it would have had in a shell.
    Done(u8),
    /// The prompt is to end.
    Exit,
}

impl<'a> Prompt<'a> {
    fn new(language: Language, runtime: &'a Runtime, demo: Option<Arc<Demo>>) -> Self {
        Self {
            language,
            runtime,
            demo,
            say: Arc::new(output::tell),
            at_terminal: false,
        }
    }

    fn at_pipe(&self, keep_going: bool) -> Result<ExitCode, Failure> {
        lines::run(self, io::stdin().lock(), keep_going)
    }

    fn at_terminal(&mut self, prompt: &'static str) -> Result<ExitCode, Failure> {
        self.at_terminal = true;
        let mut editor = Editor::new(self.language.command(), prompt)?;
        if let Some(say) = editor.say() {
            self.say = say;
        }
        loop {
            match editor.line()? {
                Typed::Line(line) => {
                    if matches!(self.line(&line), Outcome::Exit) {
                        return Ok(ExitCode::SUCCESS);
                    }
                }
                Typed::Leave => {}
                Typed::Interrupt if self.demo.is_none() => {}
                Typed::Interrupt | Typed::End => return Ok(ExitCode::SUCCESS),
            }
        }
    }

    /// Carries out a line and prints what came of it.
    fn line(&self, line: &str) -> Outcome {
        let words = match words::split(line) {
            Ok(words) if words.is_empty() => return Outcome::Done(0),
            Ok(words) => words,
            Err(what) => {
                let failure = Failure::new(Code::Usage, what);
                output::print_failure(&failure, self.language.globals.output);
                return Outcome::Done(failure.code.exit_status());
            }
        };
        let (settings, said) = match self.language.parse(&words) {
            Ok(parsed) => parsed,
            Err(error) => {
                let status = u8::try_from(error.exit_code()).unwrap_or(2);
                say_of_parser(&error);
                return Outcome::Done(status);
            }
        };
        if matches!(said, Said::Plain(Plain::Exit)) {
            return Outcome::Exit;
        }
        let outcome = self.runtime.block_on(async {
            if !self.at_terminal {
                return self.run(&settings, said).await;
            }
            tokio::select! {
                outcome = self.run(&settings, said) => outcome,
                _ = tokio::signal::ctrl_c() => {
                    output::tell("\ninterrupted; what was sent may have been carried out");
                    Ok(INTERRUPTED)
                }
            }
        });
        Outcome::Done(outcome.unwrap_or_else(|failure| {
            output::print_failure(&failure, settings.output);
            failure.code.exit_status()
        }))
    }

    async fn run(&self, settings: &Globals, said: Said) -> Result<u8, Failure> {
        match said {
            Said::Plain(Plain::Everyday(command)) => command.run(settings).await.map(|_| 0),
            Said::Plain(Plain::Watch(watch)) => watch::run(self, watch).await,
            Said::Plain(Plain::Exit) => Ok(0),
            Said::Demo(word) => word.run(self, settings).await,
        }
    }
}
