//! Measures a cluster: how many transfers a second, how long each call takes, and, afterwards, whether every account
//! holds exactly what was sent.
//!
//! The shapes are those of TigerBeetle's `benchmark` command, so that figures can be laid side by side, and two more:
//! many callers of single transfers in one client, and a fixed rate where latency counts from the moment a call was
//! due (a slow answer then shows in all that waited behind it). Questions can be asked
//! meanwhile, and subscribers follow the events. A run makes accounts of its own, so it can be repeated on any cluster.

mod ids;
mod nodes;
mod options;
mod queries;
mod report;
mod run;
mod subscribers;
mod watch;
mod workload;

pub use nodes::NodeCost;
pub use options::{BenchOptions, IdOrder, TRANSFERS_MAX};
pub use report::BenchReport;
pub use run::run;
