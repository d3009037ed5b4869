//! `farthing repl`: lines from a pipe and lines typed at a terminal.

use rustix::process::Signal;

use super::support::{Cluster, succeeded};
use super::terminal::Driven;

const LEDGER: &str = "ledger create 978 --currency EUR --scale 2";

#[test]
fn lines_from_a_pipe_do_what_a_shell_would() {
    let cluster = Cluster::start();
    let run = |arguments: &[&str], lines: &str| {
        let mut repl = Driven::piped(cluster.command_of(&[&["repl"], arguments].concat()));
        repl.write(lines);
        let status = repl.end();
        (status.code(), repl.said())
    };
    let (status, said) = run(
        &[],
        &format!(
            "# a purse and a shop\n{LEDGER}\n\n\
             account create --id 1 --ledger 978 --code 10\n\
             account create --id 2 --ledger 978 --code 20\n\
             transfer create --id 7 --debit 1 --credit 2 --amount 12.50 --ledger 978 --code 1\n\
             -o json account get 2\n"
        ),
    );
    assert_eq!(status, Some(0), "{said}");
    assert!(!said.contains("farthing>"), "no prompt in a pipe: {said}");
    // The same commands from a shell say the same.
    for words in [
        &["account", "get", "1", "2"][..],
        &["transfer", "get", "7"],
        &["ledger", "list"],
    ] {
        let (_, said) = run(&[], &words.join(" "));
        assert_eq!(said, cluster.ok(words), "{words:?}");
    }
    assert!(said.contains(r#""credits_posted": "12.50""#), "{said}");

    // The first failure ends it, with the status the command has in a shell, and says where.
    let lines = "account get 1\naccount get 404\naccount get 2\n";
    let (status, said) = run(&["-o", "csv"], lines);
    assert_eq!(status, Some(2));
    assert!(
        said.contains("[NOT_FOUND]") && said.contains("line 2 failed: account get 404"),
        "{said}"
    );
    assert!(
        !said.contains("12.50") || said.matches("12.50").count() == 1,
        "it went on: {said}"
    );
    let (status, said) = run(
        &["--keep-going"],
        &format!("transfer create\n{lines}verify --wait\n'"),
    );
    assert_eq!(status, Some(2), "{said}");
    assert_eq!(said.matches("failed:").count(), 4, "{said}");
    assert_eq!(said.matches("12.50").count(), 2, "{said}");
    let (status, said) = run(
        &[],
        "transfer create --debit 1 --credit 2 --amount 1 --ledger 978 --code 1 --id 7\n",
    );
    assert_eq!(status, Some(1));
    assert!(
        said.contains("farthing explain exists_with_different_amount"),
        "{said}"
    );
    let (status, said) = run(&[], "watch -n 0 --times 3 account get 1\nexit\nnonsense\n");
    assert_eq!(
        (status, said.matches("12.50").count()),
        (Some(0), 3),
        "{said}"
    );
}

#[test]
fn a_terminal_completes_remembers_explains_and_can_be_interrupted() {
    let cluster = Cluster::start();
    cluster.ok(LEDGER.split(' '));
    cluster.ok("account create --id 1 --ledger 978 --code 10".split(' '));
    let home = tempfile::tempdir().unwrap();
    let begin = || {
        let mut command = cluster.command_of(&["repl"]);
        command
            .env("XDG_STATE_HOME", home.path())
            .env("NO_COLOR", "1");
        Driven::at_terminal(command)
    };
    let (mut repl, mut at) = (begin(), 0);
    let greeting = repl.wait_for(&mut at, "farthing> ");
    assert!(greeting.contains("3 of 3 nodes answer"), "{greeting}");

    // What is written again while a line is typed looks like a prompt, so answers are waited for.
    repl.write("acc\tge\t1\r");
    let said = repl.wait_for(&mut at, "978");
    assert!(said.contains("account get"), "completed: {said}");
    repl.write("explain exceeds_cr\t\r");
    repl.wait_for(&mut at, "exceeds_credits (54)");
    repl.wait_for(&mut at, "--balancing-debit");
    // A wrong line is told, and the prompt goes on.
    repl.write("acount get 1\r");
    repl.wait_for(&mut at, "a similar subcommand exists: 'account'");
    // Ctrl-C leaves a line, and ends what is watched.
    repl.write("nonsense\u{3}");
    repl.wait_for(&mut at, "nonsense");
    repl.wait_for(&mut at, "farthing> ");
    repl.write("watch -n 1 cluster status\r");
    repl.wait_for(&mut at, "follower");
    repl.signal(Signal::INT);
    repl.wait_for(&mut at, "interrupted");
    // The cluster changes under the kept connection.
    cluster.ok(["cluster", "kill", "leader"]);
    repl.write("account get 1\r");
    repl.wait_for(&mut at, "978");
    repl.write("\u{4}");
    assert!(repl.end().success());

    let history = std::fs::read_to_string(home.path().join("farthing/history")).unwrap();
    assert!(
        history.contains("explain exceeds_credits") && !history.contains("nonsense"),
        "{history}"
    );
    let (mut repl, mut at) = (begin(), 0);
    repl.wait_for(&mut at, "farthing> ");
    repl.write("\u{1b}[A\r");
    repl.wait_for(&mut at, "978");
    repl.write("exit\r");
    assert!(repl.end().success());
    succeeded(cluster.run(["cluster", "up"]));
}
