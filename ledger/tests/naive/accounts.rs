//! Accounts of the naive model.

use farthing_ledger::{Account, CreateAccountStatus as S, Ledger};

use super::{Answer, Naive, first};

impl Naive {
    pub(super) fn create_account(&mut self, item: &Account, imports: bool, now: u64) -> Answer {
        let imported = item.flags.0 & 16 != 0;
        let timestamp = if imported { item.timestamp } else { now };
        let mut broken = vec![
            (imports && !imported, S::ImportedEventExpected),
            (!imports && imported, S::ImportedEventNotExpected),
            (!imported && item.timestamp != 0, S::TimestampMustBeZero),
            (
                imported && !(1..1 << 63).contains(&item.timestamp),
                S::ImportedEventTimestampOutOfRange,
            ),
            (
                imported && item.timestamp >= now,
                S::ImportedEventTimestampMustNotAdvance,
            ),
            (item.reserved != 0, S::ReservedField),
            (item.flags.0 >= 64, S::ReservedFlag),
            (item.id.0 == 0, S::IdMustNotBeZero),
            (item.id.0 == u128::MAX, S::IdMustNotBeIntMax),
            (item.flags.0 & 6 == 6, S::FlagsAreMutuallyExclusive),
            (item.debits_pending != 0, S::DebitsPendingMustBeZero),
            (item.debits_posted != 0, S::DebitsPostedMustBeZero),
            (item.credits_pending != 0, S::CreditsPendingMustBeZero),
            (item.credits_posted != 0, S::CreditsPostedMustBeZero),
            (item.ledger == 0, S::LedgerMustNotBeZero),
            (item.code == 0, S::CodeMustNotBeZero),
            (
                imported
                    && (item.timestamp <= self.last_account_time
                        || self
                            .transfers
                            .values()
                            .any(|transfer| transfer.timestamp == item.timestamp)),
                S::ImportedEventTimestampMustNotRegress,
            ),
        ];
        let existing = self.accounts.get(&item.id.0).copied();
        if let Some(existing) = existing {
            broken.extend([
                (item.flags != existing.flags, S::ExistsWithDifferentFlags),
                (
                    item.user_data_128 != existing.user_data_128,
                    S::ExistsWithDifferentUserData128,
                ),
                (
                    item.user_data_64 != existing.user_data_64,
                    S::ExistsWithDifferentUserData64,
                ),
                (
                    item.user_data_32 != existing.user_data_32,
                    S::ExistsWithDifferentUserData32,
                ),
                (item.ledger != existing.ledger, S::ExistsWithDifferentLedger),
                (item.code != existing.code, S::ExistsWithDifferentCode),
                (true, S::Exists),
            ]);
        }
        match (first(S::all(), &broken), existing) {
            (S::Created, _) => {
                self.accounts
                    .insert(item.id.0, Account { timestamp, ..*item });
                let implied = Ledger {
                    ledger: item.ledger,
                    timestamp,
                    ..Ledger::default()
                };
                self.ledgers.entry(item.ledger).or_insert(implied);
                self.last_account_time = timestamp;
                self.sequence += 1;
                (timestamp, 0)
            }
            (S::Exists, Some(existing)) => (existing.timestamp, S::Exists.code()),
            (status, _) => (now, status.code()),
        }
    }
}
