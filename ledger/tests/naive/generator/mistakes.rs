//! One wrong field in a sound item.

use farthing_ledger::{AccountFlags, AccountId, TransferId};

use super::Generator;
use crate::naive::Item;

impl Generator {
    /// Changes one field, or none.
    pub(super) fn mutate(&mut self, item: Item) -> Item {
        let field = self.random.below(18);
        let number = self.random.pick(&[0, 0, 1, 2, 3, u128::MAX]);
        match item {
            Item::Account(mut account) => {
                match field {
                    0 => account.id = AccountId(number),
                    1 => account.ledger = number as u32,
                    2 => account.code = number as u16,
                    3 => account.reserved = number as u32,
                    4 => account.flags.0 ^= 1 << self.random.below(7),
                    5 => {
                        account.timestamp =
                            self.random
                                .pick(&[0, 1, self.past, self.time, 1 << 63, u64::MAX])
                    }
                    6 => account.debits_pending = number,
                    7 => account.debits_posted = number,
                    8 => account.credits_pending = number,
                    9 => account.credits_posted = number,
                    10 => account.user_data_128 = number,
                    11 => account.user_data_64 = number as u64,
                    12 => account.user_data_32 = number as u32,
                    13 => account.flags = AccountFlags(0b110),
                    _ => {}
                }
                Item::Account(account)
            }
            Item::Transfer(mut transfer) => {
                match field {
                    0 => transfer.id = TransferId(number),
                    1 => transfer.debit_account_id = AccountId(number),
                    2 => transfer.credit_account_id = AccountId(number),
                    3 => transfer.amount = self.amount(),
                    4 => transfer.pending_id = TransferId(number),
                    5 => transfer.user_data_128 = number,
                    6 => transfer.user_data_64 = number as u64,
                    7 => transfer.user_data_32 = number as u32,
                    8 => transfer.timeout = number as u32,
                    9 => transfer.ledger = number as u32,
                    10 => transfer.code = number as u16,
                    11 => transfer.flags.0 ^= 1 << self.random.below(10),
                    12 => {
                        transfer.timestamp =
                            self.random
                                .pick(&[0, 1, self.past, self.time, 1 << 63, u64::MAX])
                    }
                    13 => transfer.id = TransferId(self.next_transfer),
                    15 => transfer.pending_id = transfer.id,
                    16 => transfer.amount = transfer.amount.wrapping_add(1),
                    14 => {
                        // The same, resolved: every field taken from the pending one, or said again.
                        transfer.debit_account_id = AccountId(0);
                        transfer.credit_account_id = AccountId(0);
                        transfer.ledger = 0;
                        transfer.code = 0;
                    }
                    _ => {}
                }
                Item::Transfer(transfer)
            }
            Item::Ledger(mut ledger) => {
                match field {
                    0 => ledger.ledger = number as u32,
                    1 => ledger.flags.0 ^= 1 << self.random.below(3),
                    2 => ledger.scale = number as u8,
                    3 => ledger.reserved[7] = number as u8,
                    4 => ledger.timestamp = number as u64,
                    5 => ledger.currency_length = number as u8,
                    6 => ledger.currency[15] = number as u8,
                    _ => {}
                }
                Item::Ledger(ledger)
            }
            Item::Record(mut note) => {
                match field {
                    0 => note.operation_id = number,
                    1 => note.expected_version = number as u64,
                    2 => note.namespace = number as u32,
                    3 => note.flags ^= 1 << self.random.below(3),
                    4 => note.reserved = number as u32,
                    5 => note.value.push(b'w'),
                    _ => {}
                }
                Item::Record(note)
            }
            item => item,
        }
    }
}
