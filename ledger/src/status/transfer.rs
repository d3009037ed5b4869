//! The outcome of creating a transfer, in order of precedence.

statuses! {
    /// The outcome of creating a transfer, in order of precedence.
    CreateTransferStatus {
        /// The transfer was created.
        Created = 0, "created";
        /// Another item of its chain was refused.
        LinkedEventFailed = 1, "linked_event_failed";
        /// The last item of its request still says `linked`.
        LinkedEventChainOpen = 2, "linked_event_chain_open";
        /// The request's first account or transfer is imported, this one is not.
        ImportedEventExpected = 56, "imported_event_expected";
        /// The request's first account or transfer is not imported, this one is.
        ImportedEventNotExpected = 57, "imported_event_not_expected";
        /// Only imported items carry a timestamp.
        TimestampMustBeZero = 3, "timestamp_must_be_zero";
        /// An imported timestamp is 1 to 2^63 - 1.
        ImportedEventTimestampOutOfRange = 58, "imported_event_timestamp_out_of_range";
        /// An imported timestamp lies in the past of the cluster's clock.
        ImportedEventTimestampMustNotAdvance = 59, "imported_event_timestamp_must_not_advance";
        /// A flag without a meaning is set.
        ReservedFlag = 4, "reserved_flag";
        /// Zero is not an id.
        IdMustNotBeZero = 5, "id_must_not_be_zero";
        /// 2^128 - 1 is not an id.
        IdMustNotBeIntMax = 6, "id_must_not_be_int_max";
        /// The id exists with other flags.
        ExistsWithDifferentFlags = 36, "exists_with_different_flags";
        /// The id exists with another pending_id.
        ExistsWithDifferentPendingId = 40, "exists_with_different_pending_id";
        /// The id exists with another timeout.
        ExistsWithDifferentTimeout = 44, "exists_with_different_timeout";
        /// The id exists with another debit account.
        ExistsWithDifferentDebitAccountId = 37, "exists_with_different_debit_account_id";
        /// The id exists with another credit account.
        ExistsWithDifferentCreditAccountId = 38, "exists_with_different_credit_account_id";
        /// The id exists with another amount.
        ExistsWithDifferentAmount = 39, "exists_with_different_amount";
        /// The id exists with another user_data_128.
        ExistsWithDifferentUserData128 = 41, "exists_with_different_user_data_128";
        /// The id exists with another user_data_64.
        ExistsWithDifferentUserData64 = 42, "exists_with_different_user_data_64";
        /// The id exists with another user_data_32.
        ExistsWithDifferentUserData32 = 43, "exists_with_different_user_data_32";
        /// The id exists on another ledger.
        ExistsWithDifferentLedger = 67, "exists_with_different_ledger";
        /// The id exists with another code.
        ExistsWithDifferentCode = 45, "exists_with_different_code";
        /// The same transfer exists already.
        Exists = 46, "exists";
        /// The id was refused for a passing reason before; it is used up.
        IdAlreadyFailed = 68, "id_already_failed";
        /// A post or a void with flags that go with neither.
        FlagsAreMutuallyExclusive = 7, "flags_are_mutually_exclusive";
        /// Zero is not an account.
        DebitAccountIdMustNotBeZero = 8, "debit_account_id_must_not_be_zero";
        /// 2^128 - 1 is not an account.
        DebitAccountIdMustNotBeIntMax = 9, "debit_account_id_must_not_be_int_max";
        /// Zero is not an account.
        CreditAccountIdMustNotBeZero = 10, "credit_account_id_must_not_be_zero";
        /// 2^128 - 1 is not an account.
        CreditAccountIdMustNotBeIntMax = 11, "credit_account_id_must_not_be_int_max";
        /// An account cannot pay itself.
        AccountsMustBeDifferent = 12, "accounts_must_be_different";
        /// Only a post or a void names a pending transfer.
        PendingIdMustBeZero = 13, "pending_id_must_be_zero";
        /// A post or a void names a pending transfer.
        PendingIdMustNotBeZero = 14, "pending_id_must_not_be_zero";
        /// 2^128 - 1 is not a transfer.
        PendingIdMustNotBeIntMax = 15, "pending_id_must_not_be_int_max";
        /// A transfer cannot resolve itself.
        PendingIdMustBeDifferent = 16, "pending_id_must_be_different";
        /// Only a pending transfer times out.
        TimeoutReservedForPendingTransfer = 17, "timeout_reserved_for_pending_transfer";
        /// Closing is undone by voiding, so it is pending.
        ClosingTransferMustBePending = 64, "closing_transfer_must_be_pending";
        /// Zero is not a ledger.
        LedgerMustNotBeZero = 19, "ledger_must_not_be_zero";
        /// Zero is not a code.
        CodeMustNotBeZero = 20, "code_must_not_be_zero";
        /// There is no such account.
        DebitAccountNotFound = 21, "debit_account_not_found";
        /// There is no such account.
        CreditAccountNotFound = 22, "credit_account_not_found";
        /// The accounts are on different ledgers.
        AccountsMustHaveTheSameLedger = 23, "accounts_must_have_the_same_ledger";
        /// The accounts are on another ledger than the transfer says.
        TransferMustHaveTheSameLedgerAsAccounts = 24, "transfer_must_have_the_same_ledger_as_accounts";
        /// There is no such transfer.
        PendingTransferNotFound = 25, "pending_transfer_not_found";
        /// The transfer named was never pending.
        PendingTransferNotPending = 26, "pending_transfer_not_pending";
        /// The pending transfer has another debit account.
        PendingTransferHasDifferentDebitAccountId = 27, "pending_transfer_has_different_debit_account_id";
        /// The pending transfer has another credit account.
        PendingTransferHasDifferentCreditAccountId = 28, "pending_transfer_has_different_credit_account_id";
        /// The pending transfer is on another ledger.
        PendingTransferHasDifferentLedger = 29, "pending_transfer_has_different_ledger";
        /// The pending transfer has another code.
        PendingTransferHasDifferentCode = 30, "pending_transfer_has_different_code";
        /// More than was reserved.
        ExceedsPendingTransferAmount = 31, "exceeds_pending_transfer_amount";
        /// A void releases all that was reserved.
        PendingTransferHasDifferentAmount = 32, "pending_transfer_has_different_amount";
        /// It was posted before.
        PendingTransferAlreadyPosted = 33, "pending_transfer_already_posted";
        /// It was voided before.
        PendingTransferAlreadyVoided = 34, "pending_transfer_already_voided";
        /// Its timeout has passed.
        PendingTransferExpired = 35, "pending_transfer_expired";
        /// An imported timestamp is above that of every transfer and is no account's.
        ImportedEventTimestampMustNotRegress = 60, "imported_event_timestamp_must_not_regress";
        /// An imported transfer is younger than its accounts.
        ImportedEventTimestampMustPostdateDebitAccount = 61, "imported_event_timestamp_must_postdate_debit_account";
        /// An imported transfer is younger than its accounts.
        ImportedEventTimestampMustPostdateCreditAccount = 62, "imported_event_timestamp_must_postdate_credit_account";
        /// An imported transfer does not time out.
        ImportedEventTimeoutMustBeZero = 63, "imported_event_timeout_must_be_zero";
        /// The account takes no transfers.
        DebitAccountAlreadyClosed = 65, "debit_account_already_closed";
        /// The account takes no transfers.
        CreditAccountAlreadyClosed = 66, "credit_account_already_closed";
        /// The total would pass 2^128 - 1.
        OverflowsDebitsPending = 47, "overflows_debits_pending";
        /// The total would pass 2^128 - 1.
        OverflowsCreditsPending = 48, "overflows_credits_pending";
        /// The total would pass 2^128 - 1.
        OverflowsDebitsPosted = 49, "overflows_debits_posted";
        /// The total would pass 2^128 - 1.
        OverflowsCreditsPosted = 50, "overflows_credits_posted";
        /// Pending and posted together would pass 2^128 - 1.
        OverflowsDebits = 51, "overflows_debits";
        /// Pending and posted together would pass 2^128 - 1.
        OverflowsCredits = 52, "overflows_credits";
        /// It would expire after the last timestamp there is.
        OverflowsTimeout = 53, "overflows_timeout";
        /// The debit account's limit does not allow it.
        ExceedsCredits = 54, "exceeds_credits";
        /// The credit account's limit does not allow it.
        ExceedsDebits = 55, "exceeds_debits";
    }
}

impl CreateTransferStatus {
    /// True for refusals that depend on the state at the time. They pin the id: the same id is answered
    /// [`CreateTransferStatus::IdAlreadyFailed`] ever after, so that a late duplicate cannot succeed when the client
    /// already believes it failed.
    #[inline]
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::DebitAccountNotFound
                | Self::CreditAccountNotFound
                | Self::PendingTransferNotFound
                | Self::DebitAccountAlreadyClosed
                | Self::CreditAccountAlreadyClosed
                | Self::ExceedsCredits
                | Self::ExceedsDebits
        )
    }
}
