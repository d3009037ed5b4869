//! The outcome of changing a setting, in order of precedence.

statuses! {
    /// The outcome of changing a setting, in order of precedence.
    SettingStatus {
        /// The setting was changed.
        Applied = 0, "applied";
        /// A reserved field is not zero.
        ReservedField = 1, "reserved_field";
        /// The setting cannot have this value.
        ValueOutOfRange = 2, "value_out_of_range";
    }
}
