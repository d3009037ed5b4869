//! Accounts met in a file: the id of each name, and which are new.

use std::collections::HashMap;

use super::derive::Deriver;

/// Names remembered at most, on each side. Beyond that the memory is emptied: an account met again is sent again,
/// which changes nothing, and its derived id is the same.
const NAMES_MAX: usize = 2_000_000;

/// The accounts of one side.
#[derive(Debug)]
pub(super) struct Accounts {
    deriver: Deriver,
    ids: HashMap<Box<str>, u128>,
    names_max: usize,
    /// True once names were forgotten, so a list of all of them is not complete.
    pub(super) forgot: bool,
}

impl Accounts {
    pub(super) fn new(deriver: Deriver) -> Self {
        Self::bounded(deriver, NAMES_MAX)
    }

    fn bounded(deriver: Deriver, names_max: usize) -> Self {
        Self {
            deriver,
            ids: HashMap::new(),
            names_max,
            forgot: false,
        }
    }

    /// The id of a name, and whether it is met for the first time.
    pub(super) fn id(&mut self, name: &str) -> (u128, bool) {
        if let Some(id) = self.ids.get(name) {
            return (*id, false);
        }
        if self.ids.len() >= self.names_max {
            self.ids.clear();
            self.forgot = true;
        }
        let id = self.deriver.id(name);
        self.ids.insert(name.into(), id);
        (id, true)
    }

    /// Names and ids, sorted by name.
    pub(super) fn into_names(self) -> Vec<(Box<str>, u128)> {
        let mut names: Vec<_> = self.ids.into_iter().collect();
        names.sort_unstable();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_new_once_and_keeps_its_id_when_forgotten() {
        let mut accounts = Accounts::bounded(Deriver::new("n", "k"), 2);
        let (first, new) = accounts.id("a");
        assert!(new);
        assert_eq!(accounts.id("a"), (first, false));
        accounts.id("b");
        assert!(!accounts.forgot);
        accounts.id("c");
        assert!(accounts.forgot);
        assert_eq!(accounts.id("a"), (first, true));
    }
}
