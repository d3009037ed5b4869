//! One shape for the flags of every kind of item: a 16-bit field with named bits.

/// Declares a type of flags. The number of a flag is its bit, and frozen.
macro_rules! flags {
    (
        $(#[$doc:meta])*
        $name:ident { $( $(#[$flag_doc:meta])* $flag:ident = $bit:literal; )+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
        pub struct $name(pub u16);

        impl $name {
            $( $(#[$flag_doc])* pub const $flag: Self = Self(1 << $bit); )+

            const KNOWN: u16 = 0 $( | 1 << $bit )+;

            /// True when every bit of `other` is set.
            #[inline]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// True when any bit of `other` is set.
            #[inline]
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// With the bits of `other` added.
            #[inline]
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Without the bits of `other`.
            #[inline]
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }

            /// True when a bit without a meaning is set.
            #[inline]
            pub const fn has_reserved(self) -> bool {
                self.0 & !Self::KNOWN != 0
            }
        }
    };
}

pub(crate) use flags;
