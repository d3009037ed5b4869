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

/// The faults of one nemesis in a run that lasts `time`, the last of them ending before it does. `every`: mean time
/// between two, and the longest that one lasts.
#[must_use]
pub fn plan(
    name: Name,
    targets: &[Target],
    time: Duration,
    every: Option<Duration>,
    seed: u64,
) -> Vec<Step> {
    let mut random =
        StdRng::seed_from_u64(seed ^ (name as u64 + 1).wrapping_mul(0xd1b5_4a32_d192_ed03));
    let allowed: Vec<Target> = match name {
        Name::None => return Vec::new(),
        // A majority that lost its data has lost it.
        _ if name.loses_data() => vec![Target::One, Target::Leader],
        Name::Clock | Name::Stdout | Name::Failpoint | Name::ReadError => {
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
        let hold = match every {
            Some(every) if name != Name::Amnesia => hold.min(every),
            _ => hold,
        };
        if at + hold > time {
            return steps;
        }
        steps.push(Step {
            at,
            hold,
            target: wanted[random.random_range(0..wanted.len())],
            seed: random.random(),
        });
        at += hold
            + match every {
                Some(every) => every.mul_f64(random.random_range(0.5..1.5)),
                None => Duration::from_millis(random.random_range(700..3000)),
            };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_its_seed_s_and_ends_in_time() {
        let time = Duration::from_secs(60);
        let first = plan(Name::Kill, &[], time, None, 7);
        assert_eq!(first, plan(Name::Kill, &[], time, None, 7));
        assert_ne!(first, plan(Name::Kill, &[], time, None, 8));
        assert!(first.len() > 8, "{first:?}");
        assert!(first.iter().all(|step| step.at + step.hold <= time));
    }

    #[test]
    fn many_faults_fit_when_they_are_asked_for() {
        let time = Duration::from_secs(60);
        let every = Some(Duration::from_millis(300));
        let steps = plan(Name::Pause, &[], time, every, 7);
        assert!(steps.len() > 80, "{}", steps.len());
        assert!(
            steps
                .iter()
                .all(|step| step.hold <= Duration::from_millis(300))
        );
    }

    #[test]
    fn no_majority_loses_its_data() {
        let time = Duration::from_secs(60);
        let steps = plan(Name::Wipe, &[Target::All], time, None, 7);
        assert!(!steps.is_empty());
        assert!(
            steps
                .iter()
                .all(|step| matches!(step.target, Target::One | Target::Leader))
        );
    }
}
