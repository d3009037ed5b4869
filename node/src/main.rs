//! `farthing-node`: one replica as a process.
//!
//! It prints one JSON line on stdout when it serves, logs on stderr, and stops gracefully on SIGTERM or SIGINT.
//! Exit codes: 0 stopped, 1 failure, 2 usage or configuration, 3 storage failed while running, 4 damaged data,
//! 5 the directory belongs to another node or cluster, 6 the directory is older than what the node has promised,
//! 7 damage was found that the next start repairs, and the process could not start itself again.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use farthing_node::config::{Command, Config, Flags, Settings};
use farthing_node::{inspect, telemetry};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

fn main() -> ExitCode {
    let matches = Flags::command().get_matches();
    let flags = match Flags::from_arg_matches(&matches) {
        Ok(flags) => flags,
        Err(error) => error.exit(),
    };
    match &flags.command {
        Some(Command::Settings) => {
            let settings = Settings::look(&matches, &flags);
            return answer(&settings, if settings.ok { 0 } else { 2 });
        }
        Some(Command::Inspect { dir, verify }) => {
            return match inspect::inspect(dir, *verify) {
                Ok(report) => answer(&report, if report.ok { 0 } else { 4 }),
                Err(error) => answer(&Refused::from(&error), 1),
            };
        }
        None => {}
    }
    #[cfg(feature = "failpoints")]
    if let Err(error) = set_failpoints(&flags.failpoints) {
        telemetry::tell(format_args!("farthing-node: {error}"));
        return ExitCode::from(2);
    }
    let end_with_stdin = flags.end_with_stdin;
    let config = match Config::load(flags) {
        Ok(config) => config,
        Err(error) => {
            telemetry::tell(format_args!("farthing-node: {error}"));
            return ExitCode::from(2);
        }
    };
    telemetry::start(config.log_format, &config.log_filter);
    #[cfg(feature = "planted")]
    farthing_node::planted::from_environment();
    // A panic anywhere is a broken assertion about our own state: stop at once instead of going on without a thread.
    std::panic::set_hook(Box::new(|info| {
        let trace = std::backtrace::Backtrace::capture();
        telemetry::tell(format_args!("{info}\n{trace}"));
        telemetry::flush();
        std::process::abort();
    }));
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                () = wait_for_signal() => {}
                () = stdin_end(), if end_with_stdin => {}
            }
            let _ = stop.send(true);
            // Keep the sender: a dropped one would look like a signal that never came.
            std::future::pending::<()>().await;
        });
        farthing_node::run(config, stopped, |ready| {
            if let Ok(line) = serde_json::to_string(ready) {
                // The one line that whoever starts a node waits for; a node that nobody waits for serves as well, even
                // when its standard output is a pipe that takes nothing.
                let _ = std::thread::Builder::new()
                    .name("ready-line".into())
                    .spawn(move || writeln!(std::io::stdout(), "{line}"));
            }
        })
        .await
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    let code = match result {
        Ok(()) => 0,
        Err(error) => {
            if matches!(error, farthing_node::Error::Repair(_)) {
                tracing::error!(%error, "starting again");
                telemetry::flush();
                let why = start_again();
                tracing::error!(why, "cannot start again");
            }
            tracing::error!(%error, "the node ends");
            telemetry::tell(format_args!("farthing-node: {error}"));
            error.exit_code()
        }
    };
    telemetry::flush();
    // Returning would run C++'s static destructors under threads that still use RocksDB, which then abort. Whatever must
    // last is on disk by now; what is not, recovery does without.
    signal_hook::low_level::exit(i32::from(code))
}

/// Why a directory was not looked at, for whoever asked.
#[derive(serde::Serialize)]
struct Refused {
    refused: &'static str,
    what: String,
}

impl From<&inspect::Error> for Refused {
    fn from(error: &inspect::Error) -> Self {
        let refused = match error {
            inspect::Error::NotANode(_) => "not_a_node",
            inspect::Error::InUse(_) => "in_use",
            inspect::Error::Io { .. } => "io",
        };
        Self {
            refused,
            what: error.to_string(),
        }
    }
}

fn answer(value: &impl serde::Serialize, status: u8) -> ExitCode {
    let written = serde_json::to_string(value)
        .map_err(std::io::Error::other)
        .and_then(|text| {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{text}")?;
            out.flush()
        });
    match written {
        // As at the end of a node: RocksDB's threads outlive its destructors.
        Ok(()) => signal_hook::low_level::exit(i32::from(status)),
        Err(error) => {
            telemetry::tell(format_args!("farthing-node: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Counts how often a process has started itself again.
const STARTS: &str = "FARTHING_NODE_STARTED_AGAIN";
/// Data that is damaged so often has a cause that starting again does not mend.
const STARTS_MAX: u32 = 3;

/// Replaces this process by a new one that begins as this one did, under the same process id. Returns why it could not.
fn start_again() -> String {
    use std::os::unix::process::CommandExt as _;
    let before = std::env::var(STARTS)
        .ok()
        .and_then(|count| count.parse().ok());
    let count: u32 = before.unwrap_or(0);
    if count >= STARTS_MAX {
        return format!(
            "data was found damaged {count} times since this process was started; look at the disk"
        );
    }
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error.to_string(),
    };
    let arguments = std::env::args_os().skip(1);
    // What a test has planted is planted once.
    #[cfg(feature = "failpoints")]
    let arguments = without_failpoints(arguments);
    let error = std::process::Command::new(program)
        .args(arguments)
        .env(STARTS, (count + 1).to_string())
        .exec();
    error.to_string()
}

#[cfg(feature = "failpoints")]
fn without_failpoints(
    arguments: impl Iterator<Item = std::ffi::OsString>,
) -> Vec<std::ffi::OsString> {
    let mut kept = Vec::new();
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        if argument == "--failpoint" {
            arguments.next();
        } else {
            kept.push(argument);
        }
    }
    kept
}

/// `NAME=ACTION`, where an action such as `3*off->panic` counts how often the point is passed.
#[cfg(feature = "failpoints")]
fn set_failpoints(settings: &[String]) -> Result<(), String> {
    for setting in settings {
        let (name, action) = setting
            .split_once('=')
            .ok_or(format!("failpoint {setting:?} is not NAME=ACTION"))?;
        fail::cfg(name, action).map_err(|why| format!("failpoint {setting:?}: {why}"))?;
    }
    Ok(())
}

/// How long a node may take to stop once nobody is there any more who could end it.
const ORPHAN_MAX: std::time::Duration = std::time::Duration::from_secs(10);

/// Resolves when standard input ends: whoever started this node, and holds the other end, is gone.
async fn stdin_end() {
    let (ended, end) = tokio::sync::oneshot::channel();
    // A thread of its own, since a read cannot be called off.
    let reader = std::thread::Builder::new().name("stdin-end".into());
    let reading = reader.spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.send(());
        std::thread::sleep(ORPHAN_MAX);
        signal_hook::low_level::exit(1)
    });
    if let Err(error) = reading {
        tracing::error!(%error, "cannot watch standard input; stop the node with SIGTERM");
    } else if end.await.is_ok() {
        tracing::info!("standard input has ended");
        return;
    }
    std::future::pending().await
}

async fn wait_for_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("cannot listen for signals; stop the node with SIGKILL");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
