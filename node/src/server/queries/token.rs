//! Page tokens: where a page ended, bound to the question that it answered.
//!
//! 52 hexadecimal digits: version (2), fingerprint of the question, sequence and timestamp of the mark (16 each), and
//! two digits for what kind of question it was. A token holds no secret and gives no right: a forged one begins a page
//! elsewhere.

use farthing_proto::error::{FieldError, Refused};
use prost::Message;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::storage::query::Mark;

const VERSION: u64 = 1;
const LENGTH: usize = 52;

/// Which kind of question a token belongs to.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Transfers = 1,
    Accounts = 2,
    Balances = 3,
    Sums = 4,
}

/// A question, as far as its pages have to agree.
#[derive(Clone, Copy)]
pub(super) struct Question {
    kind: Kind,
    fingerprint: u64,
}

impl Question {
    /// What is asked, and in which order; `rest` is whatever else distinguishes answers.
    pub(super) fn new(kind: Kind, asked: &impl Message, reversed: bool, rest: u64) -> Self {
        let mut bytes = asked.encode_to_vec();
        bytes.extend_from_slice(&rest.to_le_bytes());
        bytes.push(u8::from(reversed));
        let fingerprint = xxh3_64_with_seed(&bytes, kind as u64);
        Self { kind, fingerprint }
    }

    /// The token of a mark; empty without one.
    pub(super) fn token(self, mark: Option<Mark>) -> String {
        let Some(mark) = mark else {
            return String::new();
        };
        format!(
            "{VERSION:02x}{:016x}{:016x}{:016x}{:02x}",
            self.fingerprint, mark.sequence, mark.timestamp, self.kind as u64
        )
    }

    /// The mark in a token of this question; none in an empty one.
    pub(super) fn mark(self, token: &str) -> Result<Option<Mark>, Refused> {
        if token.is_empty() {
            return Ok(None);
        }
        let refused = |description: &str| {
            Refused::invalid(vec![FieldError::new("page.token", description.to_owned())])
        };
        let number = |from: usize, length: usize| {
            let digits = token.get(from..from + length)?;
            let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            plain.then(|| u64::from_str_radix(digits, 16).ok())?
        };
        let parts = (token.len() == LENGTH)
            .then(|| {
                Some([
                    number(0, 2)?,
                    number(2, 16)?,
                    number(18, 16)?,
                    number(34, 16)?,
                    number(50, 2)?,
                ])
            })
            .flatten();
        let Some([VERSION, fingerprint, sequence, timestamp, kind]) = parts else {
            return Err(refused("it is not a token that an earlier page returned"));
        };
        if kind != self.kind as u64 || fingerprint != self.fingerprint {
            return Err(refused(
                "it belongs to another question: only the size may differ between pages",
            ));
        }
        Ok(Some(Mark {
            sequence,
            timestamp,
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use farthing_proto::v1;

    #[test]
    fn tokens_come_back_to_their_own_question_only() {
        let filter = v1::AccountFilter {
            code: 7,
            ..v1::AccountFilter::default()
        };
        let question = Question::new(Kind::Accounts, &filter, false, 0);
        let mark = Mark {
            sequence: u64::MAX,
            timestamp: 3,
        };
        let token = question.token(Some(mark));
        assert_eq!(token.len(), LENGTH);
        assert_eq!(question.mark(&token).unwrap(), Some(mark));
        assert_eq!(question.mark("").unwrap(), None);
        assert_eq!(question.token(None), "");
        let others = [
            Question::new(Kind::Transfers, &filter, false, 0),
            Question::new(Kind::Accounts, &filter, true, 0),
            Question::new(Kind::Accounts, &filter, false, 1),
            Question::new(Kind::Accounts, &v1::AccountFilter::default(), false, 0),
        ];
        for other in others {
            assert!(other.mark(&token).is_err());
        }
        let hostile = [
            "x",
            &token[1..],
            &token.replace('0', "+"),
            "é".repeat(26).as_str(),
        ]
        .map(str::to_owned);
        for token in hostile {
            assert!(question.mark(&token).is_err(), "{token}");
        }
    }
}
