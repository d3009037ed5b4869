//! The reference page of the command line, written from the command line itself, so that it cannot be out of date.

use std::fmt::Write as _;

use clap::Command;

use crate::failure::Code;

/// Columns of the help texts on the page.
const WIDTH: usize = 100;

/// The page as Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# The command line `farthing`\n\n\
         Made from the program's own help; `REWRITE_GOLDEN=1 cargo test --release -p farthing-cluster --test \
         reference` writes it anew.\n\n\
         Every flag can be given as an environment variable, named in its help. A flag wins over its variable.\n\
         Answers go to standard output (`-o table`, `json` or `csv`), progress and failures to standard error.\n\n\
         ## Failures\n\n\
         A failure says what happened, the likely reason and what to do, and carries a code that does not change.\n\
         With `-o json` it is an object `{\"error\": {\"code\", \"what\", \"reason\", \"advice\"}}`.\n\n\
         | code | exit status | meaning |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} |",
            code.name(),
            code.exit_status(),
            code.meaning()
        );
    }
    page.push_str(
        "\nExit status 0 is success. Mistakes in flags end with 2, as every command line does.\n",
    );
    let mut command = super::command();
    command.build();
    write_command(&mut page, command, "");
    page.push_str(
        "\n# At a prompt\n\n`farthing repl` and `farthing demo` take the commands above without `farthing`, and \
         these. Quotes and backslashes work\nas in a shell; `#` begins a comment.\n",
    );
    for (place, command) in super::prompt::own_words() {
        let _ = write!(page, "\n## `{}`, {place}\n", command.get_name());
        write_help(&mut page, command, true);
    }
    page
}

fn write_command(page: &mut String, command: Command, parents: &str) {
    if command.get_name() == "help" {
        return;
    }
    let name = format!("{parents}{}", command.get_name());
    let _ = write!(page, "\n## `{name}`\n");
    // Global options are told once, above.
    write_help(page, command.clone(), !parents.is_empty());
    for subcommand in command.get_subcommands() {
        write_command(page, subcommand.clone(), &format!("{name} "));
    }
}

fn write_help(page: &mut String, command: Command, below: bool) {
    // Whoever writes the page may have variables set.
    let mut command = command.term_width(WIDTH).mut_args(|arg| {
        let told =
            below && (arg.is_global_set() || matches!(arg.get_id().as_str(), "help" | "version"));
        arg.hide_env_values(true).hide(told)
    });
    let help = command.render_long_help().to_string();
    // There is no program's name in front of a command at a prompt.
    let help = help.replace("Usage:  ", "Usage: ");
    page.push_str("\n```text\n");
    for line in help.lines() {
        let _ = writeln!(page, "{}", line.trim_end());
    }
    page.push_str("```\n");
}
