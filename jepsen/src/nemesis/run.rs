//! Carries a plan out, step by step.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep_until};

use super::field::Field;
use super::names::Name;
use super::plan::Step;
use super::{clock, damage, disks, failpoints, members, network, operator, processes};

/// Carries out the steps of one nemesis. Each ends what it began, whatever comes.
pub async fn run(field: Arc<Field>, name: Name, steps: Vec<Step>, began: Instant) {
    for step in steps {
        sleep_until(began + step.at).await;
        if field.over.load(Ordering::Relaxed) {
            return;
        }
        let mut random = StdRng::seed_from_u64(step.seed);
        match name {
            Name::None => {}
            Name::Kill => processes::kill(&field, &step, &mut random).await,
            Name::Pause => processes::pause(&field, &step, &mut random).await,
            Name::Stdout => processes::block_output(&field, &step, &mut random).await,
            Name::Cpu => processes::squeeze(&field, &step, &mut random).await,
            Name::Partition => network::partition(&field, &step, &mut random).await,
            Name::Net => network::worsen(&field, &step, &mut random).await,
            Name::Clock => clock::jump(&field, &step, &mut random).await,
            Name::Amnesia => damage::amnesia(&field, &step, &mut random).await,
            Name::Wipe => damage::wipe(&field, &step, &mut random).await,
            Name::Stale => damage::restore(&field, &step, &mut random).await,
            Name::BitFlip | Name::Truncate | Name::Misplace => {
                damage::edit(&field, name, &step, &mut random).await;
            }
            Name::PowerLoss => disks::cut_power(&field, &step, &mut random).await,
            Name::SyncError | Name::DiskFull | Name::ReadError | Name::SlowSync => {
                disks::break_disk(&field, name, &step, &mut random).await;
            }
            Name::Members => members::change(&field, &step, &mut random).await,
            Name::Storm => operator::storm(&field, &step, &mut random).await,
            Name::Snapshot => operator::snapshots(&field, &step, &mut random).await,
            Name::Failpoint => failpoints::hit(&field, &step, &mut random).await,
        }
    }
}
