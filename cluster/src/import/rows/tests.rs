//! What rows are payments, and what is said of the others.

use super::*;

fn rows(text: &str) -> Vec<Row> {
    let input = std::io::Cursor::new(text.to_owned());
    let mut rows = Rows::new(Box::new(input), Plan::default()).unwrap();
    let mut accounts = Vec::new();
    std::iter::from_fn(|| rows.next(&mut accounts).unwrap()).collect()
}

#[test]
fn number_zero_and_amount_zero_are_payments() {
    let rows = rows(
        "payment_id,time,customer_id,terminal_id,amount\n\
         0,1970-01-01T00:00:01Z,0,0,0.00\n\
         1,1970-01-01T00:00:02Z,0,1,57.16\n",
    );
    let [Row::Payment(2, zero), Row::Payment(3, one)] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!((zero.amount, one.amount), (0, 5_716));
    assert_eq!(
        (zero.user_data_64, one.user_data_64),
        (1_000_000_000, 2_000_000_000)
    );
    assert_ne!(zero.id.0, 0);
    assert_ne!(
        zero.debit_account_id, zero.credit_account_id,
        "customer 0 is not terminal 0"
    );
    assert_eq!(zero.debit_account_id, one.debit_account_id);
    assert_eq!((one.ledger, one.code), (840, 1));
}

#[test]
fn bad_rows_say_their_line_and_problem() {
    let rows = rows(
        "payment_id,time,customer_id,terminal_id,amount\n\
         1,1970-01-01T00:00:01Z,1,1,1.005\n\
         2,1970-01-01T00:00:01Z,1,1\n\
         3,yesterday,1,1,1.00\n\
         ,1970-01-01T00:00:01Z,1,1,1.00\n\
         5,1970-01-01T00:00:01Z,1,1,-1.00\n\
         6,1970-01-01T00:00:01Z,1,1,1.00\n",
    );
    let problems: Vec<_> = rows
        .iter()
        .map(|row| match row {
            Row::Bad(bad) => (bad.line, bad.problem.as_str()),
            Row::Payment(line, _) => (*line, "good"),
        })
        .collect();
    for (at, (line, part)) in [
        (2, "`amount`"),
        (3, "4 columns"),
        (4, "RFC 3339"),
        (5, "empty"),
        (6, "`amount`"),
        (7, "good"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(problems[at].0, line);
        assert!(problems[at].1.contains(part), "{:?}", problems[at]);
    }
}

#[test]
fn a_row_that_goes_on_over_lines_is_no_payment() {
    // The columns are as many as they should be.
    let rows = rows(
        "payment_id,time,customer_id,terminal_id,amount,note\n\
         1,1970-01-01T00:00:01Z,0,1,1.00,\"fine\"\n\
         2,1970-01-01T00:00:01Z,0,1,1.00,\"open\n\
         3,1970-01-01T00:00:01Z,0,1,1.00,lost\"\n\
         4,1970-01-01T00:00:01Z,0,1,1.00,good\n",
    );
    let [Row::Payment(2, _), Row::Bad(bad), Row::Payment(5, _)] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(bad.line, 3);
    assert!(bad.problem.contains("quote"), "{}", bad.problem);
}

#[test]
fn a_quote_that_is_not_closed_ends_the_import_at_its_line() {
    // At the end of the file; at the next quote, with rows between and without.
    for end in [
        "",
        "\n4,1970-01-01T00:00:01Z,0,1,1.00,\"good\"\n",
        "\" or not\n4,1970-01-01T00:00:01Z,0,1,1.00,good\n",
    ] {
        let text = format!(
            "payment_id,time,customer_id,terminal_id,amount,note\n\
             1,1970-01-01T00:00:01Z,0,1,1.00,\"fine\"\n\
             2,1970-01-01T00:00:01Z,0,1,1.00,\n\
             3,1970-01-01T00:00:01Z,0,1,1.00,\"open{end}"
        );
        let input = std::io::Cursor::new(text);
        let mut rows = Rows::new(Box::new(input), Plan::default()).unwrap();
        let mut accounts = Vec::new();
        // What stands before it is read as ever.
        for line in [2, 3] {
            let row = rows.next(&mut accounts).unwrap();
            assert!(matches!(row, Some(Row::Payment(at, _)) if at == line));
        }
        let failure = rows.next(&mut accounts).unwrap_err();
        assert_eq!(failure.code, Code::BadInput);
        assert!(failure.what.starts_with("line 4: a quote"), "{failure}");
    }
}

#[test]
fn lines_are_those_of_the_file_whatever_they_end_with() {
    let rows = rows(
        "payment_id,time,customer_id,terminal_id,amount\r\n\r\n\n\
         1,1970-01-01T00:00:01Z,0,1,1.00\r\n\
         \r\n\
         2,1970-01-01T00:00:01Z,0,1,much\r\n",
    );
    let [Row::Payment(4, _), Row::Bad(bad)] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(bad.line, 6);
}

/// Endless, and counts what was taken of it.
struct Endless {
    begin: &'static [u8],
    taken: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = match self.begin.read(buffer)? {
            0 => {
                buffer.fill(b'7');
                buffer.len()
            }
            length => length,
        };
        self.taken
            .fetch_add(length, std::sync::atomic::Ordering::Relaxed);
        Ok(length)
    }
}

#[test]
fn a_quote_that_is_never_closed_does_not_take_in_the_whole_file() {
    const GOOD: &[u8] = b"payment_id,time,customer_id,terminal_id,amount\n\
        0,1970-01-01T00:00:01Z,0,0,0.00\n1,1970-01-01T00:00:01Z,0,\"0,0.00\n";
    let taken = std::sync::Arc::default();
    let endless = |begin| Endless {
        begin,
        taken: std::sync::Arc::clone(&taken),
    };
    let mut rows = Rows::new(Box::new(endless(GOOD)), Plan::default()).unwrap();
    let mut accounts = Vec::new();
    assert!(matches!(
        rows.next(&mut accounts),
        Ok(Some(Row::Payment(2, _)))
    ));
    let failure = rows.next(&mut accounts).unwrap_err();
    assert_eq!(failure.code, Code::BadInput);
    assert!(failure.what.starts_with("line 3:"), "{}", failure.what);
    let header = Rows::new(Box::new(endless(b"payment_id,\"time")), Plan::default());
    let failure = header.err().unwrap();
    assert_eq!(failure.code, Code::BadInput);
    assert!(failure.what.starts_with("line 1:"), "{}", failure.what);
    let taken = taken.load(std::sync::atomic::Ordering::Relaxed);
    assert!(
        taken <= 2 * (2 * ROW_BYTES_MAX + 2 * BUFFER_BYTES),
        "{taken}"
    );
}

/// Nothing but the row itself decides, however the file is read and whatever it is quoted with.
#[test]
fn a_row_of_the_longest_length_is_read_and_a_longer_one_is_not() {
    let header = "payment_id,time,customer_id,terminal_id,amount\n";
    let rest = "1970-01-01T00:00:01Z01.00";
    let read = |length: usize, quoted: bool| {
        // Every byte of the id is a quote in the worst case, which takes two in the file.
        let id = if quoted {
            format!("\"{}\"", "\"\"".repeat(length - rest.len()))
        } else {
            "7".repeat(length - rest.len())
        };
        let text =
            format!("{header}{id},1970-01-01T00:00:01Z,0,1,.00\n0,1970-01-01T00:00:01Z,0,1,0.00");
        let mut rows = Rows::new(Box::new(std::io::Cursor::new(text)), Plan::default()).unwrap();
        let mut accounts = Vec::new();
        let first = rows.next(&mut accounts).map(|row| row.is_some());
        let second = rows.next(&mut accounts);
        (first.is_ok(), matches!(second, Ok(Some(Row::Payment(..)))))
    };
    for quoted in [false, true] {
        assert_eq!(read(ROW_BYTES_MAX, quoted), (true, true), "{quoted}");
        assert!(!read(ROW_BYTES_MAX + 1, quoted).0, "{quoted}");
    }
}

#[test]
fn a_bad_row_makes_no_accounts() {
    let text = "payment_id,time,customer_id,terminal_id,amount\n1,1970-01-01T00:00:01Z,1,1,one\n";
    let mut rows = Rows::new(Box::new(text.as_bytes()), Plan::default()).unwrap();
    let mut accounts = Vec::new();
    assert!(matches!(rows.next(&mut accounts), Ok(Some(Row::Bad(_)))));
    assert!(accounts.is_empty());
}
