//! Identities made by clients: 128 bits, the idempotency key of what they name.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub u128);

        impl $name {
            /// Reserved: means "none" and is refused as an identity.
            pub const ZERO: Self = Self(0);
            /// Reserved: refused as an identity.
            pub const MAX: Self = Self(u128::MAX);
        }

        impl From<u128> for $name {
            fn from(value: u128) -> Self {
                Self(value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:#x})", stringify!($name), self.0)
            }
        }
    };
}

id! {
    /// Identity of an account. 0 and 2^128 - 1 are reserved.
    AccountId
}
id! {
    /// Identity of a transfer. 0 and 2^128 - 1 are reserved. Applied at most once, for ever.
    TransferId
}
