//! Counts and sums, and the proof: the difference of both sides is explained by the classes to the last unit.

use serde::Serialize;

use super::money::{Money, SignedMoney};
use crate::amount::Net;
use crate::direction::Direction;
use crate::matching::{Class, Rule, Verdict, Work};
use crate::statement::{Check, Skipped};

/// A whole reconciliation in figures.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Summary {
    /// Whether everything that the statement covers is matched and every check of the statement passed.
    pub agrees: bool,
    /// Decimals of all amounts.
    pub scale: u8,
    /// The ledger's currency, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// All entries of the statement.
    pub statement: Tally,
    /// All entries of the ledger.
    pub ledger: Tally,
    /// Every class, in the report's order. Their tallies add up to those of the sides.
    pub classes: Vec<ClassSummary>,
    /// Every rule that matched something, in the order in which they are tried.
    pub rules: Vec<RuleSummary>,
    /// What makes the two sides differ.
    pub proof: Proof,
    /// What the statement says of itself.
    pub checks: Vec<Check>,
    /// What was read and left out.
    pub skipped: Skipped,
    /// Entries for which not all sums were looked at, because there were too many.
    pub sums_not_searched: u64,
}

/// Entries of one side, counted and added up, in that side's own directions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// What the debits come to.
    pub debits: Money,
    /// What the credits come to.
    pub credits: Money,
    /// How many of them are in another currency; their amounts are not in the sums.
    pub other_currency: u64,
}

/// One class in figures.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ClassSummary {
    /// Which.
    pub class: Class,
    /// How many items.
    pub items: u64,
    /// How many of them, missing or extra, are so close to an end of the statement's period that their partners may be in the
    /// statement before or behind.
    pub near_edge: u64,
    /// Entries of the statement.
    pub statement: Tally,
    /// Entries of the ledger.
    pub ledger: Tally,
}

/// One rule in figures.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RuleSummary {
    /// Which.
    pub rule: Rule,
    /// How many items.
    pub items: u64,
    /// Entries of the statement.
    pub statement: Tally,
    /// Entries of the ledger.
    pub ledger: Tally,
}

/// Credits less debits in the statement's directions, and what each class contributes to the difference. The classes
/// that are not named here contribute nothing: what is matched is equal. `None` for a figure beyond 2^128 - 1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Proof {
    /// What the statement's entries come to.
    pub statement: SignedMoney,
    /// What the ledger's entries come to.
    pub ledger: SignedMoney,
    /// The statement less the ledger: the sum of all that follow.
    pub difference: Option<SignedMoney>,
    /// Of what is different.
    pub different: Option<SignedMoney>,
    /// Of what is missing in the ledger.
    pub missing: Option<SignedMoney>,
    /// Of what is extra in the ledger.
    pub extra: Option<SignedMoney>,
    /// Of what is ambiguous.
    pub ambiguous: Option<SignedMoney>,
    /// Of what the statement does not cover.
    pub outside: Option<SignedMoney>,
}

#[derive(Clone, Copy, Default)]
struct Side {
    count: u64,
    debits: u128,
    credits: u128,
    other_currency: u64,
}

impl Side {
    /// Totals of each side fit into 128 bits, and these are parts of them.
    fn add(&mut self, movement: Option<(Direction, u128)>) {
        self.count += 1;
        match movement {
            Some((Direction::Debit, amount)) => self.debits += amount,
            Some((Direction::Credit, amount)) => self.credits += amount,
            None => self.other_currency += 1,
        }
    }

    fn tally(self, scale: u8) -> Tally {
        let money = |units| Money { units, scale };
        Tally {
            count: self.count,
            debits: money(self.debits),
            credits: money(self.credits),
            other_currency: self.other_currency,
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Both {
    items: u64,
    near_edge: u64,
    statement: Side,
    ledger: Side,
}

impl Both {
    fn plus(mut self, other: &Self) -> Self {
        self.items += other.items;
        self.near_edge += other.near_edge;
        for (side, more) in [
            (&mut self.statement, &other.statement),
            (&mut self.ledger, &other.ledger),
        ] {
            side.count += more.count;
            side.debits += more.debits;
            side.credits += more.credits;
            side.other_currency += more.other_currency;
        }
        self
    }
}

impl Summary {
    pub(super) fn of(work: &Work<'_>, not_searched: u64) -> Self {
        let scale = work.statement.scale();
        let mut classes = Class::ALL.map(|class| (class, Both::default()));
        let mut rules = Rule::ALL.map(|rule| (rule, Both::default()));
        for group in work.groups.iter() {
            let mut both = Both {
                items: 1,
                ..Both::default()
            };
            for index in group.statement {
                both.statement.add(work.statement_movement(*index));
            }
            for rank in group.ledger {
                let entry = work.ledger(*rank);
                both.ledger.add(Some((entry.direction, entry.amount)));
            }
            let class = group.verdict.class();
            if matches!(class, Class::Missing | Class::Extra) {
                both.near_edge = work.is_near_edge(group.statement, group.ledger).into();
            }
            for (_, sum) in classes.iter_mut().filter(|(other, _)| *other == class) {
                *sum = sum.plus(&both);
            }
            if let Verdict::Matched(rule) = group.verdict {
                for (_, sum) in rules.iter_mut().filter(|(other, _)| *other == rule) {
                    *sum = sum.plus(&both);
                }
            }
        }
        let total = classes
            .iter()
            .fold(Both::default(), |total, (_, both)| total.plus(both));
        check_conservation(work, &total);
        let proof = Proof::of(work, &classes, &total);
        let checks = work.statement.checks().to_vec();
        let only_matched = classes.iter().all(|(class, both)| {
            matches!(class, Class::Matched | Class::Outside) || both.items == 0
        });
        Self {
            agrees: only_matched && checks.iter().all(|check| check.passed),
            scale,
            currency: work.statement.currency().map(str::to_owned),
            statement: total.statement.tally(scale),
            ledger: total.ledger.tally(scale),
            classes: classes
                .iter()
                .map(|(class, both)| ClassSummary {
                    class: *class,
                    items: both.items,
                    near_edge: both.near_edge,
                    statement: both.statement.tally(scale),
                    ledger: both.ledger.tally(scale),
                })
                .collect(),
            rules: rules
                .iter()
                .filter(|(_, both)| both.items > 0)
                .map(|(rule, both)| RuleSummary {
                    rule: *rule,
                    items: both.items,
                    statement: both.statement.tally(scale),
                    ledger: both.ledger.tally(scale),
                })
                .collect(),
            proof,
            checks,
            skipped: work.statement.skipped(),
            sums_not_searched: not_searched,
        }
    }

    /// The figures of one class.
    #[must_use]
    pub fn class(&self, class: Class) -> &ClassSummary {
        // All classes are there, in this order.
        &self.classes[class as usize]
    }
}

/// Nothing was lost and nothing was counted twice: what the groups come to is what the inputs come to, counted afresh.
fn check_conservation(work: &Work<'_>, total: &Both) {
    let mut statement = Side::default();
    for index in 0..work.statement.len() as u32 {
        statement.add(work.statement_movement(index));
    }
    let mut ledger = Side::default();
    for rank in 0..work.ledger_len() as u32 {
        let entry = work.ledger(rank);
        ledger.add(Some((entry.direction, entry.amount)));
    }
    let scale = work.statement.scale();
    assert_eq!(total.statement.tally(scale), statement.tally(scale));
    assert_eq!(total.ledger.tally(scale), ledger.tally(scale));
}

impl Proof {
    fn of(work: &Work<'_>, classes: &[(Class, Both)], total: &Both) -> Self {
        let scale = work.statement.scale();
        let of_class = |wanted| {
            let found = classes.iter().find(|(class, _)| *class == wanted);
            found.map_or_else(Both::default, |(_, both)| *both)
        };
        let nets = |both: &Both| {
            let statement = Net::new(both.statement.debits, both.statement.credits);
            let ledger = Net::new(both.ledger.debits, both.ledger.credits);
            let direction = match ledger.amount {
                0 => ledger.direction,
                _ => work.options.sides.translate(ledger.direction),
            };
            let amount = ledger.amount;
            (statement, Net { direction, amount })
        };
        let difference = |both: &Both| {
            let (statement, ledger) = nets(both);
            Some(signed(less(statement, ledger)?, scale))
        };
        let (statement, ledger) = nets(&of_class(Class::Matched));
        assert_eq!(statement, ledger, "what is matched is equal");
        let (statement, ledger) = nets(total);
        Self {
            statement: signed(statement, scale),
            ledger: signed(ledger, scale),
            difference: difference(total),
            different: difference(&of_class(Class::Different)),
            missing: difference(&of_class(Class::Missing)),
            extra: difference(&of_class(Class::Extra)),
            ambiguous: difference(&of_class(Class::Ambiguous)),
            outside: difference(&of_class(Class::Outside)),
        }
    }
}

/// `None` beyond 2^128 - 1.
fn less(left: Net, right: Net) -> Option<Net> {
    if left.direction == right.direction {
        let (debits, credits) = match left.direction {
            Direction::Debit => (left.amount, right.amount),
            Direction::Credit => (right.amount, left.amount),
        };
        return Some(Net::new(debits, credits));
    }
    let amount = left.amount.checked_add(right.amount)?;
    let direction = if amount == 0 {
        Direction::Credit
    } else {
        left.direction
    };
    Some(Net { direction, amount })
}

const fn signed(net: Net, scale: u8) -> SignedMoney {
    SignedMoney {
        negative: matches!(net.direction, Direction::Debit),
        money: Money {
            units: net.amount,
            scale,
        },
    }
}
