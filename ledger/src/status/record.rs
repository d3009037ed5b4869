//! The outcome of writing or deleting a record, in order of precedence.

statuses! {
    /// The outcome of writing or deleting a record, in order of precedence.
    WriteRecordStatus {
        /// The record was written or deleted.
        Written = 0, "written";
        /// Another item of its chain was refused.
        LinkedEventFailed = 1, "linked_event_failed";
        /// The last item of its request still says `linked`.
        LinkedEventChainOpen = 2, "linked_event_chain_open";
        /// A flag without a meaning is set.
        ReservedFlag = 3, "reserved_flag";
        /// A reserved field is not zero.
        ReservedField = 4, "reserved_field";
        /// Zero is not an id.
        OperationIdMustNotBeZero = 5, "operation_id_must_not_be_zero";
        /// 2^128 - 1 is not an id.
        OperationIdMustNotBeIntMax = 6, "operation_id_must_not_be_int_max";
        /// Zero is not a namespace.
        NamespaceMustNotBeZero = 7, "namespace_must_not_be_zero";
        /// A key is 1 to 64 bytes.
        KeyLengthOutOfRange = 8, "key_length_out_of_range";
        /// A value is at most 4096 bytes.
        ValueTooLarge = 9, "value_too_large";
        /// A deletion carries no value.
        DeleteWithValue = 10, "delete_with_value";
        /// The row's last write was this one.
        Exists = 11, "exists";
        /// The row's last write had this operation id and asked for something else.
        ExistsWithDifferentContent = 12, "exists_with_different_content";
        /// There is no row to delete.
        NotFound = 13, "not_found";
        /// The row's version is not the expected one.
        VersionMismatch = 14, "version_mismatch";
        /// The namespace would pass its rows or its bytes.
        NamespaceFull = 15, "namespace_full";
    }
}
