//! Directories: what they hold, what of it is durable, and the changes in between, in their order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};

use rand::Rng;

use super::Survival;

/// What one directory holds: numbers of files and directories by name.
type Entries = BTreeMap<OsString, u64>;

/// One step that happens as a whole: names that were given, taken away or moved.
#[derive(Clone, Debug)]
struct Change(Vec<(u64, OsString, Option<u64>)>);

impl Change {
    fn apply(&self, trees: &mut HashMap<u64, Entries>) {
        for (directory, name, number) in &self.0 {
            let entries = trees.entry(*directory).or_default();
            match number {
                Some(number) => entries.insert(name.clone(), *number),
                None => entries.remove(name),
            };
        }
    }
}

/// All directories.
#[derive(Debug, Default)]
pub(super) struct Names {
    live: HashMap<u64, Entries>,
    durable: HashMap<u64, Entries>,
    pending: Vec<Change>,
}

impl Names {
    /// What a name stands for.
    pub(super) fn get(&self, directory: u64, name: &OsStr) -> Option<u64> {
        self.live.get(&directory)?.get(name).copied()
    }

    /// What a directory holds, in an order that stays.
    pub(super) fn list(&self, directory: u64) -> impl Iterator<Item = (&OsStr, u64)> {
        let entries = self.live.get(&directory).into_iter().flatten();
        entries.map(|(name, number)| (name.as_os_str(), *number))
    }

    /// Whether a directory holds nothing.
    pub(super) fn is_empty(&self, directory: u64) -> bool {
        self.live.get(&directory).is_none_or(BTreeMap::is_empty)
    }

    /// Changes names, as one step; durable once any of the directories is synced.
    pub(super) fn change(&mut self, steps: &[(u64, &OsStr, Option<u64>)]) {
        let steps = steps
            .iter()
            .map(|(directory, name, number)| (*directory, (*name).to_owned(), *number));
        let change = Change(steps.collect());
        change.apply(&mut self.live);
        self.pending.push(change);
    }

    /// Makes the names in a directory durable, and with them what came before in directories that a step has in common
    /// with it: a move between two is durable in both or in none.
    pub(super) fn sync(&mut self, directory: u64) {
        let mut directories = BTreeSet::from([directory]);
        let mut is_synced = vec![false; self.pending.len()];
        for (at, change) in self.pending.iter().enumerate().rev() {
            let touched = || change.0.iter().map(|(directory, ..)| *directory);
            if touched().any(|it| directories.contains(&it)) {
                is_synced[at] = true;
                directories.extend(touched());
            }
        }
        let mut at = 0;
        let durable = &mut self.durable;
        self.pending.retain(|change| {
            let synced = is_synced[at];
            at += 1;
            if synced {
                change.apply(durable);
            }
            !synced
        });
    }

    /// All of it is durable.
    pub(super) fn sync_all(&mut self) {
        self.pending.clear();
        self.durable.clone_from(&self.live);
    }

    /// The power is gone: what is not durable goes, or all but the first so many steps.
    pub(super) fn lose(&mut self, how: &mut Survival<'_>) {
        let kept = match how {
            Survival::Nothing => 0,
            Survival::Some(random) => random.random_range(0..=self.pending.len()),
        };
        for change in self.pending.drain(..).take(kept) {
            change.apply(&mut self.durable);
        }
        self.live.clone_from(&self.durable);
    }

    /// Names of a file or directory, now.
    pub(super) fn links(&self, number: u64) -> u32 {
        let entries = self.live.values().flat_map(BTreeMap::values);
        entries.filter(|it| **it == number).count() as u32
    }

    /// What is reachable from a directory, itself included, now or after a loss of power.
    pub(super) fn reachable(&self, root: u64) -> BTreeSet<u64> {
        let mut found = BTreeSet::from([root]);
        let mut open = vec![root];
        while let Some(directory) = open.pop() {
            let trees = [&self.live, &self.durable];
            let entries = trees.into_iter().filter_map(|tree| tree.get(&directory));
            let changed = self.pending.iter().flat_map(|change| &change.0);
            let changed = changed
                .filter(|(it, ..)| *it == directory)
                .filter_map(|(.., number)| *number);
            for number in entries.flat_map(BTreeMap::values).copied().chain(changed) {
                if found.insert(number) {
                    open.push(number);
                }
            }
        }
        found
    }

    /// Forgets directories that nothing leads to.
    pub(super) fn keep(&mut self, reachable: &BTreeSet<u64>) {
        self.live.retain(|number, _| reachable.contains(number));
        self.durable.retain(|number, _| reachable.contains(number));
    }

    /// Every path and what it stands for, parents first.
    pub(super) fn walk(&self, root: u64, mut see: impl FnMut(&std::path::Path, u64)) {
        let mut open = vec![(std::path::PathBuf::new(), root)];
        while let Some((path, directory)) = open.pop() {
            for (name, number) in self.list(directory) {
                let path = path.join(name);
                see(&path, number);
                if self.live.contains_key(&number) {
                    open.push((path, number));
                }
            }
        }
    }
}
