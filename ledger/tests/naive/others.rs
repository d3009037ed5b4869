//! Ledgers, records and settings of the naive model.

use farthing_ledger::{
    CreateLedgerStatus as L, Ledger, Setting, SettingStatus as C, WriteRecordStatus as R,
};

use super::{Answer, Naive, Note, Row, first};

impl Naive {
    pub(super) fn register_ledger(&mut self, item: &Ledger, now: u64) -> Answer {
        let code = item
            .currency
            .get(..usize::from(item.currency_length))
            .unwrap_or(&[]);
        let valid = !code.is_empty()
            && code
                .iter()
                .all(|byte| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-".contains(byte))
            && item.currency[code.len()..].iter().all(|byte| *byte == 0);
        let existing = self.ledgers.get(&item.ledger).copied();
        let registered = existing.filter(|row| row.flags.0 & 2 != 0);
        let broken = [
            (item.timestamp != 0, L::TimestampMustBeZero),
            (item.reserved != [0; 32], L::ReservedField),
            (item.flags.0 > 1, L::ReservedFlag),
            (item.ledger == 0, L::LedgerMustNotBeZero),
            (!valid, L::CurrencyInvalid),
            (item.scale > 38, L::ScaleOutOfRange),
            (
                registered.is_some_and(|row| row.scale != item.scale),
                L::ExistsWithDifferentScale,
            ),
            (
                registered.is_some_and(|row| row.currency != item.currency),
                L::ExistsWithDifferentCurrency,
            ),
            (registered.is_some(), L::Exists),
            (
                existing.is_some() && item.scale != 0,
                L::LedgerInUseWithScaleZero,
            ),
        ];
        match first(L::all(), &broken) {
            L::Created => {
                let mut row = *item;
                row.flags.0 |= 2;
                row.timestamp = now;
                self.ledgers.insert(item.ledger, row);
                self.sequence += 1;
                (now, 0)
            }
            L::Exists => (registered.unwrap().timestamp, L::Exists.code()),
            status => (now, status.code()),
        }
    }

    pub(super) fn write_record(&mut self, item: &Note, now: u64) -> Answer {
        let delete = item.flags & 2 != 0;
        let existing = self
            .records
            .get(&(item.namespace, item.key.clone()))
            .cloned();
        let retry = existing
            .as_ref()
            .filter(|row| row.last.operation_id == item.operation_id);
        let same = retry.is_some_and(|row| {
            (
                row.last.flags & 2,
                row.last.expected_version,
                &row.last.value,
            ) == (item.flags & 2, item.expected_version, &item.value)
        });
        let alive = existing.as_ref().filter(|row| row.last.flags & 2 == 0);
        let version = alive.map_or(0, |row| row.version);
        let mut broken = vec![
            (item.flags > 3, R::ReservedFlag),
            (item.reserved != 0, R::ReservedField),
            (item.operation_id == 0, R::OperationIdMustNotBeZero),
            (
                item.operation_id == u128::MAX,
                R::OperationIdMustNotBeIntMax,
            ),
            (item.namespace == 0, R::NamespaceMustNotBeZero),
            (!(1..=64).contains(&item.key.len()), R::KeyLengthOutOfRange),
            (item.value.len() > 4096, R::ValueTooLarge),
            (delete && !item.value.is_empty(), R::DeleteWithValue),
        ];
        broken.extend([
            (same, R::Exists),
            (retry.is_some() && !same, R::ExistsWithDifferentContent),
            (delete && alive.is_none(), R::NotFound),
            (
                item.expected_version != u64::MAX && item.expected_version != version,
                R::VersionMismatch,
            ),
        ]);
        match first(R::all(), &broken) {
            R::Written => {
                let version = existing.map_or(1, |row| row.version + 1);
                let row = Row {
                    version,
                    last: item.clone(),
                    timestamp: now,
                };
                self.records.insert((item.namespace, item.key.clone()), row);
                self.sequence += 1;
                (now, 0)
            }
            R::Exists => (existing.unwrap().timestamp, R::Exists.code()),
            status => (now, status.code()),
        }
    }

    pub(super) fn change_setting(&mut self, item: &Setting, now: u64) -> Answer {
        let broken = [
            (item.reserved != 0, C::ReservedField),
            (item.value != 1, C::ValueOutOfRange),
        ];
        let status = first(C::all(), &broken);
        if status == C::Applied {
            self.settings.insert(item.setting, item.value);
            self.sequence += 1;
        }
        (now, status.code())
    }
}
