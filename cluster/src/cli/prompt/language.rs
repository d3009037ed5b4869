//! What can be said at a prompt: the everyday commands with the same parsers as from a shell, the prompt's own, and
//! those of a demo.

use std::time::Duration;

use clap::{Args, Command, FromArgMatches, Subcommand, ValueEnum};

use super::super::globals::Globals;
use super::super::values::duration;
use super::super::{Everyday, with_environment};
use super::demo::DemoWord;

/// A command at a prompt.
#[derive(Debug)]
pub(super) enum Said {
    /// At any prompt.
    Plain(Plain),
    /// In a demo only.
    Demo(DemoWord),
}

/// A command at any prompt.
#[derive(Debug, Subcommand)]
pub(super) enum Plain {
    #[command(flatten)]
    Everyday(Everyday),
    /// Run a command again and again until Ctrl-C.
    Watch(Watch),
    /// Leave the prompt (so does Ctrl-D).
    #[command(alias = "quit")]
    Exit,
}

/// Runs a command again and again until Ctrl-C. One that fails is told and run again.
#[derive(Debug, Args)]
pub(super) struct Watch {
    /// Pause between two runs.
    #[arg(short = 'n', long, default_value = "2s", value_parser = duration, value_name = "SECONDS")]
    pub(super) interval: Duration,
    /// End after so many runs.
    #[arg(long, value_name = "COUNT")]
    pub(super) times: Option<u64>,
    /// The command, as it would be typed at the prompt.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(super) command: Vec<String>,
}

/// The language of one prompt.
#[derive(Clone, Debug)]
pub(super) struct Language {
    /// What holds for every line that says nothing else.
    pub(super) globals: Globals,
    /// Whether the words of a demo are part of it.
    pub(super) demo: bool,
}

impl Language {
    /// The tree of commands. Options that every command has stand at what the prompt was begun with.
    pub(super) fn command(&self) -> Command {
        let root = Command::new("")
            .bin_name("")
            .no_binary_name(true)
            .subcommand_required(true)
            .max_term_width(100)
            .help_template("{subcommands}{after-help}")
            .after_help(
                "\nEvery command takes -o table|json|csv and --deadline TIME. `help COMMAND` tells more.\n\
                 Tab completes, Ctrl-C leaves a line or a command.",
            );
        let mut root = Plain::augment_subcommands(root);
        if self.demo {
            root = DemoWord::augment_subcommands(root);
        }
        let root = with_environment(root, "FARTHING");
        // The environment was consulted for these when the prompt began.
        let globals = &self.globals;
        let output = globals.output.to_possible_value();
        let output = output.map(|value| value.get_name().to_owned());
        let endpoints = globals.endpoints.clone();
        Globals::augment_args(root)
            .mut_arg("output", |arg| {
                arg.default_value(output.unwrap_or_default())
            })
            .mut_arg("dir", |arg| {
                arg.default_value(globals.dir.clone().into_os_string())
            })
            .mut_arg("deadline", |arg| {
                arg.default_value(format!("{}us", globals.deadline.as_micros()))
            })
            .mut_arg("endpoints", |arg| {
                if endpoints.is_empty() {
                    arg
                } else {
                    arg.default_values(endpoints)
                }
            })
            .mut_args(|arg| {
                let told = arg.is_global_set();
                arg.hide_default_value(told)
            })
    }

    /// What the words of a line say, and what holds for it.
    ///
    /// # Errors
    /// clap's, help among them.
    pub(super) fn parse(&self, words: &[String]) -> Result<(Globals, Said), clap::Error> {
        let matches = self.command().try_get_matches_from(words)?;
        let mut settings = Globals::from_arg_matches(&matches)?;
        settings.kept = self.globals.kept.clone();
        settings.tethers = self.globals.tethers.clone();
        let in_demo = matches
            .subcommand_name()
            .is_some_and(DemoWord::has_subcommand);
        let said = if in_demo {
            Said::Demo(DemoWord::from_arg_matches(&matches)?)
        } else {
            Said::Plain(Plain::from_arg_matches(&matches)?)
        };
        Ok((settings, said))
    }
}

/// Words that only a prompt has, with where they work.
pub(in crate::cli) fn own_words() -> Vec<(&'static str, Command)> {
    let mut root = built(true);
    let everyday = Everyday::augment_subcommands(Command::new(""));
    let subcommands: Vec<Command> = root.get_subcommands_mut().map(|sub| sub.clone()).collect();
    subcommands
        .into_iter()
        .filter(|sub| {
            sub.get_name() != "help" && everyday.find_subcommand(sub.get_name()).is_none()
        })
        .map(|sub| {
            let place = if DemoWord::has_subcommand(sub.get_name()) {
                "in a demo"
            } else {
                "at any prompt"
            };
            (place, sub)
        })
        .collect()
}

/// The tree of commands of a prompt that was begun without options.
pub(super) fn built(demo: bool) -> Command {
    let alone = Globals::augment_args(Command::new("farthing"));
    let matches = alone.get_matches_from(["farthing"]);
    let globals = Globals::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let mut command = Language { globals, demo }.command();
    command.build();
    command
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_languages_are_well_formed() {
        for demo in [false, true] {
            super::built(demo).debug_assert();
        }
    }
}
