//! One numbered outcome for each item. If several apply, the first in declaration order is returned; success stands
//! first and applies when nothing else does. Numbers are frozen: a retired one stays listed here and is never reused.
//!
//! Retired: `CreateTransferStatus` 18 (amount zero is valid).

macro_rules! statuses {
    (
        $(#[$doc:meta])*
        $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $code:literal, $text:literal; )+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u32)]
        pub enum $name {
            $( $(#[$variant_doc])* $variant = $code, )+
        }

        impl $name {
            const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// Every status, success first, then in order of precedence.
            pub const fn all() -> &'static [Self] {
                Self::ALL
            }

            /// The frozen number.
            #[inline]
            pub const fn code(self) -> u32 {
                self as u32
            }

            /// The answer of this status with a timestamp, ns.
            #[inline]
            pub(crate) const fn at(self, timestamp: u64) -> crate::result::ItemResult {
                crate::result::ItemResult { timestamp, status: self.code() }
            }

            /// The name in `snake_case`.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => $text, )+
                }
            }

            /// The status of a number.
            pub const fn from_code(code: u32) -> Option<Self> {
                match code {
                    $( $code => Some(Self::$variant), )+
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

mod account;
mod ledger;
mod record;
mod setting;
mod transfer;

pub use account::CreateAccountStatus;
pub use ledger::CreateLedgerStatus;
pub use record::WriteRecordStatus;
pub use setting::SettingStatus;
pub use transfer::CreateTransferStatus;
