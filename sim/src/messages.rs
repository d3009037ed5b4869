//! What callers and operators of the simulation say to a node, in place of its gRPC service for clients.

use bytes::Bytes;
use farthing_ledger::{Account, ItemResult, RequestResults};

/// What is asked of a node.
#[derive(Debug, Clone)]
pub enum Order {
    /// Carry out a request, within a time.
    Submit {
        /// Milliseconds from when it arrives.
        deadline_ms: u64,
        /// The request.
        request: Bytes,
    },
    /// Read an account, linearizably.
    Read {
        /// Which.
        account: u128,
    },
    /// Give leadership away.
    HandOver {
        /// To whom; to whoever is furthest if to nobody.
        to: Option<u64>,
    },
    /// Build a snapshot.
    Snapshot,
    /// Make a node a learner.
    AddLearner {
        /// Which.
        id: u64,
    },
    /// Make a learner a voter, remove a member.
    ChangeVoters {
        /// Who is to vote.
        add: Option<u64>,
        /// Who is to go.
        remove: Option<u64>,
    },
}

impl Order {
    /// As bytes.
    pub fn encode(&self) -> Bytes {
        let numbers = |kind: u8, numbers: &[u64]| {
            let mut bytes = vec![kind];
            for number in numbers {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            bytes
        };
        Bytes::from(match self {
            Self::Submit {
                deadline_ms,
                request,
            } => {
                let mut bytes = numbers(0, &[*deadline_ms]);
                bytes.extend_from_slice(request);
                bytes
            }
            Self::Read { account } => {
                let mut bytes = vec![1];
                bytes.extend_from_slice(&account.to_le_bytes());
                bytes
            }
            Self::HandOver { to } => numbers(2, &[to.unwrap_or(0)]),
            Self::Snapshot => numbers(3, &[]),
            Self::AddLearner { id } => numbers(4, &[*id]),
            Self::ChangeVoters { add, remove } => {
                numbers(5, &[add.unwrap_or(0), remove.unwrap_or(0)])
            }
        })
    }

    /// The reverse.
    pub fn decode(bytes: &Bytes) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let number = |at: usize| -> Option<u64> {
            Some(u64::from_le_bytes(*rest.get(at * 8..)?.first_chunk()?))
        };
        let some = |id: u64| Some(id).filter(|id| *id > 0);
        Some(match kind {
            0 => Self::Submit {
                deadline_ms: number(0)?,
                request: bytes.slice(9..),
            },
            1 => Self::Read {
                account: u128::from_le_bytes(*rest.first_chunk()?),
            },
            2 => Self::HandOver {
                to: some(number(0)?),
            },
            3 => Self::Snapshot,
            4 => Self::AddLearner { id: number(0)? },
            _ => Self::ChangeVoters {
                add: some(number(0)?),
                remove: some(number(1)?),
            },
        })
    }
}

/// What a node answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A request was carried out.
    Answer {
        /// In this entry.
        log_index: u64,
        /// With these results.
        results: RequestResults,
    },
    /// It certainly did not happen; this node leads, or 0.
    NotLeader(u64),
    /// It certainly did not happen.
    Refused(String),
    /// Nobody knows.
    Unknown(String),
    /// An account as of an entry.
    Account {
        /// The entry.
        index: u64,
        /// The state's digest there.
        digest: u128,
        /// The account, if there is one.
        account: Option<Account>,
    },
    /// An operator's order was carried out.
    Done,
}

impl Reply {
    pub(crate) fn done<T>(result: Result<T, String>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(why) => Self::Refused(why),
        }
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Answer { log_index, results } => {
                bytes.push(0);
                bytes.extend_from_slice(&log_index.to_le_bytes());
                for section in &results.sections {
                    bytes.extend_from_slice(&(section.len() as u64).to_le_bytes());
                    section
                        .iter()
                        .for_each(|result| result.write_to(&mut bytes));
                }
            }
            Self::NotLeader(leader) => {
                bytes.push(1);
                bytes.extend_from_slice(&leader.to_le_bytes());
            }
            Self::Refused(why) => {
                bytes.push(2);
                bytes.extend_from_slice(why.as_bytes());
            }
            Self::Unknown(why) => {
                bytes.push(3);
                bytes.extend_from_slice(why.as_bytes());
            }
            Self::Account {
                index,
                digest,
                account,
            } => {
                bytes.push(4);
                bytes.extend_from_slice(&index.to_le_bytes());
                bytes.extend_from_slice(&digest.to_le_bytes());
                if let Some(account) = account {
                    bytes.extend_from_slice(&account.to_bytes());
                }
            }
            Self::Done => bytes.push(5),
        }
        bytes
    }

    /// The reverse.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let text = || String::from_utf8_lossy(rest).into_owned();
        Some(match kind {
            0 => {
                let (log_index, mut rest) = rest.split_first_chunk::<8>()?;
                let mut sections = Vec::new();
                while let Some((count, behind)) = rest.split_first_chunk::<8>() {
                    let length = u64::from_le_bytes(*count) as usize * ItemResult::BYTES;
                    let (items, behind) = behind.split_at_checked(length)?;
                    let (items, _) = items.as_chunks::<{ ItemResult::BYTES }>();
                    sections.push(items.iter().map(ItemResult::from_bytes).collect());
                    rest = behind;
                }
                Self::Answer {
                    log_index: u64::from_le_bytes(*log_index),
                    results: RequestResults { sections },
                }
            }
            1 => Self::NotLeader(u64::from_le_bytes(*rest.first_chunk()?)),
            2 => Self::Refused(text()),
            3 => Self::Unknown(text()),
            4 => {
                let (index, rest) = rest.split_first_chunk::<8>()?;
                let (digest, rest) = rest.split_first_chunk::<16>()?;
                Self::Account {
                    index: u64::from_le_bytes(*index),
                    digest: u128::from_le_bytes(*digest),
                    account: rest.first_chunk().map(Account::from_bytes),
                }
            }
            _ => Self::Done,
        })
    }
}
