//! The Rust SDK of Farthing: everything a program needs to move money through a cluster
//! without thinking about which node leads, what is in flight, or what a retry might do.
//!
//! It knows the ledger's types, the wire, and how to be a good client: it finds the leader
//! and follows it, gathers concurrent calls into few requests, keeps deadlines, and retries
//! with the same ids, so that nothing is ever applied twice. It deliberately does not know
//! how a node works, holds no state that must survive it, and never invents an outcome: when
//! it cannot know, it says [`Error::UnknownOutcome`].
//!
//! Start reading at [`Client`]; then [`TransferBuilder`] for one transfer, [`Request`] for
//! items of several kinds that succeed or fail together, [`Outcome`] for answers, [`Error`]
//! for what can go wrong, [`ids`] for identities; [`queries`] for what happened, [`events`]
//! for following what happens; [`settlement`] for posting later what is initiated now.
//!
//! ```no_run
//! use farthing_client::{Account, AccountId, Client, Decimal, Ledger, format_id, ids};
//!
//! # async fn example() -> Result<(), farthing_client::Error> {
//! let client = Client::connect(["127.0.0.1:3001", "127.0.0.1:3002"]).await?;
//!
//! // An asset with cents, and two accounts on it.
//! client.create_ledgers(&[Ledger::new(840, "USD", 2)]).await?;
//! let account = || Account { id: AccountId(ids::new()), ledger: 840, code: 1, ..Account::default() };
//! let (alice, bob) = (account(), account());
//! client.create_accounts(vec![alice, bob]).await?;
//!
//! // The id is made before anything is sent; sending again can never pay twice.
//! let payment = client
//!     .transfer()
//!     .debit(alice.id)
//!     .credit(bob.id)
//!     .amount(Decimal::new(12_50, 2))
//!     .ledger(840)
//!     .code(1);
//! println!("paying under id {}", format_id(payment.transfer_id().0));
//! let outcome = payment.send().await?;
//! assert!(outcome.is_success(), "refused: {}", outcome.status);
//! # Ok(())
//! # }
//! ```

mod accounts;
mod admin;
pub mod amount;
mod batch;
mod client;
mod config;
mod error;
pub mod events;
pub mod ids;
mod ledgers;
mod members;
mod outcome;
pub mod queries;
mod records;
mod request;
pub mod settlement;
mod transfer_builder;
mod transfers;
mod transport;
mod unary;

pub use admin::{Digest, VerifyStep};
pub use amount::{Amount, AmountError};
pub use client::Client;
pub use config::Builder;
pub use error::Error;
pub use outcome::{Outcome, Status};
pub use records::StoredRecord;
pub use request::{Request, Response, SectionOutcomes};
pub use transfer_builder::TransferBuilder;
pub use transfers::LookedUpTransfer;

pub use farthing_ledger::{
    AMOUNT_MAX, Account, AccountFilter, AccountFlags, AccountId, Balances, CreateAccountStatus,
    CreateLedgerStatus, CreateTransferStatus, Ledger, LedgerFlags, Order, Pending, PendingStatus,
    RecordFlags, RecordItem, RecordKey, Sides, Transfer, TransferFilter, TransferFlags, TransferId,
    VERSION_ABSENT, VERSION_ANY, WriteRecordStatus,
};
pub use farthing_proto::convert::consistency::Consistency;
pub use farthing_proto::convert::id::{format_id, parse_id};
pub use farthing_proto::error::{FieldError, Reason, Refused};
pub use farthing_proto::limits::ITEMS_MAX;
pub use farthing_proto::v1::{
    LedgerTotals, Member, MemberRole, Role, StatusReply, VerifyCheck, VerifyProgress, VerifyReport,
};
pub use rust_decimal::Decimal;
