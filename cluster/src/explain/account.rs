//! Statuses of accounts.

use farthing_ledger::CreateAccountStatus as Status;

use super::{Entry, Kind, Text, text};

pub(super) fn entries() -> Vec<Entry> {
    let entry =
        |status: &Status| words(*status).entry(Kind::Account, Some(status.code()), status.name());
    Status::all().iter().map(entry).collect()
}

const OTHER_CONTENT: &str =
    "The id was made twice, or the program changed an account between two attempts to create it.";
const LOOK_AT_IT: &str =
    "Look at what is there (`farthing account get ID`); another account needs an id of its own.";
const ONLY_TRANSFERS: &str = "Only transfers change balances.";
const SEND_ZERO: &str = "Send 0, and move an opening balance by a transfer.";

fn words(status: Status) -> Text {
    match status {
        Status::Created => text(
            "The account was created.",
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
        Status::ImportedEventExpected => text(
            "The request's first account or transfer is imported, this one is not.",
            "A request carries imported items only, or none.",
            "Send imported and other items in requests of their own.",
        ),
        Status::ImportedEventNotExpected => text(
            "The request's first account or transfer is not imported, this one is.",
            "A request carries imported items only, or none.",
            "Send imported and other items in requests of their own.",
        ),
        Status::TimestampMustBeZero => text(
            "A timestamp is given, and the account is not imported.",
            "The cluster sets the time of everything but imported items.",
            "Send 0; a time of your own has a place in `user_data_64`.",
        ),
        Status::ImportedEventTimestampOutOfRange => text(
            "An imported timestamp is 1 to 2^63 - 1 nanoseconds.",
            "The time was left out, or is in another unit.",
            "Give nanoseconds since 1970.",
        ),
        Status::ImportedEventTimestampMustNotAdvance => text(
            "An imported timestamp lies in the future of the cluster's clock.",
            "The time is in another unit, or the source's clock runs ahead.",
            "Import only what has happened; check the unit (nanoseconds) and the time zone.",
        ),
        Status::ReservedField => text(
            "A reserved field is not 0.",
            "The program wrote a wrong layout, or is newer than the cluster.",
            "Send 0 there; update the cluster if it is older than the program.",
        ),
        Status::ReservedFlag => text(
            "A flag without a meaning is set.",
            "The program is newer than the cluster, or wrote a wrong number.",
            "Set only the flags in the reference; update the cluster if it is older than the program.",
        ),
        Status::IdMustNotBeZero => text(
            "The id is 0.",
            "The field was left out or not filled in.",
            "Make an id (`farthing id new`, or the SDK's `ids::new`) and keep it before sending.",
        ),
        Status::IdMustNotBeIntMax => text(
            "The id is 2^128 - 1.",
            "The largest number is not an id.",
            "Make an id (`farthing id new`, or the SDK's `ids::new`).",
        ),
        Status::ExistsWithDifferentFlags => {
            text("The id exists with other flags.", OTHER_CONTENT, LOOK_AT_IT)
        }
        Status::ExistsWithDifferentUserData128 => text(
            "The id exists with another `user_data_128`.",
            OTHER_CONTENT,
            LOOK_AT_IT,
        ),
        Status::ExistsWithDifferentUserData64 => text(
            "The id exists with another `user_data_64`.",
            OTHER_CONTENT,
            LOOK_AT_IT,
        ),
        Status::ExistsWithDifferentUserData32 => text(
            "The id exists with another `user_data_32`.",
            OTHER_CONTENT,
            LOOK_AT_IT,
        ),
        Status::ExistsWithDifferentLedger => text(
            "The id exists on another ledger.",
            OTHER_CONTENT,
            LOOK_AT_IT,
        ),
        Status::ExistsWithDifferentCode => text(
            "The id exists with another code.",
            OTHER_CONTENT,
            LOOK_AT_IT,
        ),
        Status::Exists => text(
            "The same account exists already; nothing was changed.",
            "It was sent before: by a retry, or by a second run.",
            "Nothing: it counts as done.",
        ),
        Status::FlagsAreMutuallyExclusive => text(
            "Both limits are asked for.",
            "With `debits_must_not_exceed_credits` and `credits_must_not_exceed_debits` at once no money could move.",
            "Choose one of the two.",
        ),
        Status::DebitsPendingMustBeZero => text(
            "The new account has pending debits.",
            ONLY_TRANSFERS,
            SEND_ZERO,
        ),
        Status::DebitsPostedMustBeZero => text(
            "The new account has posted debits.",
            ONLY_TRANSFERS,
            SEND_ZERO,
        ),
        Status::CreditsPendingMustBeZero => text(
            "The new account has pending credits.",
            ONLY_TRANSFERS,
            SEND_ZERO,
        ),
        Status::CreditsPostedMustBeZero => text(
            "The new account has posted credits.",
            ONLY_TRANSFERS,
            SEND_ZERO,
        ),
        Status::LedgerMustNotBeZero => text(
            "The ledger is 0.",
            "The field was left out or not filled in.",
            "Name a ledger (`farthing ledger list`).",
        ),
        Status::CodeMustNotBeZero => text(
            "The code is 0.",
            "The field was left out or not filled in.",
            "Give a number from 1 that says what kind of account it is.",
        ),
        Status::ImportedEventTimestampMustNotRegress => text(
            "An imported timestamp is not above that of every account there is, or is a transfer's.",
            "Imported accounts come in the order of their times, each time once.",
            "Sort by time before importing, and import the oldest first.",
        ),
    }
}
