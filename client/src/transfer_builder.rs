//! Builds one transfer.

use farthing_ledger::{
    AMOUNT_MAX, AccountId, CreateTransferStatus, Transfer, TransferFlags, TransferId,
};

use crate::amount::{Amount, AmountError, to_units};
use crate::client::Client;
use crate::error::Error;
use crate::ids;
use crate::outcome::Outcome;

/// Builds one transfer. Made by [`Client::transfer`], with a new id.
///
/// ```no_run
/// # use farthing_client::*;
/// # async fn example(client: Client, alice: AccountId, bob: AccountId) -> Result<(), Error> {
/// // Reserve, then post what was really used.
/// let hold = client.transfer().debit(alice).credit(bob).amount(500_u32).ledger(840).code(1).pending(3_600);
/// hold.send().await?;
/// let used = client.transfer().post(hold.transfer_id()).amount(321_u32).ledger(840).code(1);
/// assert!(used.send().await?.is_success());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct TransferBuilder {
    client: Client,
    transfer: Transfer,
    amount: Option<Amount>,
}

impl TransferBuilder {
    pub(crate) fn new(client: Client) -> Self {
        let transfer = Transfer {
            id: TransferId(ids::new()),
            ..Transfer::default()
        };
        TransferBuilder {
            client,
            transfer,
            amount: None,
        }
    }

    /// An id of your own instead of the new one.
    pub fn id(mut self, id: TransferId) -> Self {
        self.transfer.id = id;
        self
    }

    /// The id: keep it before sending.
    #[must_use]
    pub fn transfer_id(&self) -> TransferId {
        self.transfer.id
    }

    /// The account debited.
    pub fn debit(mut self, account: AccountId) -> Self {
        self.transfer.debit_account_id = account;
        self
    }

    /// The account credited.
    pub fn credit(mut self, account: AccountId) -> Self {
        self.transfer.credit_account_id = account;
        self
    }

    /// How much: an integer counts the ledger's smallest unit, a `Decimal` its unit.
    pub fn amount(mut self, amount: impl Into<Amount>) -> Self {
        self.amount = Some(amount.into());
        self
    }

    /// With a post: the full pending amount.
    pub fn all(self) -> Self {
        self.amount(Amount::All)
    }

    /// With [`balancing_debit`](Self::balancing_debit) or
    /// [`balancing_credit`](Self::balancing_credit): as much as the limit allows.
    pub fn as_much_as_possible(self) -> Self {
        self.amount(Amount::AsMuchAsPossible)
    }

    /// The ledger of both accounts.
    pub fn ledger(mut self, ledger: u32) -> Self {
        self.transfer.ledger = ledger;
        self
    }

    /// Why the money moves; not zero.
    pub fn code(mut self, code: u16) -> Self {
        self.transfer.code = code;
        self
    }

    /// Opaque link to outside, 128 bits.
    pub fn user_data_128(mut self, value: u128) -> Self {
        self.transfer.user_data_128 = value;
        self
    }

    /// Opaque link to outside, 64 bits.
    pub fn user_data_64(mut self, value: u64) -> Self {
        self.transfer.user_data_64 = value;
        self
    }

    /// Opaque link to outside, 32 bits.
    pub fn user_data_32(mut self, value: u32) -> Self {
        self.transfer.user_data_32 = value;
        self
    }

    /// Reserves only, until posted, voided, or `timeout_s` seconds have passed; 0 = does
    /// not expire.
    pub fn pending(mut self, timeout_s: u32) -> Self {
        self.transfer.timeout = timeout_s;
        self.flag(TransferFlags::PENDING)
    }

    /// Posts a pending transfer; accounts, and the amount with [`all`](Self::all), are
    /// inherited from it.
    pub fn post(mut self, pending: TransferId) -> Self {
        self.transfer.pending_id = pending;
        self.flag(TransferFlags::POST_PENDING_TRANSFER)
    }

    /// Voids a pending transfer; everything is inherited from it.
    pub fn void(mut self, pending: TransferId) -> Self {
        self.transfer.pending_id = pending;
        self.flag(TransferFlags::VOID_PENDING_TRANSFER)
    }

    /// Moves at most what the debit account's limit allows.
    pub fn balancing_debit(self) -> Self {
        self.flag(TransferFlags::BALANCING_DEBIT)
    }

    /// Moves at most what the credit account's limit allows.
    pub fn balancing_credit(self) -> Self {
        self.flag(TransferFlags::BALANCING_CREDIT)
    }

    /// Adds flags.
    pub fn flag(mut self, flags: TransferFlags) -> Self {
        self.transfer.flags = self.transfer.flags.with(flags);
        self
    }

    /// The transfer, to send it together with others. A decimal amount asks for the
    /// ledger's scale, once in the life of a client.
    ///
    /// # Errors
    /// [`Error::Amount`] when the amount is missing or cannot be converted; otherwise what
    /// a lookup can give.
    pub async fn build(&self) -> Result<Transfer, Error> {
        Ok(Transfer {
            amount: self.units().await?,
            ..self.transfer
        })
    }

    /// Sends it and waits for its outcome. Calling it again sends the same transfer with
    /// the same id, which can never move the money twice.
    ///
    /// # Errors
    /// See [`Error`]. A refused transfer is an outcome, not an error.
    pub async fn send(&self) -> Result<Outcome<CreateTransferStatus>, Error> {
        let transfer = self.build().await?;
        let outcomes = self.client.create_transfers(vec![transfer]).await?;
        outcomes.first().copied().ok_or(Error::Closed)
    }

    async fn units(&self) -> Result<u128, Error> {
        let flags = self.transfer.flags;
        let balancing = TransferFlags::BALANCING_DEBIT.with(TransferFlags::BALANCING_CREDIT);
        match self.amount {
            Some(Amount::Units(units)) => Ok(units),
            Some(Amount::Decimal(value)) => {
                let ledger = self.transfer.ledger;
                if ledger == 0 && !value.is_zero() {
                    return Err(AmountError::LedgerMissing.into());
                }
                let scale = match value.is_zero() {
                    true => 0,
                    false => self.client.scale(ledger).await?,
                };
                Ok(to_units(value, ledger, scale)?)
            }
            Some(Amount::All) if flags.contains(TransferFlags::POST_PENDING_TRANSFER) => {
                Ok(AMOUNT_MAX)
            }
            Some(Amount::All) => Err(AmountError::WrongKind("post(id)").into()),
            Some(Amount::AsMuchAsPossible) if flags.intersects(balancing) => Ok(AMOUNT_MAX),
            Some(Amount::AsMuchAsPossible) => {
                Err(AmountError::WrongKind("balancing_debit() or balancing_credit()").into())
            }
            None if flags.contains(TransferFlags::VOID_PENDING_TRANSFER) => Ok(0),
            None => Err(AmountError::Missing.into()),
        }
    }
}
