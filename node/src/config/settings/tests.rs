//! What is told of a configuration that is right, and of those that are not.
#![allow(clippy::unwrap_used)]

use clap::FromArgMatches as _;

use super::*;

const WHOLE: &str = "dir = \"data\"\nnode_id = 2\n\
    cluster_id = \"00000000-0000-0000-0000-000000000001\"\n\
    client_address = \"127.0.0.1:1\"\npeer_address = \"127.0.0.1:2\"\n";

fn look(text: &str, arguments: &[&str]) -> Settings {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("node.toml");
    std::fs::write(&path, text).unwrap();
    let program = ["farthing-node", "--config", path.to_str().unwrap()];
    let matches = Flags::command().get_matches_from(program.iter().chain(arguments));
    let flags = Flags::from_arg_matches(&matches).unwrap();
    Settings::look(&matches, &flags)
}

fn wrong(text: &str) -> Vec<(Option<String>, Option<usize>, String)> {
    let problems = look(text, &[]).problems;
    problems
        .into_iter()
        .map(|problem| (problem.key, problem.line, problem.what))
        .collect()
}

#[test]
fn every_setting_says_where_it_comes_from() {
    let settings = look(
        &format!("{WHOLE}\n[log]\nkeep_bytes = 5\n"),
        &["--heartbeat-ms", "60", "--node-id", "3"],
    );
    assert!(settings.ok, "{:?}", settings.problems);
    let find = |key: &str| {
        let setting = settings.settings.iter().find(|s| s.key == key).unwrap();
        (
            setting.value.clone().unwrap_or_default(),
            setting.origin.clone(),
        )
    };
    assert_eq!(
        find("log.keep_bytes"),
        ("5".into(), Origin::File { line: 8 })
    );
    let flag = |flag: &str| Origin::Flag { flag: flag.into() };
    assert_eq!(find("heartbeat_ms"), ("60".into(), flag("--heartbeat-ms")));
    assert_eq!(
        find("node_id"),
        ("3".into(), flag("--node-id")),
        "a flag wins"
    );
    assert_eq!(find("run_transfers"), ("1048576".into(), Origin::Default));
    assert_eq!(find("disk.quota_bytes"), (String::new(), Origin::Default));
    assert!(
        !settings
            .settings
            .iter()
            .any(|setting| setting.key == HIDDEN)
    );
}

#[test]
fn everything_that_is_wrong_is_found_at_once_with_its_line() {
    let text = format!(
        "{WHOLE}heartbeat = 50\nheartbeat_ms = 400\n[connections]\nmax = \"many\"\npreface_ms = 10001\n[logs]\nkeep = 1\n"
    );
    let found = wrong(&text);
    let keys: Vec<(&str, usize)> = found
        .iter()
        .map(|(key, line, _)| (key.as_deref().unwrap(), line.unwrap()))
        .collect();
    let expected = [
        ("heartbeat", 6),
        ("connections.max", 9),
        ("logs", 11),
        ("connections.preface_ms", 10),
        ("election_timeout_min_ms", 7),
    ];
    assert_eq!(keys, expected, "{found:#?}");
    assert!(
        found[0].2.contains("perhaps heartbeat_ms"),
        "{}",
        found[0].2
    );
    assert!(
        found[1].2.contains("expected a whole number"),
        "{}",
        found[1].2
    );
    assert!(found[3].2.contains("at most 10000"), "{}", found[3].2);
}

#[test]
fn what_is_missing_is_said_for_each_and_a_broken_line_with_its_place() {
    let keys: Vec<String> = wrong("").into_iter().filter_map(|found| found.0).collect();
    assert_eq!(
        keys,
        [
            "node_id",
            "cluster_id",
            "client_address",
            "peer_address",
            "dir"
        ]
    );
    let found = wrong("node_id = 1\nthis is no setting\n");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0].0, found[0].1), (&None, Some(2)), "{found:?}");
}

#[test]
fn no_flag_is_left_out() {
    let command = Flags::command();
    let flags = command.get_arguments().map(|arg| arg.get_id().as_str());
    // About the process, not about the node.
    let others = [
        "config",
        "end_with_stdin",
        "failpoints",
        "clock_file",
        "help",
        "version",
    ];
    let flags: Vec<&str> = flags.filter(|flag| !others.contains(flag)).collect();
    let keys: Vec<String> = KEYS.iter().map(|key| key.replace('.', "_")).collect();
    assert_eq!(flags, keys);
    let settings = look(WHOLE, &[]);
    for setting in &settings.settings {
        assert!(!setting.about.is_empty(), "{}", setting.key);
        let named = setting.without != "not set";
        assert!(
            setting.value.is_some() || named,
            "{} has no value",
            setting.key
        );
    }
}
