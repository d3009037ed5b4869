//! Bytes and numbers that nobody honest would write: refused, without a panic.
#![allow(clippy::unwrap_used)]

mod shared;

use farthing_proofs::export::{Header, read_line, verify, write_line};
use farthing_proofs::{Change, Hash, Proof};
use proptest::prelude::*;

proptest! {
    #[test]
    fn hostile_bytes_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300), at in any::<usize>(), from in any::<u64>(),
    ) {
        prop_assert!(read_line(&bytes, &mut Vec::new()).is_err());
        drop(Header::from_bytes(&bytes));
        drop(Proof::from_bytes(&bytes));
        // Something good up to somewhere, then anything.
        let file = shared::export(&shared::history(3), 0);
        let altered = [&file[..at % file.len()], &bytes].concat();
        let verdict = verify(&altered[..], &[], |_| {});
        prop_assert!(verdict.is_err());
        drop(Proof::from_bytes(&[b"{\"farthing_proof\":1,\"event\":", &bytes[..]].concat()));
        // The largest numbers there are.
        for from in [from, u64::MAX - 1, u64::MAX] {
            let peaks = vec![Hash([7; 32]); from.wrapping_sub(1).count_ones() as usize];
            let mut file = Vec::new();
            Header { origin: String::new(), from, peaks }.write_to(&mut file);
            for more in 0..3 {
                file.push(b'\n');
                let mut change = shared::history(1).remove(0);
                match &mut change {
                    Change::Transfer(row) => row.sequence = from.saturating_add(more),
                    Change::Event(event) => event.sequence = from.saturating_add(more),
                }
                write_line(&change, &mut file);
            }
            file.push(b'\n');
            let verdict = verify(&file[..], &[], |_| {});
            prop_assert!(verdict.is_err());
        }
    }
}
