//! Ways to break a history, each with the checker that must find it.

use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::{mutate_answers as answers, mutate_final as finals, mutate_run as run};
use crate::check::{Checker, Verdict};
use crate::history::{Event, FinalRead, Value};

/// Breaks a history in place; false when it has nothing of the kind to break.
type Break = fn(&mut Vec<Event>, &mut SmallRng) -> bool;

/// One way to break a history.
#[derive(Clone, Copy, Debug)]
pub struct Mutation {
    /// What it imitates.
    pub name: &'static str,
    /// Who must find it; `None` when only the verdict tells.
    pub checker: Option<Checker>,
    /// What the verdict must be.
    pub verdict: Verdict,
    breaks: Break,
}

const fn caught(name: &'static str, checker: Checker, breaks: Break) -> Mutation {
    Mutation {
        name,
        checker: Some(checker),
        verdict: Verdict::Fail,
        breaks,
    }
}

impl Mutation {
    /// Every way there is.
    pub const ALL: &'static [Self] = &[
        caught("lost-write", Checker::C3, finals::lost_write),
        caught(
            "lost-write-on-one-node",
            Checker::C3,
            finals::lost_write_on_one_node,
        ),
        caught(
            "lost-unknown-on-one-node",
            Checker::C3,
            finals::lost_unknown_on_one_node,
        ),
        caught("double-apply", Checker::C9, finals::double_apply),
        caught(
            "money-from-nothing",
            Checker::C9,
            finals::money_from_nothing,
        ),
        caught("changed-amount", Checker::C4, finals::changed_amount),
        caught(
            "changed-on-one-node",
            Checker::C4,
            finals::changed_on_one_node,
        ),
        caught("phantom", Checker::C3, finals::phantom),
        caught(
            "failed-and-happened",
            Checker::C3,
            finals::failed_and_happened,
        ),
        caught(
            "pending-ends-otherwise",
            Checker::C9,
            finals::pending_ends_otherwise,
        ),
        caught(
            "refused-and-created",
            Checker::C4,
            finals::refused_and_created,
        ),
        caught(
            "count-with-a-phantom",
            Checker::C9,
            finals::count_with_a_phantom,
        ),
        caught("wrong-status", Checker::C1, answers::wrong_status),
        caught(
            "refused-yet-created",
            Checker::C1,
            answers::refused_yet_created,
        ),
        caught("broken-chain", Checker::C1, answers::broken_chain),
        caught("created-twice", Checker::C4, answers::created_twice),
        caught(
            "exists-since-another-time",
            Checker::C4,
            answers::exists_since_another_time,
        ),
        caught("stale-read", Checker::C2, answers::stale_read),
        caught("wrong-read", Checker::C1, answers::wrong_read),
        caught(
            "read-misses-a-write",
            Checker::C1,
            answers::read_misses_a_write,
        ),
        caught(
            "min-log-index-ignored",
            Checker::C1,
            answers::min_log_index_ignored,
        ),
        caught("against-real-time", Checker::C2, answers::against_real_time),
        caught(
            "log-index-backwards",
            Checker::C1,
            answers::log_index_backwards,
        ),
        caught("shared-tick", Checker::C1, answers::shared_tick),
        caught("late-call", Checker::C10, run::late_call),
        caught("never-returns", Checker::C10, run::never_returns),
        caught("digest-mismatch", Checker::C8, run::digest_mismatch),
        caught("two-leaders", Checker::C8, run::two_leaders),
        caught("not-ready", Checker::C12, run::not_ready),
        caught("panic", Checker::C12, run::panic),
        Mutation {
            name: "coverage-missed",
            checker: Some(Checker::C14),
            verdict: Verdict::Rejected,
            breaks: run::coverage_missed,
        },
        Mutation {
            name: "final-read-incomplete",
            checker: None,
            verdict: Verdict::Unknown,
            breaks: finals::incomplete,
        },
        Mutation {
            name: "no-final-read",
            checker: None,
            verdict: Verdict::Unknown,
            breaks: finals::none_at_all,
        },
        Mutation {
            name: "process-used-again",
            checker: Some(Checker::Harness),
            verdict: Verdict::HarnessFailure,
            breaks: run::process_used_again,
        },
        Mutation {
            name: "harness-trouble",
            checker: Some(Checker::Harness),
            verdict: Verdict::HarnessFailure,
            breaks: run::trouble,
        },
    ];

    /// Breaks a history; false when it has nothing of the kind to break.
    #[must_use]
    pub fn apply(&self, events: &mut Vec<Event>, seed: u64) -> bool {
        let broke = (self.breaks)(events, &mut SmallRng::seed_from_u64(seed));
        for (index, event) in events.iter_mut().enumerate() {
            event.index = index as u64;
        }
        broke
    }
}

/// The final reads of a history.
pub(super) fn final_reads(events: &mut [Event]) -> impl Iterator<Item = (u64, &mut FinalRead)> {
    events.iter_mut().filter_map(|event| {
        let node = event.facts.node?;
        match &mut event.value {
            Value::FinalRead(read) => Some((node, &mut **read)),
            _ => None,
        }
    })
}
