//! `farthing man`: the manual, made from the commands themselves.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::Command;

use crate::failure::Failure;
use crate::output;

/// Writes one page for each command.
///
/// # Errors
/// [`crate::failure::Code::Io`] when a page cannot be written.
pub(super) fn write(dir: &Path) -> Result<ExitCode, Failure> {
    fs::create_dir_all(dir).map_err(|error| Failure::io("make the directory", dir, &error))?;
    let mut command = super::command().disable_help_subcommand(true);
    command.build();
    let written = pages(&command, dir)?;
    output::tell(format!(
        "{written} pages in {}; `man -l {}` shows the first",
        dir.display(),
        dir.join("farthing.1").display()
    ));
    Ok(ExitCode::SUCCESS)
}

fn pages(command: &Command, dir: &Path) -> Result<u64, Failure> {
    // A page says what a flag is, not what the variables of whoever wrote it were.
    let quiet = command.clone().mut_args(|arg| arg.hide_env_values(true));
    let page = clap_mangen::Man::new(quiet);
    let path = dir.join(page.get_filename());
    let mut text = Vec::new();
    page.render(&mut text)
        .and_then(|()| fs::write(&path, &text))
        .map_err(|error| Failure::io("write", &path, &error))?;
    let mut written = 1;
    for subcommand in command.get_subcommands() {
        if !subcommand.is_hide_set() {
            written += pages(subcommand, dir)?;
        }
    }
    Ok(written)
}
