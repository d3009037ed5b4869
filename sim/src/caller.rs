//! Callers: they make transfers of all kinds and reads, try again with the same ids elsewhere, and check every answer.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use farthing_ledger::{
    AMOUNT_MAX, Account, AccountFlags, AccountId, RequestBuilder, Transfer, TransferFlags,
    TransferId,
};

use crate::messages::{Order, Reply};
use crate::node::host;
use crate::oracle;
use crate::plan::Plan;
use crate::random::Random;
use crate::trace;
use crate::wire::Port;

/// Accounts of the books.
const ACCOUNTS: u64 = 8;
/// How long a node may take for a request, ms.
const DEADLINE_MS: u64 = 1_500;
/// How long a caller waits, a little longer.
const PATIENCE: Duration = Duration::from_millis(2_000);
/// Tries before a caller gives up and the outcome stays unknown.
const TRIES_MAX: u64 = 12;

/// What all callers share.
pub struct Callers {
    plan: Arc<Plan>,
    tags: Cell<u64>,
    leader: Cell<u64>,
    pendings: RefCell<Vec<TransferId>>,
    answered: RefCell<Vec<Vec<Transfer>>>,
}

impl Callers {
    /// Of one simulation.
    pub fn new(plan: Arc<Plan>) -> Self {
        Self {
            plan,
            tags: Cell::new(0),
            leader: Cell::new(1),
            pendings: RefCell::default(),
            answered: RefCell::default(),
        }
    }

    fn tag(&self) -> u64 {
        self.tags.set(self.tags.get() + 1);
        self.tags.get()
    }
}

/// The host of the callers; ends with the simulation.
pub async fn run(callers: Rc<Callers>) -> turmoil::Result {
    let port = Port::open(99, 1, Arc::new(AtomicBool::new(true)), None).await?;
    let opening = Caller::new(&callers, &port, 0);
    opening.open_books().await;
    let mut all = Vec::new();
    for number in 1..=callers.plan.workers {
        let caller = Caller::new(&callers, &port, number);
        all.push(tokio::task::spawn_local(caller.work()));
    }
    for one in all {
        one.await?;
    }
    Ok(())
}

struct Caller {
    shared: Rc<Callers>,
    port: Port,
    number: u64,
    random: RefCell<Random>,
    ids: Cell<u64>,
}

impl Caller {
    fn new(shared: &Rc<Callers>, port: &Port, number: u64) -> Self {
        Self {
            shared: Rc::clone(shared),
            port: port.clone(),
            number,
            random: RefCell::new(Random::new(shared.plan.seed ^ (number << 40), "caller")),
            ids: Cell::new(0),
        }
    }

    fn below(&self, bound: u64) -> u64 {
        self.random.borrow_mut().below(bound)
    }

    fn id(&self) -> TransferId {
        self.ids.set(self.ids.get() + 1);
        TransferId((u128::from(self.number) << 64) | u128::from(self.ids.get()))
    }

    async fn open_books(&self) {
        let account = |id: u64| Account {
            id: AccountId(u128::from(id)),
            ledger: 1,
            code: 1,
            flags: match id {
                3 | 4 => AccountFlags::DEBITS_MUST_NOT_EXCEED_CREDITS,
                5 => AccountFlags::CREDITS_MUST_NOT_EXCEED_DEBITS,
                _ => AccountFlags(0),
            },
            ..Account::default()
        };
        let accounts: Vec<Account> = (1..=ACCOUNTS).map(account).collect();
        while self
            .submit(&|builder| builder.accounts(&accounts))
            .await
            .is_none()
        {}
    }

    async fn work(self) {
        loop {
            let pause = self.below(60);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            if self.below(100) < 25 {
                self.read().await;
            } else {
                self.transfer().await;
            }
        }
    }

    fn plain(&self) -> Transfer {
        let debit = 1 + self.below(ACCOUNTS);
        let credit = 1 + (debit + self.below(ACCOUNTS - 1)) % ACCOUNTS;
        Transfer {
            id: self.id(),
            debit_account_id: AccountId(u128::from(debit)),
            credit_account_id: AccountId(u128::from(credit)),
            amount: u128::from(1 + self.below(500)),
            ledger: 1,
            code: 1,
            ..Transfer::default()
        }
    }

    /// The items of one request.
    fn items(&self) -> Vec<Transfer> {
        let mut first = self.plain();
        let known = self.shared.pendings.borrow().last().copied();
        match self.below(10) {
            0 | 1 => {
                first.flags = TransferFlags::PENDING;
                first.timeout = self.below(4) as u32;
                vec![first]
            }
            2 | 3 if known.is_some() => {
                let pendings = self.shared.pendings.borrow();
                let at = self.below(pendings.len() as u64) as usize;
                first.pending_id = pendings[at];
                first.flags = if self.below(2) == 0 {
                    TransferFlags::POST_PENDING_TRANSFER
                } else {
                    TransferFlags::VOID_PENDING_TRANSFER
                };
                first.debit_account_id = AccountId(0);
                first.credit_account_id = AccountId(0);
                first.amount = if first.flags.contains(TransferFlags::POST_PENDING_TRANSFER) {
                    AMOUNT_MAX
                } else {
                    0
                };
                first.ledger = 0;
                first.code = 0;
                vec![first]
            }
            4 => {
                let mut chain = vec![first, self.plain(), self.plain()];
                chain[0].flags = TransferFlags::LINKED;
                chain[1].flags = TransferFlags::LINKED;
                if self.below(3) == 0 {
                    chain[2].credit_account_id = chain[2].debit_account_id;
                }
                chain
            }
            5 => {
                first.flags = if self.below(2) == 0 {
                    TransferFlags::BALANCING_DEBIT
                } else {
                    TransferFlags::BALANCING_CREDIT
                };
                first.amount = AMOUNT_MAX;
                vec![first]
            }
            6 if !self.shared.answered.borrow().is_empty() => {
                let answered = self.shared.answered.borrow();
                answered[self.below(answered.len() as u64) as usize].clone()
            }
            7 => (0..1 + self.below(20)).map(|_| self.plain()).collect(),
            _ => vec![first],
        }
    }

    async fn transfer(&self) {
        let items = self.items();
        let done = self.submit(&|builder| builder.transfers(&items)).await;
        if done.is_some() {
            let mut pendings = self.shared.pendings.borrow_mut();
            let opened = items
                .iter()
                .filter(|item| item.flags == TransferFlags::PENDING);
            pendings.extend(opened.map(|item| item.id));
            if pendings.len() > 64 {
                pendings.drain(..32);
            }
            let mut answered = self.shared.answered.borrow_mut();
            answered.push(items);
            if answered.len() > 64 {
                answered.drain(..32);
            }
        }
    }

    /// Sends until somebody answers; every try is a request of its own with the same items.
    async fn submit(&self, build: &dyn Fn(RequestBuilder) -> RequestBuilder) -> Option<u64> {
        let mut node = self.shared.leader.get();
        let mut first = None;
        for _ in 0..TRIES_MAX {
            let tag = self.shared.tag();
            let request = build(RequestBuilder::new(&tag.to_le_bytes()))
                .finish()
                .ok()?;
            let before = oracle::acknowledged().1;
            if first.is_some_and(|first| first != node) {
                trace::reached("request tried again at another node");
            }
            first.get_or_insert(node);
            trace!("c{} sends {tag} to n{node}, after {before}", self.number);
            let order = Order::Submit {
                deadline_ms: DEADLINE_MS,
                request: Bytes::from(request),
            };
            match self.ask(node, &order).await {
                Some(Reply::Answer { log_index, results }) => {
                    trace!("c{} has the answer to {tag}: {log_index}", self.number);
                    oracle::answered(tag, before, log_index, &results);
                    self.shared.leader.set(node);
                    return Some(log_index);
                }
                Some(Reply::NotLeader(leader)) if leader > 0 => {
                    node = leader;
                    self.pause(20).await;
                }
                other => {
                    if other.is_none() || matches!(other, Some(Reply::Unknown(_))) {
                        trace::reached("outcome unknown");
                    }
                    node = self.any_node();
                    self.pause(200).await;
                }
            }
        }
        trace::reached("caller gave up");
        None
    }

    async fn read(&self) {
        let account = AccountId(u128::from(1 + self.below(ACCOUNTS)));
        let node = self.any_node();
        let before = oracle::acknowledged().1;
        let order = Order::Read { account: account.0 };
        let reply = self.ask(node, &order).await;
        if let Some(Reply::Account {
            index,
            digest,
            account: seen,
        }) = reply
        {
            trace::reached("read answered");
            trace!("c{} reads at n{node}: {index}, after {before}", self.number);
            oracle::read(node, before, index, digest, account, seen);
        }
    }

    async fn ask(&self, node: u64, order: &Order) -> Option<Reply> {
        let host = host(node);
        let asked = self.port.ask(&host, "/sim/order", order.encode());
        let reply = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
        Reply::decode(&reply)
    }

    fn any_node(&self) -> u64 {
        1 + self.below(self.shared.plan.nodes + self.shared.plan.spares)
    }

    async fn pause(&self, most_ms: u64) {
        let pause = 1 + self.below(most_ms);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

/// Sends orders of an operator to whichever node leads.
pub async fn operate(orders: Rc<RefCell<Vec<Order>>>, leader: Rc<Cell<u64>>) -> turmoil::Result {
    let port = Port::open(98, 1, Arc::new(AtomicBool::new(true)), None).await?;
    loop {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let next = orders.borrow_mut().pop();
        let (Some(order), node) = (next, leader.get()) else {
            continue;
        };
        if node == 0 {
            continue;
        }
        let host = host(node);
        let asked = port.ask(&host, "/sim/order", order.encode());
        let reply = tokio::time::timeout(Duration::from_secs(6), asked).await;
        let reply = reply
            .ok()
            .and_then(Result::ok)
            .and_then(|reply| Reply::decode(&reply));
        trace!("operator: {order:?} at n{node}: {reply:?}");
        if matches!(reply, Some(Reply::Done)) {
            match order {
                Order::HandOver { .. } => trace::reached("leadership handed over"),
                Order::AddLearner { .. } => trace::reached("learner added"),
                Order::ChangeVoters { add: Some(_), .. } => trace::reached("voter added"),
                Order::ChangeVoters { .. } => trace::reached("voter removed"),
                _ => {}
            }
        }
    }
}
