//! Statuses of ledgers.

use farthing_ledger::CreateLedgerStatus as Status;

use super::{Entry, Kind, Text, text};

pub(super) fn entries() -> Vec<Entry> {
    let entry =
        |status: &Status| words(*status).entry(Kind::Ledger, Some(status.code()), status.name());
    Status::all().iter().map(entry).collect()
}

fn words(status: Status) -> Text {
    match status {
        Status::Created => text(
            "The ledger was registered.",
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
        Status::TimestampMustBeZero => text(
            "A timestamp is given.",
            "The cluster sets the time of a ledger.",
            "Send 0; the cluster fills it in.",
        ),
        Status::ReservedField => text(
            "A reserved field is not 0.",
            "The program wrote a wrong layout, or is newer than the cluster.",
            "Send 0 there; update the cluster if it is older than the program.",
        ),
        Status::ReservedFlag => text(
            "A flag without a meaning in a request is set.",
            "`registered` is the cluster's to set; others have no meaning.",
            "Leave the flags out, but for `linked`.",
        ),
        Status::LedgerMustNotBeZero => text(
            "The number is 0.",
            "The field was left out or not filled in.",
            "Give a number from 1; ISO 4217 has one for every currency.",
        ),
        Status::CurrencyInvalid => text(
            "The currency is not 1 to 16 of `A-Z 0-9 . _ -`.",
            "It is empty, too long, or in small letters.",
            "Write it in capitals, such as `EUR`.",
        ),
        Status::ScaleOutOfRange => text(
            "The scale is not 0 to 38.",
            "A scale counts decimals: 2 for cents.",
            "Give the number of decimals that amounts have.",
        ),
        Status::ExistsWithDifferentScale => text(
            "The number is registered with another scale.",
            "A scale is fixed for ever: changing it would change the worth of every amount.",
            "Use the scale that is there (`farthing ledger get NUMBER`), or another number.",
        ),
        Status::ExistsWithDifferentCurrency => text(
            "The number is registered with another currency.",
            "A ledger is one asset, for ever.",
            "Look at what is there (`farthing ledger get NUMBER`), or use another number.",
        ),
        Status::Exists => text(
            "The same ledger is registered already; nothing was changed.",
            "It was sent before: by a retry, or by a second run.",
            "Nothing: it counts as done.",
        ),
        Status::LedgerInUseWithScaleZero => text(
            "Accounts were created on the number before it was registered, which fixed its scale at 0.",
            "The first account on a number nobody registered makes a ledger without decimals and currency.",
            "Register it with scale 0, or register another number before its first account.",
        ),
    }
}
