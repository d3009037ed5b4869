//! `farthing-node`: one replica as a process.
//!
//! It prints one JSON line on stdout when it serves, logs on stderr, and stops gracefully on SIGTERM or SIGINT.
//! Exit codes: 0 stopped, 1 failure, 2 usage or configuration, 3 storage failed while running, 4 damaged data,
//! 5 the directory belongs to another node or cluster, 6 the directory is older than what the node has promised,
//! 7 damage was found that the next start repairs, and the process could not start itself again.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use farthing_node::config::{Config, Flags};
use farthing_node::telemetry;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

fn main() -> ExitCode {
    let flags = Flags::parse();
    #[cfg(feature = "failpoints")]
    if let Err(error) = set_failpoints(&flags.failpoints) {
        telemetry::tell(format_args!("farthing-node: {error}"));
        return ExitCode::from(2);
    }
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
            wait_for_signal().await;
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
