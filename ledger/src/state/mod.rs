//! The state machine as one pure function: [`apply`] takes what a [`View`] answers and one entry, and returns the
//! results and the changes. One file per command; this file walks requests, sections and chains.
//!
//! Reads happen before: [`round_one`] names the keys that stand in the entry, [`round_two`] those that follow from
//! the answers. Writes happen after: the caller keeps [`Applied::changes`] and answers from [`Applied::results`].
//!
//! Every item takes one nanosecond of the clock, refused or not (a pulse: one for each transfer it expires, at least
//! one), so requests that share an entry get the results they would have had alone.

mod broken;
mod change_setting;
mod clock;
mod command;
mod conservation;
mod create_account;
mod create_transfer;
mod exists;
mod keys;
mod movement_rules;
mod overlay;
mod pulse;
mod register_ledger;
mod resolve_pending;
mod view;
mod write_record;

pub use broken::Broken;
pub use clock::Clock;
pub use keys::{Due, Keys, round_one, round_two};
pub use view::{Seen, View};

use crate::TIMESTAMP_MAX;
use crate::changes::Changes;
use crate::entry::{EntryReader, Request, Section, SectionKind};
use crate::result::{ItemResult, RequestResults};

use command::{Command, LINKED_EVENT_CHAIN_OPEN, LINKED_EVENT_FAILED};
use overlay::{Maps, Overlay};

/// What an entry did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Applied {
    /// The answers, one list for each request of the entry.
    pub results: Vec<RequestResults>,
    /// What to keep.
    pub changes: Changes,
}

/// Applies one entry. To apply many, keep an [`Applier`]: it saves the memory of its tables.
///
/// # Errors
/// When an invariant of the state is broken; nothing is changed, and the node must stop.
pub fn apply(view: &impl View, entry: &EntryReader<'_>) -> Result<Applied, Broken> {
    Applier::new().apply(view, entry)
}

/// [`apply`] with tables that are kept from entry to entry. They hold no state: an applier may be used for any view.
#[derive(Clone)]
pub struct Applier {
    maps: Maps,
}

impl Default for Applier {
    fn default() -> Self {
        Self::new()
    }
}

impl Applier {
    /// Without memory yet.
    pub fn new() -> Self {
        Self { maps: Maps::new() }
    }

    /// Applies one entry.
    ///
    /// # Errors
    /// When an invariant of the state is broken; nothing is changed, and the node must stop.
    pub fn apply<V: View>(&mut self, view: &V, entry: &EntryReader<'_>) -> Result<Applied, Broken> {
        let transfers = entry
            .requests()
            .flat_map(|request| request.sections())
            .map(|section| match section.kind() {
                SectionKind::Transfers => section.count(),
                _ => 0,
            });
        let before = view.clock();
        let first = keys::first_timestamp(entry, &before);
        let mut overlay = Overlay::new(view, &mut self.maps, transfers.sum(), first);
        overlay.clock.timestamp = first.saturating_sub(1);
        let due = entry
            .requests()
            .any(|request| request.pulse_count() != 0)
            .then(|| Due::of(entry, &before))
            .flatten();
        let mut results = Vec::with_capacity(entry.request_count());
        for request in entry.requests() {
            results.push(Walk::new(&mut overlay, due).request(&request)?);
        }
        if entry.item_count() == 0 {
            overlay.clock.timestamp = before.timestamp;
        }
        if overlay.clock.timestamp > TIMESTAMP_MAX {
            return Err(Broken::CounterExhausted);
        }
        let changes = overlay.finish();
        conservation::check(&changes)?;
        Ok(Applied { results, changes })
    }
}

/// The walk through one request: its imported mode and its chains.
struct Walk<'w, 'a, V> {
    overlay: &'w mut Overlay<'a, V>,
    due: Option<Due>,
    /// Decided by the first account or transfer.
    imported: Option<bool>,
    chain: Option<Chain>,
    results: Vec<Vec<ItemResult>>,
}

/// An open chain.
struct Chain {
    /// Section and item at which it began.
    began: (usize, usize),
    /// ns, the tick of its first item.
    first: u64,
    broken: bool,
}

impl<'w, 'a, V: View> Walk<'w, 'a, V> {
    fn new(overlay: &'w mut Overlay<'a, V>, due: Option<Due>) -> Self {
        Self {
            overlay,
            due,
            imported: None,
            chain: None,
            results: Vec::new(),
        }
    }

    fn request(mut self, request: &Request<'_>) -> Result<RequestResults, Broken> {
        for (section, last) in request.sections().zip(chain_ends(request)) {
            self.results.push(Vec::with_capacity(section.count()));
            match section.kind() {
                SectionKind::Accounts => self.section(&section, section.accounts(), last)?,
                SectionKind::Transfers => self.section(&section, section.transfers(), last)?,
                SectionKind::Ledgers => self.section(&section, section.ledgers(), last)?,
                SectionKind::Records => self.section(&section, section.records(), last)?,
                SectionKind::Pulse => {
                    if let Some(due) = self.due {
                        let result = pulse::pulse(self.overlay, due)?;
                        self.answer(result);
                    }
                }
                SectionKind::Configuration => {
                    for item in section.settings() {
                        let now = self.tick()?;
                        let result = change_setting::change_setting(&item, self.overlay, now)?;
                        self.answer(result);
                    }
                }
            }
        }
        Ok(RequestResults {
            sections: self.results,
        })
    }

    /// Runs the items of a section that can be part of chains. `ends_chains` is true when no chain can go on behind
    /// the section.
    fn section<C: Command>(
        &mut self,
        section: &Section<'_>,
        items: impl Iterator<Item = C>,
        ends_chains: bool,
    ) -> Result<(), Broken> {
        for (index, item) in items.enumerate() {
            let now = self.tick()?;
            let last = ends_chains && index + 1 == section.count();
            let result = self.item(&item, last, now)?;
            self.answer(result);
            if result.status != 0 {
                self.break_chain();
                if crate::planted("tick-shared") {
                    self.overlay.clock.timestamp -= 1;
                }
            }
            if self.chain.is_some() && (!item.linked() || last) {
                self.end_chain();
            }
        }
        Ok(())
    }

    #[inline]
    fn item<C: Command>(&mut self, item: &C, last: bool, now: u64) -> Result<ItemResult, Broken> {
        let mode = item
            .imported()
            .map(|imported| *self.imported.get_or_insert(imported));
        if item.linked() {
            if self.chain.is_none() {
                self.begin_chain(now);
            }
            if last {
                return Ok(ItemResult {
                    timestamp: now,
                    status: LINKED_EVENT_CHAIN_OPEN,
                });
            }
        }
        if self.chain.as_ref().is_some_and(|chain| chain.broken) {
            return Ok(ItemResult {
                timestamp: now,
                status: LINKED_EVENT_FAILED,
            });
        }
        item.execute(self.overlay, mode.unwrap_or(false), now)
    }

    fn begin_chain(&mut self, now: u64) {
        let section = self.results.len() - 1;
        self.chain = Some(Chain {
            began: (section, self.results[section].len()),
            first: now,
            broken: false,
        });
        self.overlay.begin_chain();
    }

    /// The item answered last was refused: its chain, if it is in one, is undone and answered.
    fn break_chain(&mut self) {
        let Some(chain) = &mut self.chain else { return };
        if chain.broken {
            return;
        }
        chain.broken = true;
        self.overlay.undo_chain();
        let end = self.results.len() - 1;
        let mut now = chain.first;
        for section in chain.began.0..=end {
            let from = if section == chain.began.0 {
                chain.began.1
            } else {
                0
            };
            // The one that broke it keeps its own status.
            let to = self.results[section].len() - usize::from(section == end);
            for result in &mut self.results[section][from..to] {
                *result = ItemResult {
                    timestamp: now,
                    status: LINKED_EVENT_FAILED,
                };
                now += 1;
            }
        }
    }

    fn end_chain(&mut self) {
        if self.chain.take().is_some_and(|chain| !chain.broken) {
            self.overlay.keep_chain();
        }
    }

    #[inline]
    fn answer(&mut self, result: ItemResult) {
        if let Some(section) = self.results.last_mut() {
            section.push(result);
        }
    }

    /// The next nanosecond of the clock.
    #[inline]
    fn tick(&mut self) -> Result<u64, Broken> {
        let now = overlay::next(self.overlay.clock.timestamp)?;
        self.overlay.clock.timestamp = now;
        Ok(now)
    }
}

/// For each section of a request: true when a chain cannot go on behind it, because the request ends there or a section
/// of a kind without chains stands between. Empty sections do not count.
fn chain_ends(request: &Request<'_>) -> Vec<bool> {
    let mut ends = Vec::new();
    let mut last_chaining = None;
    for section in request.sections() {
        if section.count() != 0 {
            if section.kind().chains() {
                last_chaining = Some(ends.len());
            } else if let Some(index) = last_chaining.take() {
                ends[index] = true;
            }
        }
        ends.push(false);
    }
    if let Some(index) = last_chaining {
        ends[index] = true;
    }
    ends
}
