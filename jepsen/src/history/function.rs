//! What an event is about, by its name.

use super::event::Process;

/// What. The name in JSON stands in brackets where it is not obvious.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Function {
    /// Create transfers, one request.
    Transfers,
    /// Create accounts, one request.
    Accounts,
    /// Look up accounts (`read-accounts`).
    ReadAccounts,
    /// Look up transfers (`read-transfers`).
    ReadTransfers,
    /// Look up where pending transfers stand (`read-pendings`).
    ReadPendings,
    /// Ask for a page of an answer to a question (`query`).
    Query,
    /// What one node holds at the end (`final-read`).
    FinalRead,
    /// What a subscriber of the event stream saw (`followed`).
    Followed,
    /// A consumer of the event stream opens its cursor (`cursor-open`).
    CursorOpen,
    /// It saves how far it is (`cursor-save`).
    CursorSave,
    /// A node's state digest: `node`, `log_index`, `digest`.
    Digest,
    /// A node that says it leads: `node`, `term`.
    Leader,
    /// What the run was; the first event.
    Run,
    /// All faults are undone.
    Heal,
    /// A node serves: `node`.
    Ready,
    /// A node ended by itself, with its words: `node`.
    Panic,
    /// How often each point was reached.
    Coverage,
    /// The harness could not do its work; says nothing about the system.
    Trouble,
    /// A fault of the nemesis, by its name.
    Fault(Box<str>),
}

impl Function {
    const NAMES: [(&'static str, Self); 18] = [
        ("transfers", Self::Transfers),
        ("accounts", Self::Accounts),
        ("read-accounts", Self::ReadAccounts),
        ("read-transfers", Self::ReadTransfers),
        ("read-pendings", Self::ReadPendings),
        ("query", Self::Query),
        ("final-read", Self::FinalRead),
        ("followed", Self::Followed),
        ("cursor-open", Self::CursorOpen),
        ("cursor-save", Self::CursorSave),
        ("digest", Self::Digest),
        ("leader", Self::Leader),
        ("run", Self::Run),
        ("heal", Self::Heal),
        ("ready", Self::Ready),
        ("panic", Self::Panic),
        ("coverage", Self::Coverage),
        ("trouble", Self::Trouble),
    ];

    /// The name in JSON.
    #[must_use]
    pub fn name(&self) -> &str {
        if let Self::Fault(name) = self {
            return name;
        }
        let named = Self::NAMES.iter().find(|(_, function)| function == self);
        named.map_or("", |(name, _)| name)
    }

    pub(super) fn of(process: Process, name: &str) -> Option<Self> {
        if process == Process::Nemesis {
            return Some(Self::Fault(name.into()));
        }
        let named = Self::NAMES.iter().find(|(known, _)| *known == name);
        named.map(|(_, function)| function.clone())
    }
}
