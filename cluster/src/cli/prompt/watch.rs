//! `watch`: a command again and again.

use std::io::{self, IsTerminal as _};

use tokio::time::sleep;

use super::Prompt;
use super::language::{Plain, Said, Watch};
use crate::failure::{Code, Failure};
use crate::output;

/// Runs a command until the caller stops asking, or as often as was said. A command that fails is told and run again:
/// what is watched is often something that comes back.
///
/// # Errors
/// [`Code::Usage`] when it is no command that can be watched.
pub(super) async fn run(prompt: &Prompt<'_>, watch: Watch) -> Result<u8, Failure> {
    let title = format!(
        "every {}: {}   (Ctrl-C ends)",
        output::duration(watch.interval),
        watch.command.join(" ")
    );
    let in_place = io::stdout().is_terminal();
    let mut runs = 0_u64;
    loop {
        let parsed = prompt.language.parse(&watch.command);
        let (settings, said) = parsed.map_err(|error| {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            Failure::new(Code::Usage, "this cannot be watched")
                .because(first.trim_start_matches("error: "))
        })?;
        if in_place {
            // Home, and nothing below.
            let top = format!("\u{1b}[H\u{1b}[2J\u{1b}[1m{title}\u{1b}[0m\n\n");
            output::write_stdout(top.as_bytes())?;
        }
        let outcome = match said {
            Said::Plain(Plain::Everyday(command)) => command.run(&settings).await.map(|_| 0),
            Said::Demo(word) => word.run(prompt, &settings).await,
            Said::Plain(Plain::Watch(_) | Plain::Exit) => {
                return Err(Failure::new(Code::Usage, "this cannot be watched"));
            }
        };
        if let Err(failure) = outcome {
            output::print_failure(&failure, settings.output);
        }
        runs += 1;
        if watch.times.is_some_and(|times| runs >= times) {
            return Ok(0);
        }
        sleep(watch.interval).await;
    }
}
