//! What the apply thread answers, to whom, and what can be seen by then.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use farthing_ledger::{Account, AccountId, EntryBuilder, RequestBuilder};
use tempfile::TempDir;

use super::{Error, Handle, Input, Item, Outcome, start};
use crate::storage::{self, Config, DurableLog, LogId, Storage};

/// A run never waits for the log.
struct Durable;

impl DurableLog for Durable {
    fn wait_durable(&self, _index: u64, _timeout: Duration) -> bool {
        true
    }
}

/// A running state and the way to read it.
struct Opened {
    handle: Handle,
    storage: storage::Handle,
}

impl std::ops::Deref for Opened {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

fn open(dir: &TempDir) -> Opened {
    let config = Config {
        cluster_id: 1,
        node_id: 1,
        ..Config::new(dir.path())
    };
    let (writer, storage) = Storage::open(config, Arc::new(Durable)).unwrap();
    let handle = start(writer, storage.clone()).unwrap().0;
    Opened { handle, storage }
}

/// Long ago, so that no clock of this machine can be taken for it.
fn time_of(index: u64) -> u64 {
    1_000_000_000_000 + index * 1_000_000
}

/// Creates the account `index`.
fn entry(index: u64) -> Bytes {
    let account = Account {
        id: AccountId(u128::from(index)),
        ledger: 1,
        code: 1,
        ..Account::default()
    };
    let request = RequestBuilder::new(&[]).accounts(&[account]);
    let mut entry = EntryBuilder::new(time_of(index));
    entry.push(&request.finish().unwrap()).unwrap();
    Bytes::from(entry.finish())
}

/// Who was answered, in which order, and which of the accounts were visible by then.
type Answers = Arc<Mutex<Vec<(u64, Option<Arc<Outcome>>, bool)>>>;

fn item(handle: &Opened, answers: &Answers, index: u64, input: Input) -> Item {
    let (storage, answers) = (handle.storage.clone(), Arc::clone(answers));
    Item {
        log_id: LogId {
            term: 1,
            node: 0,
            index,
        },
        input,
        respond: Some(Box::new(move |outcome| {
            let account = AccountId(u128::from(index));
            let visible = storage.reader().unwrap().accounts(&[account]).unwrap()[0].is_some();
            answers.lock().unwrap().push((index, outcome, visible));
        })),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_entry_is_answered_with_its_own_outcome_once_it_is_visible() {
    let dir = tempfile::tempdir().unwrap();
    let handle = open(&dir);
    let answers = Answers::default();
    let blank = item(&handle, &answers, 1, Input::Blank);
    let commands =
        (2..=9).map(|index| item(&handle, &answers, index, Input::Command(entry(index))));
    handle
        .apply([blank].into_iter().chain(commands).collect())
        .await
        .unwrap();
    assert_eq!(handle.applied_index(), Some(9), "exactly the last entry");
    let answers = std::mem::take(&mut *answers.lock().unwrap());
    let order: Vec<u64> = answers.iter().map(|(index, ..)| *index).collect();
    assert_eq!(order, (1..=9).collect::<Vec<_>>());
    assert!(answers[0].1.is_none(), "a blank entry has no outcome");
    for (index, outcome, visible) in &answers[1..] {
        let outcome = outcome.as_ref().unwrap();
        assert!(
            *visible,
            "entry {index} was answered before it could be read"
        );
        assert_eq!(outcome.log_index, *index);
        let result = outcome.results[0].sections[0][0];
        // The time is the entry's own, whatever the clock of this machine says.
        assert_eq!((result.status, result.timestamp), (0, time_of(*index)));
    }
    handle.stop().await;
}

/// Going on without an entry would make this node differ from the others.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_does_not_decode_ends_the_state_machine() {
    let dir = tempfile::tempdir().unwrap();
    let handle = open(&dir);
    let answers = Answers::default();
    let mut unknown = entry(2).to_vec();
    unknown[0] ^= 0xff;
    let items = vec![
        item(&handle, &answers, 1, Input::Command(entry(1))),
        item(&handle, &answers, 2, Input::Command(unknown.into())),
        item(&handle, &answers, 3, Input::Command(entry(3))),
    ];
    let error = handle.apply(items).await.unwrap_err();
    assert!(matches!(error, Error::Entry { index: 2, .. }), "{error}");
    let next = vec![item(&handle, &answers, 2, Input::Blank)];
    assert!(matches!(handle.apply(next).await, Err(Error::Stopped)));
    assert_eq!(handle.applied_index(), Some(1));
    let answered: Vec<u64> = answers
        .lock()
        .unwrap()
        .iter()
        .map(|(index, ..)| *index)
        .collect();
    assert_eq!(answered, [1]);
    // Whoever waits for what cannot come is told so.
    assert!(matches!(handle.wait_applied(2).await, Err(Error::Stopped)));
}
