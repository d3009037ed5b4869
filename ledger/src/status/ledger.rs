//! The outcome of registering a ledger, in order of precedence.

statuses! {
    /// The outcome of registering a ledger, in order of precedence.
    CreateLedgerStatus {
        /// The ledger was registered.
        Created = 0, "created";
        /// Another item of its chain was refused.
        LinkedEventFailed = 1, "linked_event_failed";
        /// The last item of its request still says `linked`.
        LinkedEventChainOpen = 2, "linked_event_chain_open";
        /// The cluster gives the timestamp.
        TimestampMustBeZero = 3, "timestamp_must_be_zero";
        /// A reserved field is not zero.
        ReservedField = 4, "reserved_field";
        /// A flag without a meaning in a request is set.
        ReservedFlag = 5, "reserved_flag";
        /// Zero is not a ledger.
        LedgerMustNotBeZero = 6, "ledger_must_not_be_zero";
        /// A currency is 1 to 16 of `A-Z 0-9 . _ -`.
        CurrencyInvalid = 7, "currency_invalid";
        /// A scale is 0 to 38.
        ScaleOutOfRange = 8, "scale_out_of_range";
        /// The number is registered with another scale.
        ExistsWithDifferentScale = 9, "exists_with_different_scale";
        /// The number is registered with another currency.
        ExistsWithDifferentCurrency = 10, "exists_with_different_currency";
        /// The same ledger is registered already.
        Exists = 11, "exists";
        /// Accounts were created on the number, which fixed scale 0.
        LedgerInUseWithScaleZero = 12, "ledger_in_use_with_scale_zero";
    }
}
