//! Ledgers, records, settings and events of the entry.

use crate::event::{Event, EventBody};
use crate::ledger::Ledger;
use crate::record::{NamespaceTotals, Record, RecordKey};

use super::journal::Undo;
use super::{Broken, Overlay, View, next};

impl<V: View> Overlay<'_, V> {
    pub(in crate::state) fn ledger(&mut self, ledger: u32) -> Option<Ledger> {
        let view = self.view;
        let pair = self.ledgers.entry(ledger).or_insert_with(|| {
            let row = view.ledger(ledger);
            (row, row)
        });
        pair.1
    }

    pub(in crate::state) fn set_ledger(&mut self, row: Ledger) {
        let former = self.ledger(row.ledger);
        self.journal(|_| Undo::Ledger {
            ledger: row.ledger,
            former,
        });
        if let Some(pair) = self.ledgers.get_mut(&row.ledger) {
            pair.1 = Some(row);
        }
    }

    pub(in crate::state) fn record(&mut self, key: &RecordKey) -> Option<&Record> {
        let view = self.view;
        let pair = self.records.entry(*key).or_insert_with(|| {
            let row = view.record(key);
            (row.clone(), row)
        });
        pair.1.as_ref()
    }

    pub(in crate::state) fn set_record(&mut self, key: RecordKey, record: Record) {
        let chained = self.chain.is_some();
        let pair = self.records.entry(key).or_default();
        let former = pair.1.replace(record);
        if chained {
            self.journal.push(Undo::Record {
                key,
                former: former.map(Box::new),
            });
        }
    }

    pub(in crate::state) fn namespace(&mut self, namespace: u32) -> NamespaceTotals {
        let view = self.view;
        let pair = self.namespaces.entry(namespace).or_insert_with(|| {
            let totals = view.namespace(namespace);
            (totals, totals)
        });
        pair.1.unwrap_or_default()
    }

    pub(in crate::state) fn set_namespace(&mut self, namespace: u32, totals: NamespaceTotals) {
        let chained = self.chain.is_some();
        let pair = self.namespaces.entry(namespace).or_default();
        let former = pair.1.replace(totals);
        if chained {
            self.journal.push(Undo::Namespace { namespace, former });
        }
    }

    pub(in crate::state) fn setting(&mut self, setting: u32) -> Option<u64> {
        let view = self.view;
        let pair = self.settings.entry(setting).or_insert_with(|| {
            let value = view.setting(setting);
            (value, value)
        });
        pair.1
    }

    /// Settings are never part of a chain, so there is nothing to undo.
    pub(in crate::state) fn set_setting(&mut self, setting: u32, value: u64) {
        self.settings.entry(setting).or_default().1 = Some(value);
    }

    /// Adds an event with the next sequence.
    pub(in crate::state) fn add_event(
        &mut self,
        timestamp: u64,
        body: EventBody,
    ) -> Result<(), Broken> {
        self.clock.sequence = next(self.clock.sequence)?;
        self.events.push(Event {
            sequence: self.clock.sequence,
            timestamp,
            body,
        });
        Ok(())
    }
}
