//! Pages of answers are judged row by row: whatever is wrong in one is found.
#![allow(clippy::unwrap_used)]

use farthing_client::{Account, AccountId, Transfer, TransferFlags, TransferId};
use farthing_jepsen::check::{Checker, check_events};
use farthing_jepsen::history::{
    About, AccountState, Change, Event, Facts, Filter, Function, Hex, Kind, Number, Outcome, Page,
    Process, Query, Rows, Statement, Sum, TransferRow, Value,
};

const SECOND: u64 = 1_000_000_000;

fn account(id: u128) -> Account {
    Account {
        id: AccountId(id),
        ledger: 1,
        code: 1,
        ..Account::default()
    }
}

/// Transfer 11 moves 10 from account 1 to 2, 12 holds 5, 13 posts 4 of them, 14 moves 2 back.
fn transfers() -> [Transfer; 4] {
    let plain = |id: u128, debit: u128, credit: u128, amount: u128| Transfer {
        id: TransferId(id),
        debit_account_id: AccountId(debit),
        credit_account_id: AccountId(credit),
        amount,
        user_data_64: 7,
        ledger: 1,
        code: 1,
        ..Transfer::default()
    };
    let mut hold = plain(12, 1, 2, 5);
    hold.flags = TransferFlags::PENDING;
    let mut post = plain(13, 1, 2, 4);
    post.pending_id = TransferId(12);
    post.flags = TransferFlags::POST_PENDING_TRANSFER;
    [plain(11, 1, 2, 10), hold, post, plain(14, 2, 1, 2)]
}

/// When each is made: two in one second, two in the next.
fn stored() -> [Transfer; 4] {
    let mut stored = transfers();
    for (place, it) in stored.iter_mut().enumerate() {
        it.timestamp = SECOND * (10 + place as u64 / 2) + 100 + place as u64;
    }
    stored
}

/// Everything is created, one call after the other, and then asked for.
fn history(query: Query, page: Page) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut call = |function: Function, asked: Value, answer: Value, log_index: Option<u64>| {
        for (kind, value) in [(Kind::Invoke, asked), (Kind::Ok, answer)] {
            let index = events.len() as u64;
            events.push(Event {
                index,
                kind,
                process: Process::Worker(1),
                function: function.clone(),
                value,
                time: index * 1_000,
                facts: Facts {
                    log_index: log_index.filter(|_| kind == Kind::Ok),
                    ..Facts::default()
                },
            });
        }
    };
    let created = |timestamp: u64| Value::Outcomes(vec![Outcome(0, timestamp)]);
    let accounts = Value::Accounts(vec![account(1), account(2)]);
    let outcomes = Value::Outcomes(vec![Outcome(0, SECOND), Outcome(0, SECOND + 1)]);
    call(Function::Accounts, accounts, outcomes, Some(1));
    for (place, (item, stored)) in transfers().iter().zip(stored()).enumerate() {
        let index = 2 + place as u64;
        let item = Value::Transfers(vec![*item]);
        call(
            Function::Transfers,
            item,
            created(stored.timestamp),
            Some(index),
        );
    }
    let (query, page) = (Value::Query(Box::new(query)), Value::Page(Box::new(page)));
    call(Function::Query, query, page, None);
    events
}

/// What C1 says about the page; every event goes through its text and back.
fn verdict(query: &Query, page: &Page) -> Vec<String> {
    let events = history(query.clone(), page.clone());
    let lines = events
        .iter()
        .map(|event| serde_json::to_string(event).unwrap());
    let events: Vec<Event> = lines.map(|line| Event::parse(&line).unwrap()).collect();
    let report = check_events(events.into_iter().map(Ok)).unwrap();
    let found = report.violations.iter();
    found
        .filter(|it| it.checker == Checker::C1)
        .map(|it| it.message.clone())
        .collect()
}

fn page(rows: Rows) -> Page {
    Page {
        applied_index: 5,
        more: false,
        rows,
    }
}

fn of_account_1(about: About) -> Query {
    Query {
        about,
        filter: Filter {
            account: Some(Hex(1)),
            ..Filter::default()
        },
        size: 10,
        ..Query::default()
    }
}

#[test]
fn a_page_of_transfers_has_all_rows_in_order() {
    let rows = |list: &[usize]| {
        let rows = list.iter().map(|place| TransferRow(stored()[*place]));
        Rows::Transfers(rows.collect())
    };
    let all = of_account_1(About::Transfers);
    let reversed = Query {
        reversed: true,
        ..all.clone()
    };
    let mut second_page = all.clone();
    second_page.after = stored()[1].timestamp;
    let mut late = all.clone();
    late.filter.from = stored()[2].timestamp;
    let mut debited = all.clone();
    debited.filter.is_debited = Some(true);
    let mut of_data = all.clone();
    of_data.filter = Filter {
        user_data_64: Some(7),
        code: Some(1),
        ..Filter::default()
    };
    let mut of_other = of_data.clone();
    of_other.filter.user_data_64 = Some(8);
    let right: [(&Query, &[usize]); 7] = [
        (&all, &[0, 1, 2, 3]),
        (&reversed, &[3, 2, 1, 0]),
        (&second_page, &[2, 3]),
        (&late, &[2, 3]),
        (&debited, &[0, 1, 2]),
        (&of_data, &[0, 1, 2, 3]),
        (&of_other, &[]),
    ];
    for (query, list) in right {
        assert_eq!(verdict(query, &page(rows(list))), [""; 0], "{query:?}");
    }
    let wrong: [(&Query, &[usize]); 6] = [
        (&all, &[0, 1, 3]),
        (&all, &[0, 1, 2]),
        (&all, &[1, 0, 2, 3]),
        (&reversed, &[2, 1, 0]),
        (&second_page, &[3]),
        (&debited, &[0, 1, 2, 3]),
    ];
    for (query, list) in wrong {
        assert_ne!(verdict(query, &page(rows(list))), [""; 0], "{query:?}");
    }
    // A page may end early when it says so, and is judged at its own index.
    let mut early = page(rows(&[0, 1]));
    assert_ne!(verdict(&all, &early), [""; 0]);
    early.more = true;
    assert_eq!(verdict(&all, &early), [""; 0]);
    early.more = false;
    early.applied_index = 3;
    let mut stale = all.clone();
    stale.consistency = farthing_jepsen::history::Consistency::Stale;
    assert_eq!(verdict(&stale, &early), [""; 0]);
    stale.consistency = farthing_jepsen::history::Consistency::MinLogIndex(4);
    assert_ne!(verdict(&stale, &early), [""; 0]);
    let mut short = all.clone();
    short.size = 3;
    assert_ne!(verdict(&short, &page(rows(&[0, 1, 2, 3]))), [""; 0]);
}

#[test]
fn a_page_of_accounts_has_their_balances() {
    let mut rows = vec![account(1), account(2)];
    rows[0].timestamp = SECOND;
    rows[1].timestamp = SECOND + 1;
    (rows[0].debits_posted, rows[0].credits_posted) = (14, 2);
    (rows[1].debits_posted, rows[1].credits_posted) = (2, 14);
    let query = Query {
        about: About::Accounts,
        size: 10,
        ..Query::default()
    };
    let seen = |rows: &[Account]| {
        let rows = rows.iter().map(|row| AccountState(*row)).collect();
        verdict(&query, &page(Rows::Accounts(rows)))
    };
    assert_eq!(seen(&rows), [""; 0]);
    assert_ne!(seen(&rows[..1]), [""; 0]);
    rows[1].credits_posted += 1;
    assert_ne!(seen(&rows), [""; 0]);
}

#[test]
fn a_statement_leads_to_the_balances() {
    let change = |id: u128, [dp, d, cp, c]: [u128; 4]| Change {
        id: Hex(id),
        expired: false,
        balances: [dp, d, cp, c].map(Number),
    };
    let rows = [
        change(14, [0, 14, 0, 2]),
        change(13, [0, 14, 0, 0]),
        change(12, [5, 10, 0, 0]),
        change(11, [0, 10, 0, 0]),
    ];
    let query = Query {
        reversed: true,
        ..of_account_1(About::Statement)
    };
    let seen = |opening: [u128; 4], rows: &[Change], more: bool| {
        let statement = Statement {
            opening: opening.map(Number),
            rows: rows.to_vec(),
        };
        let mut page = page(Rows::Statement(Some(statement)));
        page.more = more;
        verdict(&query, &page)
    };
    assert_eq!(seen([0; 4], &rows, false), [""; 0]);
    assert_eq!(seen([5, 10, 0, 0], &rows[..2], true), [""; 0]);
    assert_ne!(seen([5, 10, 0, 0], &rows[..2], false), [""; 0]);
    assert_ne!(seen([5, 11, 0, 0], &rows[..2], true), [""; 0]);
    assert_ne!(seen([0; 4], &rows[1..], false), [""; 0]);
    let without = [rows[0].clone(), rows[1].clone(), rows[3].clone()];
    assert_ne!(seen([0; 4], &without, false), [""; 0]);
    let mut expired = rows.clone();
    expired[2].expired = true;
    assert_ne!(seen([0; 4], &expired, false), [""; 0]);
    assert_ne!(verdict(&query, &page(Rows::Statement(None))), [""; 0]);
}

#[test]
fn sums_are_of_what_settled() {
    let mut rows = vec![
        Sum {
            start: 10 * SECOND,
            code: 1,
            debits: (1, Number(10)),
            credits: (0, Number(0)),
        },
        Sum {
            start: 11 * SECOND,
            code: 1,
            debits: (1, Number(4)),
            credits: (1, Number(2)),
        },
    ];
    let query = of_account_1(About::Sums);
    let seen = |rows: &[Sum]| verdict(&query, &page(Rows::Sums(rows.to_vec())));
    assert_eq!(seen(&rows), [""; 0]);
    assert_ne!(seen(&rows[1..]), [""; 0]);
    rows[0].debits.0 += 1;
    assert_ne!(seen(&rows), [""; 0]);
}
