//! Statuses of transfers.

use farthing_ledger::CreateTransferStatus as Status;

use super::{Entry, Kind, Text, text};

pub(super) fn entries() -> Vec<Entry> {
    let entry = |status: &Status| {
        let mut entry = words(*status).entry(Kind::Transfer, Some(status.code()), status.name());
        if status.is_transient() {
            entry.advice.push_str(
                " This id is used up, so that a late duplicate cannot succeed: send the transfer under a new id.",
            );
        }
        entry
    };
    Status::all().iter().map(entry).collect()
}

const OTHER_CONTENT: &str =
    "The id was made twice, or the program changed a transfer between two attempts to send it.";
const LOOK_AT_IT: &str =
    "Look at what is there (`farthing transfer get ID`); another payment needs an id of its own.";
const NOT_FILLED_IN: &str = "The field was left out or not filled in.";

fn words(status: Status) -> Text {
    match status {
        Status::Created => text(
            "The transfer was created.",
            "Every rule was kept; the amounts have moved.",
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
            "A timestamp is given, and the transfer is not imported.",
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
        Status::ReservedFlag => text(
            "A flag without a meaning is set.",
            "The program is newer than the cluster, or wrote a wrong number.",
            "Set only the flags in the reference; update the cluster if it is older than the program.",
        ),
        Status::IdMustNotBeZero => text(
            "The id is 0.",
            NOT_FILLED_IN,
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
        Status::ExistsWithDifferentPendingId => text(
            "The id exists with another `pending_id`.",
            OTHER_CONTENT,
            LOOK_AT_IT,
        ),
        Status::ExistsWithDifferentTimeout => text(
            "The id exists with another timeout.",
            OTHER_CONTENT,
            LOOK_AT_IT,
        ),
        Status::ExistsWithDifferentDebitAccountId => text(
            "The id exists with another debit account.",
            OTHER_CONTENT,
            LOOK_AT_IT,
        ),
        Status::ExistsWithDifferentCreditAccountId => text(
            "The id exists with another credit account.",
            OTHER_CONTENT,
            LOOK_AT_IT,
        ),
        Status::ExistsWithDifferentAmount => text(
            "The id exists with another amount.",
            OTHER_CONTENT,
            LOOK_AT_IT,
        ),
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
            "The same transfer exists already; nothing was changed.",
            "It was sent before: by a retry, or by a second run.",
            "Nothing: it counts as done.",
        ),
        Status::IdAlreadyFailed => text(
            "The id was refused before, for a reason that may have passed; it is used up.",
            "An id whose refusal depended on the state at the time stays refused for ever, so that a late duplicate cannot succeed when its sender believes it failed.",
            "If the payment is still wanted, send it under a new id.",
        ),
        Status::FlagsAreMutuallyExclusive => text(
            "Two flags exclude each other.",
            "A transfer is pending, a post or a void, one of them at most; posts and voids neither balance nor close.",
            "Choose one; `farthing help transfer create` names what goes together.",
        ),
        Status::DebitAccountIdMustNotBeZero => text(
            "The debit account is 0.",
            NOT_FILLED_IN,
            "Name the account to debit.",
        ),
        Status::DebitAccountIdMustNotBeIntMax => text(
            "The debit account is 2^128 - 1.",
            "The largest number is not an account.",
            "Name the account to debit.",
        ),
        Status::CreditAccountIdMustNotBeZero => text(
            "The credit account is 0.",
            NOT_FILLED_IN,
            "Name the account to credit.",
        ),
        Status::CreditAccountIdMustNotBeIntMax => text(
            "The credit account is 2^128 - 1.",
            "The largest number is not an account.",
            "Name the account to credit.",
        ),
        Status::AccountsMustBeDifferent => text(
            "Debit and credit account are the same.",
            "An account cannot pay itself.",
            "Name two accounts.",
        ),
        Status::PendingIdMustBeZero => text(
            "A `pending_id` is given, and the transfer is neither a post nor a void.",
            "Only those name a pending transfer; a flag was forgotten, or the field was filled in by mistake.",
            "Set the flag for post or void, or leave the field 0.",
        ),
        Status::PendingIdMustNotBeZero => text(
            "A post or a void without a `pending_id`.",
            NOT_FILLED_IN,
            "Name the pending transfer that it resolves.",
        ),
        Status::PendingIdMustNotBeIntMax => text(
            "The `pending_id` is 2^128 - 1.",
            "The largest number is not a transfer.",
            "Name the pending transfer that it resolves.",
        ),
        Status::PendingIdMustBeDifferent => text(
            "The `pending_id` is the transfer's own id.",
            "A transfer cannot resolve itself.",
            "Give the post or void an id of its own.",
        ),
        Status::TimeoutReservedForPendingTransfer => text(
            "A timeout is given, and the transfer is not pending.",
            "Only a reservation can run out.",
            "Leave the timeout 0, or make the transfer pending.",
        ),
        Status::ClosingTransferMustBePending => text(
            "A transfer that closes an account is not pending.",
            "Closing is undone by voiding, so it is pending.",
            "Set `pending` beside `closing_debit` or `closing_credit`.",
        ),
        Status::LedgerMustNotBeZero => text(
            "The ledger is 0.",
            NOT_FILLED_IN,
            "Name the ledger of both accounts.",
        ),
        Status::CodeMustNotBeZero => text(
            "The code is 0.",
            NOT_FILLED_IN,
            "Give a number from 1 that says why the money moves.",
        ),
        Status::DebitAccountNotFound => text(
            "There is no such debit account.",
            "It was never created, or the id is another one's.",
            "Create the account, or correct the id.",
        ),
        Status::CreditAccountNotFound => text(
            "There is no such credit account.",
            "It was never created, or the id is another one's.",
            "Create the account, or correct the id.",
        ),
        Status::AccountsMustHaveTheSameLedger => text(
            "The accounts are on different ledgers.",
            "A ledger is one asset; money does not change its currency by moving.",
            "Exchange by two transfers linked in a chain, one on each ledger.",
        ),
        Status::TransferMustHaveTheSameLedgerAsAccounts => text(
            "The accounts are on another ledger than the transfer says.",
            "The ledger or the accounts are the wrong ones.",
            "Give the ledger of the accounts (`farthing account get` shows it).",
        ),
        Status::PendingTransferNotFound => text(
            "There is no such pending transfer.",
            "It was never created, or the `pending_id` is another one's.",
            "Create the pending transfer first, or correct the `pending_id`.",
        ),
        Status::PendingTransferNotPending => text(
            "The transfer named by `pending_id` was never pending.",
            "It moved its amount at once.",
            "Correct the `pending_id`; a transfer that is done is undone by one in the other direction.",
        ),
        Status::PendingTransferHasDifferentDebitAccountId => text(
            "The pending transfer has another debit account.",
            "A post or void that names accounts must name those of the pending transfer.",
            "Leave the accounts out, or correct them.",
        ),
        Status::PendingTransferHasDifferentCreditAccountId => text(
            "The pending transfer has another credit account.",
            "A post or void that names accounts must name those of the pending transfer.",
            "Leave the accounts out, or correct them.",
        ),
        Status::PendingTransferHasDifferentLedger => text(
            "The pending transfer is on another ledger.",
            "A post or void that names a ledger must name that of the pending transfer.",
            "Leave the ledger out, or correct it.",
        ),
        Status::PendingTransferHasDifferentCode => text(
            "The pending transfer has another code.",
            "A post or void that names a code must name that of the pending transfer.",
            "Leave the code out, or correct it.",
        ),
        Status::ExceedsPendingTransferAmount => text(
            "The post is for more than was reserved.",
            "A post takes the reserved amount or less.",
            "Post at most the reserved amount, and move the rest by a transfer of its own.",
        ),
        Status::PendingTransferHasDifferentAmount => text(
            "The void is for another amount than was reserved.",
            "A void releases all that was reserved.",
            "Leave the amount out; to take a part, post that part, which releases the rest.",
        ),
        Status::PendingTransferAlreadyPosted => text(
            "The pending transfer was posted before.",
            "Somebody else posted it, under another id.",
            "Find out which of the two posts is right; a post is undone by a transfer in the other direction.",
        ),
        Status::PendingTransferAlreadyVoided => text(
            "The pending transfer was voided before.",
            "Somebody else voided it, under another id.",
            "If the money must move after all, make a transfer of its own.",
        ),
        Status::PendingTransferExpired => text(
            "The pending transfer's timeout has passed; what it reserved was released.",
            "It was neither posted nor voided in time.",
            "Reserve again, with a longer timeout.",
        ),
        Status::ImportedEventTimestampMustNotRegress => text(
            "An imported timestamp is not above that of every transfer there is, or is an account's.",
            "Imported transfers come in the order of their times, each time once.",
            "Sort by time before importing, and import the oldest first.",
        ),
        Status::ImportedEventTimestampMustPostdateDebitAccount => text(
            "An imported transfer is not younger than its debit account.",
            "The account's own time is later.",
            "Import the account with the time at which it was opened.",
        ),
        Status::ImportedEventTimestampMustPostdateCreditAccount => text(
            "An imported transfer is not younger than its credit account.",
            "The account's own time is later.",
            "Import the account with the time at which it was opened.",
        ),
        Status::ImportedEventTimeoutMustBeZero => text(
            "An imported transfer has a timeout.",
            "Imported transfers do not time out.",
            "Leave the timeout 0.",
        ),
        Status::DebitAccountAlreadyClosed => text(
            "The debit account is closed and takes no transfers.",
            "A closing transfer closed it, or it was created closed.",
            "Void the closing transfer to open it again, or use another account.",
        ),
        Status::CreditAccountAlreadyClosed => text(
            "The credit account is closed and takes no transfers.",
            "A closing transfer closed it, or it was created closed.",
            "Void the closing transfer to open it again, or use another account.",
        ),
        Status::OverflowsDebitsPending => {
            overflows("The debit account's pending debits would pass 2^128 - 1.")
        }
        Status::OverflowsCreditsPending => {
            overflows("The credit account's pending credits would pass 2^128 - 1.")
        }
        Status::OverflowsDebitsPosted => {
            overflows("The debit account's posted debits would pass 2^128 - 1.")
        }
        Status::OverflowsCreditsPosted => {
            overflows("The credit account's posted credits would pass 2^128 - 1.")
        }
        Status::OverflowsDebits => overflows(
            "The debit account's debits, pending and posted together, would pass 2^128 - 1.",
        ),
        Status::OverflowsCredits => overflows(
            "The credit account's credits, pending and posted together, would pass 2^128 - 1.",
        ),
        Status::OverflowsTimeout => text(
            "It would expire after the last timestamp there is.",
            "The timeout is too long.",
            "Give a shorter timeout, or none.",
        ),
        Status::ExceedsCredits => text(
            "The debit account's debits would exceed its credits.",
            "The account was created with `debits_must_not_exceed_credits` and does not hold enough; pending debits count.",
            "Credit the account first, move less, or move what there is (`--balancing-debit`).",
        ),
        Status::ExceedsDebits => text(
            "The credit account's credits would exceed its debits.",
            "The account was created with `credits_must_not_exceed_debits` and does not owe as much; pending credits count.",
            "Debit the account first, move less, or move what there is (`--balancing-credit`).",
        ),
    }
}

const fn overflows(meaning: &'static str) -> Text {
    text(
        meaning,
        "The amount is far larger than any payment: most likely a number in another unit, or one that was negative.",
        "Correct the amount.",
    )
}
