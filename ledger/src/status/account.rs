//! The outcome of creating an account, in order of precedence.

statuses! {
    /// The outcome of creating an account, in order of precedence.
    CreateAccountStatus {
        /// The account was created.
        Created = 0, "created";
        /// Another item of its chain was refused.
        LinkedEventFailed = 1, "linked_event_failed";
        /// The last item of its request still says `linked`.
        LinkedEventChainOpen = 2, "linked_event_chain_open";
        /// The request's first account or transfer is imported, this one is not.
        ImportedEventExpected = 22, "imported_event_expected";
        /// The request's first account or transfer is not imported, this one is.
        ImportedEventNotExpected = 23, "imported_event_not_expected";
        /// Only imported items carry a timestamp.
        TimestampMustBeZero = 3, "timestamp_must_be_zero";
        /// An imported timestamp is 1 to 2^63 - 1.
        ImportedEventTimestampOutOfRange = 24, "imported_event_timestamp_out_of_range";
        /// An imported timestamp lies in the past of the cluster's clock.
        ImportedEventTimestampMustNotAdvance = 25, "imported_event_timestamp_must_not_advance";
        /// A reserved field is not zero.
        ReservedField = 4, "reserved_field";
        /// A flag without a meaning is set.
        ReservedFlag = 5, "reserved_flag";
        /// Zero is not an id.
        IdMustNotBeZero = 6, "id_must_not_be_zero";
        /// 2^128 - 1 is not an id.
        IdMustNotBeIntMax = 7, "id_must_not_be_int_max";
        /// The id exists with other flags.
        ExistsWithDifferentFlags = 15, "exists_with_different_flags";
        /// The id exists with another user_data_128.
        ExistsWithDifferentUserData128 = 16, "exists_with_different_user_data_128";
        /// The id exists with another user_data_64.
        ExistsWithDifferentUserData64 = 17, "exists_with_different_user_data_64";
        /// The id exists with another user_data_32.
        ExistsWithDifferentUserData32 = 18, "exists_with_different_user_data_32";
        /// The id exists on another ledger.
        ExistsWithDifferentLedger = 19, "exists_with_different_ledger";
        /// The id exists with another code.
        ExistsWithDifferentCode = 20, "exists_with_different_code";
        /// The same account exists already.
        Exists = 21, "exists";
        /// Both limits are asked for.
        FlagsAreMutuallyExclusive = 8, "flags_are_mutually_exclusive";
        /// Only transfers change balances.
        DebitsPendingMustBeZero = 9, "debits_pending_must_be_zero";
        /// Only transfers change balances.
        DebitsPostedMustBeZero = 10, "debits_posted_must_be_zero";
        /// Only transfers change balances.
        CreditsPendingMustBeZero = 11, "credits_pending_must_be_zero";
        /// Only transfers change balances.
        CreditsPostedMustBeZero = 12, "credits_posted_must_be_zero";
        /// Zero is not a ledger.
        LedgerMustNotBeZero = 13, "ledger_must_not_be_zero";
        /// Zero is not a code.
        CodeMustNotBeZero = 14, "code_must_not_be_zero";
        /// An imported timestamp is above that of every account and is no transfer's.
        ImportedEventTimestampMustNotRegress = 26, "imported_event_timestamp_must_not_regress";
    }
}
