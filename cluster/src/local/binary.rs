//! Finds the program that is one node.

use std::path::{Path, PathBuf};

use crate::failure::{Code, Failure};

/// Environment variable that names the node program.
pub const NODE_BIN_VARIABLE: &str = "FARTHING_NODE_BIN";

const NAME: &str = "farthing-node";

/// The node program: what the caller names, else `farthing-node` beside this program (or one folder above, where
/// cargo puts it for its test programs), else on `PATH`. Absolute, since nodes run in another working directory.
///
/// # Errors
/// [`Code::Process`] when it is in none of these places.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = named {
        return path.canonicalize().map_err(|error| {
            Failure::io("find the node program", path, &error)
                .advise(format!("correct --node-bin or {NODE_BIN_VARIABLE}"))
        });
    }
    let own = std::env::current_exe().and_then(|path| path.canonicalize());
    let beside = own.iter().flat_map(|path| {
        let folders = path.ancestors().skip(1).take(2);
        folders.map(|folder| folder.join(NAME))
    });
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&on_path).map(|folder| folder.join(NAME));
    beside
        .chain(on_path)
        .find(|path| path.is_file())
        .and_then(|path| path.canonicalize().ok())
        .ok_or_else(|| {
            Failure::new(Code::Process, "the node program farthing-node was not found")
                .because("it is neither beside this program nor on PATH")
                .advise(format!(
                    "build it with `cargo build --release -p farthing-node`, or name it with {NODE_BIN_VARIABLE}"
                ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_says_how_to_correct_it() {
        let failure = find(Some(Path::new("/nonexistent/farthing-node"))).unwrap_err();
        assert_eq!(failure.code, Code::Io);
        assert!(failure.advice.unwrap().contains(NODE_BIN_VARIABLE));
    }

    #[test]
    fn a_named_program_is_made_absolute() {
        let own = std::env::current_exe().unwrap();
        assert!(find(Some(&own)).unwrap().is_absolute());
    }
}
