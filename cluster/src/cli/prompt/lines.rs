//! Commands from a pipe, one a line.

use std::io::{BufRead, Read as _};
use std::process::ExitCode;

use super::{INTERRUPTED, Outcome, Prompt};
use crate::failure::{Code, Failure};
use crate::output;

/// Bytes of a line at most: no command is longer, and a file that has no lines must not fill the memory.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// Carries out lines until the end, `exit`, or the first that fails. With `keep_going` all are carried out, and the
/// exit status is that of the first failure.
///
/// # Errors
/// [`Code::Io`] when the input cannot be read, [`Code::Usage`] when it is no text of commands.
pub(super) fn run(
    prompt: &Prompt<'_>,
    mut input: impl BufRead,
    keep_going: bool,
) -> Result<ExitCode, Failure> {
    let mut first_failure = 0;
    for number in 1_u64.. {
        let mut bytes = Vec::new();
        let read = input
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut bytes);
        let read = read
            .map_err(|error| Failure::new(Code::Io, "cannot read the commands").because(error))?;
        if read == 0 {
            break;
        }
        let line = String::from_utf8(bytes)
            .ok()
            .filter(|line| line.ends_with('\n') || (line.len() as u64) < LINE_BYTES_MAX)
            .ok_or_else(|| Failure::new(Code::Usage, format!("line {number} is no command")))?;
        match prompt.line(&line) {
            Outcome::Exit => break,
            Outcome::Done(0) => {}
            Outcome::Done(status) => {
                output::tell(format!("line {number} failed: {}", line.trim()));
                if first_failure == 0 {
                    first_failure = status;
                }
                if !keep_going || status == INTERRUPTED {
                    break;
                }
            }
        }
    }
    Ok(ExitCode::from(first_failure))
}
