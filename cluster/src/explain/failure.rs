//! Failures of the command line.

use crate::failure::Code;

use super::{Entry, Kind, Text, text};

pub(super) fn entries() -> Vec<Entry> {
    let entry = |code: &Code| {
        words(*code).entry(
            Kind::Failure,
            Some(u32::from(code.exit_status())),
            code.name(),
        )
    };
    Code::ALL.iter().map(entry).collect()
}

fn words(code: Code) -> Text {
    let (why, advice) = match code {
        Code::CheckFailed => (
            "`verify`, `reconcile`, `inspect --verify`, `config check` or `bench` found something wrong, and says what.",
            "Read what was found. When the books are wrong: stop writing, keep every node's directory as it is, and find out which node differs.",
        ),
        Code::ItemRefused => (
            "A rule of the ledger forbids it.",
            "`farthing explain STATUS` tells what the status named in the message means.",
        ),
        Code::Usage => (
            "A word is mistyped, a value is out of range, or two flags exclude each other.",
            "Read `farthing help COMMAND`.",
        ),
        Code::NoCluster => (
            "It was never started there, or `--dir` names another directory.",
            "Start one with `farthing cluster up`, or name nodes with `--endpoints`.",
        ),
        Code::NotFound => (
            "It was never created, or is named wrongly.",
            "Correct the name or id.",
        ),
        Code::NotReachable => (
            "The nodes are down, an election is under way, or the addresses are wrong.",
            "See `farthing cluster status`; try again, with a longer `--deadline` if need be. Nothing was done.",
        ),
        Code::OutcomeUnknown => (
            "The leader went down or was cut off before it answered.",
            "Run the same command again with the same ids: what was done is not done twice.",
        ),
        Code::RequestRefused => (
            "The cluster is overloaded, out of disk, or asked for what it does not offer; the message says which.",
            "Do what the message says, and try again.",
        ),
        Code::BadInput => (
            "A column is missing, or a row has an amount or a time that cannot be read; a statement is that of another account.",
            "Mend the lines named; `import` leaves such rows out with `--skip-bad`.",
        ),
        Code::Io => (
            "The disk is full, or the file is not yours to read or write.",
            "The message names the file and what the system said.",
        ),
        Code::Process => (
            "The program `farthing-node` is missing, or the node ended at once.",
            "Read the node's log, which the message names.",
        ),
        Code::Busy => (
            "Two commands change the same cluster, or a node that runs uses the directory.",
            "Wait until the other has ended, and run this again.",
        ),
        Code::Fenced => (
            "A sink was started twice, or a supervisor has started another one and this one came back.",
            "Leave the other one running. Two sinks that should both run need two names and two places.",
        ),
        Code::SinkFailed => (
            "A stream or topic is not set up as the sink needs it, its directory was changed, or a receiver refuses whatever is sent.",
            "Do what the message says, and start the sink again: it goes on where it was.",
        ),
        Code::Internal => (
            "A bug in this program.",
            "Report it, with the command and the message.",
        ),
    };
    text(code.meaning(), why, advice)
}
