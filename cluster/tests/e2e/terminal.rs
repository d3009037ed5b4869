//! A program driven as a person drives it: through a terminal, or through pipes, while it runs.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

const PATIENCE: Duration = Duration::from_secs(60);

/// A program that runs, what it wrote so far, and how to write to it.
pub(crate) struct Driven {
    child: Child,
    input: Option<Input>,
    said: Arc<Mutex<String>>,
    listening: Vec<JoinHandle<()>>,
}

enum Input {
    Pipe(ChildStdin),
    Terminal(File),
}

impl Driven {
    /// Behind pipes; standard output and standard error come together.
    pub(crate) fn piped(mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let said = Arc::default();
        let listening = vec![
            listen(child.stdout.take().unwrap(), &said),
            listen(child.stderr.take().unwrap(), &said),
        ];
        Self {
            input: child.stdin.take().map(Input::Pipe),
            child,
            said,
            listening,
        }
    }

    /// At a terminal.
    pub(crate) fn at_terminal(mut command: Command) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let end = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        let size = Winsize {
            ws_row: 40,
            ws_col: 120,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&end, size).unwrap();
        command
            .env("TERM", "xterm")
            .stdin(end.try_clone().unwrap())
            .stdout(end.try_clone().unwrap())
            .stderr(end);
        let child = command.spawn().unwrap();
        // The command holds the other end open, and its reader would never see the end.
        drop(command);
        let terminal = File::from(terminal);
        let said = Arc::default();
        let listening = vec![listen(terminal.try_clone().unwrap(), &said)];
        Self {
            child,
            input: Some(Input::Terminal(terminal)),
            said,
            listening,
        }
    }

    /// Types.
    pub(crate) fn write(&mut self, text: &str) {
        let written = match self.input.as_mut().unwrap() {
            Input::Pipe(pipe) => pipe.write_all(text.as_bytes()),
            Input::Terminal(terminal) => terminal.write_all(text.as_bytes()),
        };
        written.unwrap();
    }

    /// Everything said so far.
    pub(crate) fn said(&self) -> String {
        self.said
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until this is said after what was said when it was asked last; gives what came since.
    pub(crate) fn wait_for(&self, from: &mut usize, wanted: &str) -> String {
        let begun = Instant::now();
        loop {
            let said = self.said();
            if let Some(at) = said[*from..].find(wanted) {
                let end = *from + at + wanted.len();
                let since = said[*from..end].to_owned();
                *from = end;
                return since;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "no {wanted:?} after\n{}\n--- in all:\n{said}",
                &said[*from..]
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends the input and waits for the program.
    pub(crate) fn end(&mut self) -> ExitStatus {
        if matches!(self.input, Some(Input::Pipe(_))) {
            self.input = None;
        }
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it said last may still be on its way.
                for listening in self.listening.drain(..) {
                    listening.join().unwrap();
                }
                return status;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "it does not end:\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(mut from: impl Read + Send + 'static, said: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            said.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push_str(&text);
        }
    })
}
