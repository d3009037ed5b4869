//! What events are about, field by field: the order here is the order in the file, for ever.

use farthing_ledger::{
    Account, Balances, Ledger, RECORD_KEY_BYTES_MAX, RECORD_VALUE_BYTES_MAX, Record, Setting,
    Transfer,
};

use crate::json::Form;

/// Names of the flags by bit, as in the API.
const TRANSFER_FLAGS: &[&str] = &[
    "linked",
    "pending",
    "post_pending_transfer",
    "void_pending_transfer",
    "balancing_debit",
    "balancing_credit",
    "closing_debit",
    "closing_credit",
    "imported",
];
const ACCOUNT_FLAGS: &[&str] = &[
    "linked",
    "debits_must_not_exceed_credits",
    "credits_must_not_exceed_debits",
    "history",
    "imported",
    "closed",
];
const LEDGER_FLAGS: &[&str] = &["linked", "registered"];

/// A transfer and the balances it left.
pub(super) fn movement<F: Form>(
    form: &mut F,
    transfer: &mut Transfer,
    debit_after: &mut Balances,
    credit_after: &mut Balances,
) -> Result<(), F::Error> {
    form.word(",\"transfer\":{\"id\":")?;
    form.id(&mut transfer.id.0)?;
    form.word(",\"debit_account_id\":")?;
    form.id(&mut transfer.debit_account_id.0)?;
    form.word(",\"credit_account_id\":")?;
    form.id(&mut transfer.credit_account_id.0)?;
    form.word(",\"amount\":")?;
    form.amount(&mut transfer.amount)?;
    form.word(",\"pending_id\":")?;
    form.optional_id(&mut transfer.pending_id.0)?;
    form.word(",\"user_data_128\":")?;
    form.optional_id(&mut transfer.user_data_128)?;
    form.word(",\"user_data_64\":")?;
    form.number(&mut transfer.user_data_64)?;
    form.word(",\"user_data_32\":")?;
    form.number(&mut transfer.user_data_32)?;
    form.word(",\"timeout_s\":")?;
    form.number(&mut transfer.timeout)?;
    form.word(",\"ledger\":")?;
    form.number(&mut transfer.ledger)?;
    form.word(",\"code\":")?;
    form.number(&mut transfer.code)?;
    form.word(",\"flags\":")?;
    form.flags(&mut transfer.flags.0, TRANSFER_FLAGS)?;
    form.word(",\"timestamp\":")?;
    form.number(&mut transfer.timestamp)?;
    form.word("},\"debit_account\":{")?;
    balances(form, debit_after)?;
    form.word("},\"credit_account\":{")?;
    balances(form, credit_after)?;
    form.word("}")
}

fn balances<F: Form>(form: &mut F, balances: &mut Balances) -> Result<(), F::Error> {
    form.word("\"debits_pending\":")?;
    form.amount(&mut balances.debits_pending)?;
    form.word(",\"debits_posted\":")?;
    form.amount(&mut balances.debits_posted)?;
    form.word(",\"credits_pending\":")?;
    form.amount(&mut balances.credits_pending)?;
    form.word(",\"credits_posted\":")?;
    form.amount(&mut balances.credits_posted)
}

/// An account as it was created.
pub(super) fn account<F: Form>(form: &mut F, account: &mut Account) -> Result<(), F::Error> {
    form.word(",\"account\":{\"id\":")?;
    form.id(&mut account.id.0)?;
    form.word(",")?;
    let mut totals = account.balances();
    balances(form, &mut totals)?;
    account.debits_pending = totals.debits_pending;
    account.debits_posted = totals.debits_posted;
    account.credits_pending = totals.credits_pending;
    account.credits_posted = totals.credits_posted;
    form.word(",\"user_data_128\":")?;
    form.optional_id(&mut account.user_data_128)?;
    form.word(",\"user_data_64\":")?;
    form.number(&mut account.user_data_64)?;
    form.word(",\"user_data_32\":")?;
    form.number(&mut account.user_data_32)?;
    form.word(",\"ledger\":")?;
    form.number(&mut account.ledger)?;
    form.word(",\"code\":")?;
    form.number(&mut account.code)?;
    form.word(",\"flags\":")?;
    form.flags(&mut account.flags.0, ACCOUNT_FLAGS)?;
    form.word(",\"timestamp\":")?;
    form.number(&mut account.timestamp)?;
    reserved(form, &mut account.reserved)?;
    form.word("}")
}

/// A ledger as it was registered.
pub(super) fn ledger<F: Form>(form: &mut F, ledger: &mut Ledger) -> Result<(), F::Error> {
    form.word(",\"ledger\":{\"number\":")?;
    form.number(&mut ledger.ledger)?;
    form.word(",\"currency\":")?;
    // What breaks the rule for currencies stands as it is.
    let as_bytes = ledger.currency().is_none();
    if form.word_if("null,\"currency_length\":", as_bytes)? {
        form.number(&mut ledger.currency_length)?;
        form.word(",\"currency_bytes\":")?;
        form.hex(&mut ledger.currency)?;
    } else {
        let mut currency = ledger.currency().unwrap_or_default().to_owned();
        form.text(&mut currency)?;
        let named = Ledger::new(0, &currency, 0);
        (ledger.currency, ledger.currency_length) = (named.currency, named.currency_length);
    }
    form.word(",\"scale\":")?;
    form.number(&mut ledger.scale)?;
    form.word(",\"flags\":")?;
    form.flags(&mut ledger.flags.0, LEDGER_FLAGS)?;
    form.word(",\"timestamp\":")?;
    form.number(&mut ledger.timestamp)?;
    if form.word_if(",\"reserved\":", ledger.reserved != [0; 32])? {
        form.hex(&mut ledger.reserved)?;
    }
    form.word("}")
}

/// A record as it was written.
pub(super) fn written<F: Form>(
    form: &mut F,
    namespace: &mut u32,
    key: &mut Vec<u8>,
    record: &mut Record,
) -> Result<(), F::Error> {
    form.word(",\"record\":{\"namespace\":")?;
    form.number(namespace)?;
    form.word(",\"key\":")?;
    form.base64(key, RECORD_KEY_BYTES_MAX)?;
    form.word(",\"value\":")?;
    form.base64(&mut record.value, RECORD_VALUE_BYTES_MAX)?;
    form.word(",\"version\":")?;
    form.number(&mut record.version)?;
    form.word(",\"operation_id\":")?;
    form.id(&mut record.operation_id)?;
    form.word(",\"deleted\":")?;
    form.boolean(&mut record.deleted)?;
    form.word(",\"fingerprint\":")?;
    let mut fingerprint = record.fingerprint.to_be_bytes();
    form.hex(&mut fingerprint)?;
    record.fingerprint = u64::from_be_bytes(fingerprint);
    form.word(",\"timestamp\":")?;
    form.number(&mut record.timestamp)?;
    form.word("}")
}

/// A setting as it was changed.
pub(super) fn setting<F: Form>(form: &mut F, setting: &mut Setting) -> Result<(), F::Error> {
    form.word(",\"setting\":{\"setting\":")?;
    form.number(&mut setting.setting)?;
    form.word(",\"value\":")?;
    form.number(&mut setting.value)?;
    reserved(form, &mut setting.reserved)?;
    form.word("}")
}

/// A field without a meaning is there only when it is not zero, as it should be.
fn reserved<F: Form>(form: &mut F, value: &mut u32) -> Result<(), F::Error> {
    if form.word_if(",\"reserved\":", *value != 0)? {
        form.number(value)?;
    }
    Ok(())
}
