//! The command line `farthing`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    farthing_cluster::cli::main()
}
