//! Questions that only the node program can answer, because it wrote the files or reads the settings: what its
//! configuration comes to, and what a directory holds. It is asked as a process and answers with JSON, so that the
//! answer is that of the program that would run, and this one needs none of its code.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;

use crate::failure::{Code, Failure};
use crate::local::binary;

/// The node program.
#[derive(Clone, Debug)]
pub struct NodeProgram {
    path: PathBuf,
}

impl NodeProgram {
    /// The program named, else the one that a local cluster would start.
    ///
    /// # Errors
    /// [`Code::Process`] when there is none.
    pub fn find(named: Option<&Path>) -> Result<Self, Failure> {
        let path = binary::find(named)?;
        Ok(Self { path })
    }

    /// Asks; the answer is read whatever the exit status is.
    ///
    /// # Errors
    /// [`Code::Usage`] when the program refuses its flags, [`Code::Process`] when it cannot be run or answers
    /// something else.
    pub fn ask<T: DeserializeOwned>(
        &self,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<T, Failure> {
        let failed = |reason: &dyn std::fmt::Display| {
            Failure::new(
                Code::Process,
                format!("{} gave no answer", self.path.display()),
            )
            .because(reason)
        };
        let output = Command::new(&self.path)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| failed(&error))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.stdout.is_empty() && output.status.code() == Some(2) {
            let first = said.lines().next().unwrap_or_default();
            let what = first.trim_start_matches("error: ");
            return Err(Failure::new(Code::Usage, what)
                .advise(format!("see `{} --help`", self.path.display())));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| {
            let last = said.lines().last().unwrap_or_default();
            failed(&format!("{}; {error} {last}", output.status))
                .advise("farthing and farthing-node must be of one version")
        })
    }
}
