//! Webhooks against a receiver that checks signatures by itself and fails when asked to.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::running::Running;
use super::servers::Program;
use super::support::Cluster;

pub(crate) const SECRET: &str = "a secret of the tests, long enough";

/// A receiver and what it has taken.
pub(crate) struct Receiver {
    program: Program,
    taken: PathBuf,
    secret: PathBuf,
    scheme: &'static str,
}

impl Receiver {
    pub(crate) fn start(dir: &Path) -> Receiver {
        Self::start_as(dir, "http", &[])
    }

    /// One that speaks https under the certificate that [`certify`] made.
    fn start_secure(dir: &Path) -> Receiver {
        let [certificate, key] = ["server.pem", "server.key"].map(|name| dir.join(name));
        Self::start_as(
            dir,
            "https",
            &[certificate.to_str().unwrap(), key.to_str().unwrap()],
        )
    }

    fn start_as(dir: &Path, scheme: &'static str, certificate: &[&str]) -> Receiver {
        let (taken, secret) = (dir.join("taken.ndjson"), dir.join("secret"));
        std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
        let args = [&[SECRET, taken.to_str().unwrap()], certificate].concat();
        Receiver {
            program: Program::script("receiver.py", &args),
            taken,
            secret,
            scheme,
        }
    }

    /// The words of a sink to it.
    pub(crate) fn args(&self) -> Vec<String> {
        let url = format!("{}://127.0.0.1:{}/events", self.scheme, self.program.port);
        let secret = self.secret.to_str().unwrap();
        let words = ["webhook", "--url", &url, "--secret-file", secret];
        words.map(str::to_owned).to_vec()
    }

    /// Asks it for something.
    fn ask(&self, path: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.program.port)).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// What it has taken, as often as it has.
    pub(crate) fn taken(&self) -> Vec<Value> {
        events(&self.taken)
    }
}

fn events(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

/// The sequence of a structured event.
pub(crate) fn id(event: &Value) -> u64 {
    event["id"].as_str().unwrap().parse().unwrap()
}

/// A cluster whose first event is that of a ledger.
fn with_a_ledger() -> Cluster {
    let cluster = Cluster::start();
    let ledger = ["978", "--currency", "EUR", "--scale", "2"];
    cluster.ok([&["ledger", "create"][..], &ledger].concat());
    cluster
}

/// An authority of the test's own, and a certificate of 127.0.0.1 that it has signed.
fn certify(dir: &Path) {
    let make = |args: &str| {
        let mut openssl = Command::new("openssl");
        let output = openssl.current_dir(dir).args(args.split(' ')).output();
        let output = output.expect("openssl is installed by `make deps`");
        assert!(output.status.success(), "{output:?}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    make(&format!(
        "req -x509 {key} -subj /CN=authority -keyout authority.key -out authority.pem"
    ));
    make(&format!(
        "req -x509 {key} -subj /CN=receiver -addext subjectAltName=IP:127.0.0.1 \
         -addext basicConstraints=critical,CA:FALSE -CA authority.pem -CAkey authority.key \
         -keyout server.key -out server.pem"
    ));
}

#[test]
fn events_go_over_https_to_whom_the_system_trusts_alone() {
    let cluster = with_a_ledger();
    certify(cluster.path());
    let receiver = Receiver::start_secure(cluster.path());
    let mut args = receiver.args();
    args.extend(["--patience", "1s"].map(str::to_owned));
    let mut distrustful = Running::start(&cluster, &args);
    assert_eq!(distrustful.end().code(), Some(3), "{}", distrustful.words());
    let words = distrustful.words();
    assert!(words.contains("UnknownIssuer"), "{words}");
    assert!(receiver.taken().is_empty(), "{:?}", receiver.taken());

    let authority = cluster.path().join("authority.pem").display().to_string();
    let trust = vec![("SSL_CERT_FILE", authority)];
    let mut sink = Running::start_in(&cluster, "trusting", &args, trust);
    sink.wait_for(1);
    sink.stop();
    assert_eq!(id(&receiver.taken()[0]), 1);
}

#[test]
fn a_receiver_that_fails_has_all_events_and_dead_letters_are_kept() {
    let cluster = with_a_ledger();
    for account in 1..=40 {
        let account = account.to_string();
        cluster.ok([
            "account", "create", "--id", &account, "--ledger", "978", "--code", "1",
        ]);
    }
    let receiver = Receiver::start(cluster.path());
    let dead = cluster.path().join("dead");
    // Two events in the middle of the batches are never taken.
    receiver.ask("/poison?17");
    receiver.ask("/poison?30");
    let mut args = receiver.args();
    args.extend(["--dead-letters", dead.to_str().unwrap()].map(str::to_owned));
    args.extend(["--batch-events", "8", "--name", "one"].map(str::to_owned));
    let mut sink = Running::start(&cluster, &args);
    sink.wait_for(42);
    let progress = sink.progress().unwrap();
    assert_eq!(progress["dead_letters"], 2, "{progress}");
    assert!(progress["retries"].as_u64().unwrap() > 0, "{progress}");

    // The same name: the one that was started last goes on, the other ends.
    let mut args = receiver.args();
    args.extend(["--name", "one"].map(str::to_owned));
    let mut second = Running::start_as(&cluster, "second", &args);
    cluster.ok([
        "account", "create", "--id", "41", "--ledger", "978", "--code", "1",
    ]);
    assert_eq!(sink.end().code(), Some(6), "{}", sink.words());
    assert!(sink.words().contains("FENCED"), "{}", sink.words());
    second.wait_for(44);

    let taken: BTreeSet<u64> = receiver.taken().iter().map(id).collect();
    let missing: Vec<u64> = (1..=44).filter(|id| !taken.contains(id)).collect();
    assert_eq!(missing, [17, 30]);
    let letters = std::fs::read_dir(&dead)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let letters: Vec<Value> = letters
        .filter(|path| path.extension().is_some())
        .flat_map(|path| events(&path))
        .collect();
    let refused: Vec<u64> = letters.iter().map(|letter| id(&letter["event"])).collect();
    assert_eq!(refused, [17, 30]);
    assert!(
        letters[0]["reason"].as_str().unwrap().contains("422"),
        "{}",
        letters[0]
    );

    // What says nothing of the events ends the sink, and puts nothing aside.
    receiver.ask("/closed");
    cluster.ok([
        "account", "create", "--id", "42", "--ledger", "978", "--code", "1",
    ]);
    assert_eq!(second.end().code(), Some(6), "{}", second.words());
    assert!(second.words().contains("SINK_FAILED"), "{}", second.words());
}
