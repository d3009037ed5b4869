//! `farthing-verify`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    farthing_proofs::check::command::main()
}
