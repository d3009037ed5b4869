//! A few of some amounts that come to a sum.

/// What was found of combinations that come to a sum.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Combinations {
    /// Places in the list of amounts, each sorted; the first few found.
    pub(super) found: Vec<Vec<usize>>,
    /// True if the search was stopped before it had seen everything.
    pub(super) stopped: bool,
}

/// How many are remembered: enough to show that there is more than one.
const FOUND_MAX: usize = 8;

/// All combinations of 2 to `count_max` of `amounts` (descending, none of them zero) that come to `sum`, in at most
/// `steps` steps, which are counted down.
pub(super) fn search(
    amounts: &[u128],
    sum: u128,
    count_max: usize,
    steps: &mut u64,
) -> Combinations {
    let mut search = Search {
        amounts,
        count_max,
        steps,
        chosen: Vec::new(),
        result: Combinations::default(),
    };
    search.extend(0, sum);
    for found in &mut search.result.found {
        found.sort_unstable();
    }
    search.result
}

struct Search<'a> {
    amounts: &'a [u128],
    count_max: usize,
    steps: &'a mut u64,
    chosen: Vec<usize>,
    result: Combinations,
}

impl Search<'_> {
    /// Chooses from place `from` on what comes to `left`. As deep as combinations are large.
    fn extend(&mut self, from: usize, left: u128) {
        let places = (self.count_max - self.chosen.len()) as u128;
        // What is larger than what is left cannot be part of it.
        let from = from + self.amounts[from..].partition_point(|amount| *amount > left);
        for at in from..self.amounts.len() {
            let amount = self.amounts[at];
            // All that follow are smaller still: not even the most of them would do.
            if amount.saturating_mul(places) < left {
                return;
            }
            if *self.steps == 0 {
                self.result.stopped = true;
                return;
            }
            *self.steps -= 1;
            self.chosen.push(at);
            if amount == left && self.chosen.len() >= 2 {
                if self.result.found.len() < FOUND_MAX {
                    self.result.found.push(self.chosen.clone());
                }
            } else if amount < left && places > 1 {
                self.extend(at + 1, left - amount);
            }
            self.chosen.pop();
            if self.result.stopped {
                return;
            }
        }
    }
}

/// How many combinations of 2 to `count_max` of `amounts` there are.
pub(super) fn count(amounts: usize, count_max: usize) -> u128 {
    let mut total = 0_u128;
    let mut of_size = amounts as u128;
    for size in 2..=count_max.min(amounts) {
        of_size = of_size.saturating_mul((amounts - size + 1) as u128) / size as u128;
        total = total.saturating_add(of_size);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every subset, one by one.
    fn naive(amounts: &[u128], sum: u128, count_max: usize) -> Vec<Vec<usize>> {
        let mut found: Vec<Vec<usize>> = (0_u32..1 << amounts.len())
            .filter(|set| (2..=count_max as u32).contains(&set.count_ones()))
            .map(|set| (0..amounts.len()).filter(|at| set >> at & 1 == 1).collect())
            .filter(|places: &Vec<usize>| places.iter().map(|at| amounts[*at]).sum::<u128>() == sum)
            .collect();
        found.sort_unstable();
        found
    }

    proptest! {
        #[test]
        fn finds_what_there_is(
            mut amounts in prop::collection::vec(1_u128..40, 0..10),
            sum in 1_u128..80,
            count_max in 2_usize..5,
        ) {
            amounts.sort_unstable_by(|left, right| right.cmp(left));
            let expected = naive(&amounts, sum, count_max);
            let mut steps = u64::MAX;
            let mut result = search(&amounts, sum, count_max, &mut steps);
            prop_assert!(!result.stopped);
            result.found.sort_unstable();
            if expected.len() <= FOUND_MAX {
                prop_assert_eq!(result.found, expected);
            } else {
                prop_assert_eq!(result.found.len(), FOUND_MAX);
                prop_assert!(result.found.iter().all(|found| expected.contains(found)));
            }
        }
    }

    #[test]
    fn counts_and_stops() {
        assert_eq!(count(4, 3), 6 + 4);
        assert_eq!(count(40, 4), 780 + 9_880 + 91_390);
        assert_eq!(count(1, 4), 0);
        let mut steps = 3;
        assert!(search(&[5, 4, 3, 2, 1], 6, 3, &mut steps).stopped);
        assert_eq!(steps, 0);
    }
}
