//! What will be broken and when, from the seed alone. Who leads then is found out when the time comes.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::names::{Name, Target};

/// Calm before the first fault.
const CALM: Duration = Duration::from_secs(2);

/// One fault to come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Since the beginning of the load.
    pub at: Duration,
    /// How long it lasts.
    pub hold: Duration,
    /// Which nodes.
    pub target: Target,
    /// Seed of everything else about it.
    pub seed: u64,
}

/// The faults of one nemesis in a run that lasts `time`, the last of them ending before it does.
#[must_use]
pub fn plan(name: Name, targets: &[Target], time: Duration, seed: u64) -> Vec<Step> {
    let mut random =
        StdRng::seed_from_u64(seed ^ (name as u64 + 1).wrapping_mul(0xd1b5_4a32_d192_ed03));
    let allowed: Vec<Target> = match name {
        Name::None => return Vec::new(),
        // A majority that lost its data has lost it.
        _ if name.loses_data() => vec![Target::One, Target::Leader],
        Name::Clock | Name::Stdout | Name::Failpoint => {
            vec![Target::One, Target::Leader, Target::Minority]
        }
        _ => Target::ALL.to_vec(),
    };
    let wanted: Vec<Target> = allowed
        .iter()
        .copied()
        .filter(|target| targets.is_empty() || targets.contains(target))
        .collect();
    let wanted = if wanted.is_empty() { allowed } else { wanted };
    let mut steps = Vec::new();
    let mut at = CALM + Duration::from_millis(random.random_range(0..1500));
    loop {
        let hold = Duration::from_millis(match name {
            Name::Storm | Name::Snapshot | Name::Net => random.random_range(2000..5000),
            Name::Amnesia => 6000,
            _ => random.random_range(300..4000),
        });
        if at + hold > time {
            return steps;
        }
        steps.push(Step {
            at,
            hold,
            target: wanted[random.random_range(0..wanted.len())],
            seed: random.random(),
        });
        at += hold + Duration::from_millis(random.random_range(700..3000));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_its_seed_s_and_ends_in_time() {
        let time = Duration::from_secs(60);
        let first = plan(Name::Kill, &[], time, 7);
        assert_eq!(first, plan(Name::Kill, &[], time, 7));
        assert_ne!(first, plan(Name::Kill, &[], time, 8));
        assert!(first.len() > 8, "{first:?}");
        assert!(first.iter().all(|step| step.at + step.hold <= time));
    }

    #[test]
    fn no_majority_loses_its_data() {
        let time = Duration::from_secs(60);
        let steps = plan(Name::Wipe, &[Target::All], time, 7);
        assert!(!steps.is_empty());
        assert!(
            steps
                .iter()
                .all(|step| matches!(step.target, Target::One | Target::Leader))
        );
    }
}
