//! The typed form: what crosses, what is refused and under which path.

#![allow(clippy::unwrap_used)]

use farthing_ledger::{
    AMOUNT_MAX, Account, AccountFlags, AccountId, Ledger, LedgerFlags, Record, RecordFlags,
    RecordKey, Transfer, TransferFlags, TransferId, VERSION_ANY,
};
use farthing_proto::convert::{account, ledger, record, transfer};
use farthing_proto::error::FieldError;
use farthing_proto::v1::{self, transfer::AmountChoice};

const ONE: &str = "00000000-0000-0000-0000-000000000001";
const TWO: &str = "00000000-0000-0000-0000-000000000002";
const NINE: &str = "00000000-0000-0000-0000-000000000009";

/// Ledger 7 has cents.
fn scale_of(ledger: u32) -> Option<u8> {
    (ledger == 7).then_some(2)
}

fn payment() -> v1::Transfer {
    v1::Transfer {
        id: NINE.to_owned(),
        debit_account_id: ONE.to_owned(),
        credit_account_id: TWO.to_owned(),
        amount_choice: Some(AmountChoice::Amount("12.5".to_owned())),
        ledger: 7,
        code: 1,
        ..v1::Transfer::default()
    }
}

fn fields(errors: &[FieldError]) -> Vec<&str> {
    errors.iter().map(|error| error.field.as_str()).collect()
}

#[test]
fn a_transfer_is_read_in_the_unit_of_its_ledger() {
    let read = transfer::from_wire(&[payment()], scale_of).unwrap();
    let expected = Transfer {
        id: TransferId(9),
        debit_account_id: AccountId(1),
        credit_account_id: AccountId(2),
        amount: 1_250,
        ledger: 7,
        code: 1,
        ..Transfer::default()
    };
    assert_eq!(read, vec![expected]);
}

#[test]
fn every_transfer_field_and_flag_survives_a_round_trip() {
    for bit in 0..9 {
        let stored = Transfer {
            id: TransferId(u128::MAX - 1),
            debit_account_id: AccountId(1 << 127),
            credit_account_id: AccountId(3),
            amount: u128::MAX - 7,
            pending_id: TransferId(5),
            user_data_128: 6,
            user_data_64: u64::MAX,
            user_data_32: u32::MAX,
            timeout: 9,
            ledger: 7,
            code: u16::MAX,
            flags: TransferFlags(1 << bit),
            timestamp: 10,
        };
        let message = transfer::to_wire(&stored, 2);
        assert_eq!(
            transfer::from_wire(std::slice::from_ref(&message), scale_of),
            Ok(vec![stored])
        );
        assert_eq!(transfer::stored_from_wire(&message, 2), Ok(stored));
    }
}

#[test]
fn every_account_field_and_flag_survives_a_round_trip() {
    for bit in 0..6 {
        let stored = Account {
            id: AccountId(2),
            debits_pending: 1,
            debits_posted: u128::MAX,
            credits_pending: 100,
            credits_posted: 12_345,
            user_data_128: 6,
            user_data_64: 7,
            user_data_32: 8,
            reserved: 0,
            ledger: 7,
            code: 9,
            flags: AccountFlags(1 << bit),
            timestamp: 10,
        };
        let message = account::to_wire(&stored, 2);
        assert_eq!(
            account::from_wire(std::slice::from_ref(&message), scale_of),
            Ok(vec![stored])
        );
        assert_eq!(account::stored_from_wire(&message, 2), Ok(stored));
    }
    assert_eq!(
        account::to_wire(
            &Account {
                credits_posted: 12_345,
                ..Account::default()
            },
            2
        )
        .credits_posted,
        "123.45"
    );
}

#[test]
fn fields_that_cannot_be_read_are_named_and_all_at_once() {
    let mut wrong = payment();
    wrong.id = String::new();
    wrong.debit_account_id = "somebody".to_owned();
    wrong.amount_choice = Some(AmountChoice::Amount("0.125".to_owned()));
    wrong.code = 70_000;
    wrong.flags = vec![v1::TransferFlag::Linked.into(), 77];
    let errors = transfer::from_wire(&[payment(), wrong], scale_of).unwrap_err();
    assert_eq!(
        fields(&errors),
        [
            "transfers[1].flags",
            "transfers[1].id",
            "transfers[1].debit_account_id",
            "transfers[1].amount",
            "transfers[1].code",
        ]
    );
}

#[test]
fn ten_thousand_wrong_fields_do_not_make_a_message_of_megabytes() {
    let errors = transfer::from_wire(&vec![v1::Transfer::default(); 8_000], scale_of).unwrap_err();
    assert_eq!(errors.len(), 32);
}

#[test]
fn an_amount_is_never_guessed() {
    let with = |choice, flags: &[v1::TransferFlag], ledger| {
        let message = v1::Transfer {
            amount_choice: choice,
            flags: flags.iter().map(|flag| (*flag).into()).collect(),
            pending_id: ONE.to_owned(),
            ledger,
            ..payment()
        };
        transfer::from_wire(&[message], scale_of)
            .map(|items| items[0].amount)
            .map_err(|errors| errors[0].field.clone())
    };
    use v1::TransferFlag::{BalancingDebit, PostPendingTransfer, VoidPendingTransfer};
    let amount = |text: &str| Some(AmountChoice::Amount(text.to_owned()));
    let refused = |field: &str| Err(format!("transfers[0].{field}"));

    assert_eq!(with(None, &[], 7), refused("amount"));
    assert_eq!(with(amount(""), &[], 7), refused("amount"));
    assert_eq!(with(amount("-1"), &[], 7), refused("amount"));
    assert_eq!(with(amount("1e2"), &[], 7), refused("amount"));
    assert_eq!(with(amount("0"), &[], 7), Ok(0));
    assert_eq!(with(None, &[VoidPendingTransfer], 7), Ok(0));
    assert_eq!(with(None, &[PostPendingTransfer], 7), refused("amount"));

    assert_eq!(
        with(Some(AmountChoice::All(true)), &[PostPendingTransfer], 0),
        Ok(AMOUNT_MAX)
    );
    assert_eq!(with(Some(AmountChoice::All(true)), &[], 7), refused("all"));
    assert_eq!(
        with(Some(AmountChoice::All(false)), &[PostPendingTransfer], 7),
        refused("amount")
    );
    let possible = || Some(AmountChoice::AsMuchAsPossible(true));
    assert_eq!(with(possible(), &[BalancingDebit], 7), Ok(AMOUNT_MAX));
    assert_eq!(with(possible(), &[], 7), refused("as_much_as_possible"));

    // Without the ledger's number nobody knows whether 12 is dollars or cents.
    assert_eq!(
        with(amount("12"), &[PostPendingTransfer], 0),
        refused("ledger")
    );
    assert_eq!(with(amount("0"), &[PostPendingTransfer], 0), Ok(0));
    assert_eq!(with(amount("12"), &[PostPendingTransfer], 7), Ok(1_200));
    // An unregistered ledger has whole units.
    assert_eq!(with(amount("12"), &[], 8), Ok(12));
    assert_eq!(with(amount("12.5"), &[], 8), refused("amount"));
}

#[test]
fn only_posts_and_voids_may_leave_their_accounts_out() {
    let mut message = payment();
    message.debit_account_id = String::new();
    let errors = transfer::from_wire(std::slice::from_ref(&message), scale_of).unwrap_err();
    assert_eq!(fields(&errors), ["transfers[0].debit_account_id"]);
    message.flags = vec![v1::TransferFlag::PostPendingTransfer.into()];
    assert_eq!(
        transfer::from_wire(&[message], scale_of).unwrap()[0].debit_account_id,
        AccountId(0)
    );
}

#[test]
fn what_breaks_a_rule_of_the_ledger_is_the_ledgers_to_refuse() {
    let message = v1::Transfer {
        id: "f".repeat(32),
        code: 0,
        debit_account_id: ONE.to_owned(),
        credit_account_id: ONE.to_owned(),
        timestamp: 5,
        ..payment()
    };
    assert_eq!(
        transfer::from_wire(&[message], scale_of).unwrap()[0].id,
        TransferId::MAX
    );
    let message = v1::Account {
        id: ONE.to_owned(),
        debits_posted: "1".to_owned(),
        ..v1::Account::default()
    };
    assert_eq!(
        account::from_wire(&[message], scale_of).unwrap()[0].debits_posted,
        1
    );
    let message = v1::Ledger {
        number: 0,
        currency: "much too long a currency".to_owned(),
        scale: 39,
        ..v1::Ledger::default()
    };
    assert_eq!(ledger::from_wire(&[message]).unwrap()[0].currency(), None);
}

#[test]
fn ledgers_cross() {
    let message = v1::Ledger {
        number: 7,
        currency: "USD".to_owned(),
        scale: 2,
        flags: vec![v1::LedgerFlag::Linked.into()],
        ..v1::Ledger::default()
    };
    let mut item = Ledger::new(7, "USD", 2);
    item.flags = LedgerFlags::LINKED;
    assert_eq!(
        ledger::from_wire(std::slice::from_ref(&message)),
        Ok(vec![item])
    );

    let mut stored = Ledger::new(7, "USD", 2);
    stored.flags = LedgerFlags::REGISTERED;
    stored.timestamp = 5;
    assert_eq!(
        ledger::stored_from_wire(&ledger::to_wire(&stored)),
        Ok(stored)
    );

    let wrong = v1::Ledger {
        scale: 300,
        registered: true,
        ..message
    };
    assert_eq!(
        fields(&ledger::from_wire(&[wrong]).unwrap_err()),
        ["ledgers[0].scale", "ledgers[0].registered"]
    );
}

#[test]
fn records_cross() {
    let message = v1::RecordItem {
        operation_id: NINE.to_owned(),
        namespace: 3,
        key: b"key".as_slice().into(),
        value: b"value".as_slice().into(),
        expected_version: None,
        flags: vec![v1::RecordFlag::Delete.into()],
    };
    let messages = [
        v1::RecordItem {
            expected_version: Some(0),
            flags: Vec::new(),
            ..message.clone()
        },
        message,
    ];
    let items = record::from_wire(&messages).unwrap();
    assert_eq!(items[0].expected_version, 0);
    assert_eq!(items[0].flags, RecordFlags(0));
    assert_eq!(items[1].expected_version, VERSION_ANY);
    assert_eq!(items[1].flags, RecordFlags::DELETE);
    assert_eq!(
        (
            items[1].operation_id,
            items[1].namespace,
            items[1].key,
            items[1].value
        ),
        (9, 3, b"key".as_slice(), b"value".as_slice())
    );

    let key = RecordKey::new(3, b"key").unwrap();
    let mut stored = Record {
        version: 4,
        operation_id: 9,
        timestamp: 5,
        value: b"value".to_vec(),
        ..Record::default()
    };
    let answer = record::to_wire(&key, Some(&stored)).record.unwrap();
    assert_eq!(
        (answer.namespace, &answer.key[..], &answer.value[..]),
        (3, b"key".as_slice(), b"value".as_slice())
    );
    assert_eq!(
        (
            answer.version,
            answer.operation_id.as_str(),
            answer.timestamp
        ),
        (4, NINE, 5)
    );
    stored.deleted = true;
    let answer = record::to_wire(&key, Some(&stored));
    assert_eq!(
        (
            answer.record,
            answer.deleted_version,
            answer.deleted_by.as_str()
        ),
        (None, 4, NINE)
    );

    let keys = [
        v1::RecordKey {
            namespace: 3,
            key: b"key".as_slice().into(),
        },
        v1::RecordKey::default(),
    ];
    assert_eq!(record::keys_from_wire(&keys[..1]), Ok(vec![key]));
    assert_eq!(
        fields(&record::keys_from_wire(&keys).unwrap_err()),
        ["keys[1].key"]
    );
}
