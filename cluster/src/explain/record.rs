//! Statuses of records.

use farthing_ledger::WriteRecordStatus as Status;

use super::{Entry, Kind, Text, text};

pub(super) fn entries() -> Vec<Entry> {
    let entry =
        |status: &Status| words(*status).entry(Kind::Record, Some(status.code()), status.name());
    Status::all().iter().map(entry).collect()
}

fn words(status: Status) -> Text {
    match status {
        Status::Written => text(
            "The record was written or deleted.",
            "Every rule was kept.",
            "Nothing.",
        ),
        Status::LinkedEventFailed => text(
            "Another item of its chain was refused, so this one was not carried out either.",
            "Items linked in a chain succeed or fail together.",
            "Look for the item of the chain that has another status; mend that one and send the chain again.",
        ),
        Status::LinkedEventChainOpen => text(
            "The last item of its request still says `linked`.",
            "A chain ends with the first item without the flag, and must end within its request.",
            "Leave `linked` out on the chain's last item.",
        ),
        Status::ReservedFlag => text(
            "A flag without a meaning is set.",
            "The program is newer than the cluster, or wrote a wrong number.",
            "Set only `linked` and `delete`; update the cluster if it is older than the program.",
        ),
        Status::ReservedField => text(
            "A reserved field is not 0.",
            "The program wrote a wrong layout, or is newer than the cluster.",
            "Send 0 there; update the cluster if it is older than the program.",
        ),
        Status::OperationIdMustNotBeZero => text(
            "The operation id is 0.",
            "The field was left out or not filled in.",
            "Make an id and keep it before sending, so that a retry is recognised.",
        ),
        Status::OperationIdMustNotBeIntMax => text(
            "The operation id is 2^128 - 1.",
            "The largest number is not an id.",
            "Make an id and keep it before sending.",
        ),
        Status::NamespaceMustNotBeZero => text(
            "The namespace is 0.",
            "The field was left out or not filled in.",
            "Choose a number from 1,000; those below are Farthing's own.",
        ),
        Status::KeyLengthOutOfRange => text(
            "The key is not 1 to 64 bytes.",
            "It is empty or too long.",
            "Shorten it, or use a hash of it.",
        ),
        Status::ValueTooLarge => text(
            "The value is longer than 4,096 bytes.",
            "Records are for small facts beside the money.",
            "Keep the value elsewhere and its address here.",
        ),
        Status::DeleteWithValue => text(
            "A deletion carries a value.",
            "A deletion has none, so that it cannot be taken for a write.",
            "Leave the value out, or the flag `delete`.",
        ),
        Status::Exists => text(
            "The row's last write was this very one; nothing was changed.",
            "It was sent before: by a retry, or by a second run.",
            "Nothing: it counts as done.",
        ),
        Status::ExistsWithDifferentContent => text(
            "The row's last write had this operation id and asked for something else.",
            "The id was made twice, or the program changed a write between two attempts to send it.",
            "Read the row; another write needs an operation id of its own.",
        ),
        Status::NotFound => text(
            "There is no row to delete.",
            "It was never written, or is deleted already.",
            "Nothing, if it was to be gone.",
        ),
        Status::VersionMismatch => text(
            "The row's version is not the expected one.",
            "Somebody else wrote it in between.",
            "Read the row, decide anew, and write with the version read.",
        ),
        Status::NamespaceFull => text(
            "The namespace would pass its 1,048,576 rows or its 1 GiB.",
            "Deleted rows count as well: their versions are kept.",
            "Use another namespace.",
        ),
    }
}
