//! Ids and page tokens as text.

use farthing_node::fuzzing::{Form, reread};
use farthing_proto::convert::id::{format_id, format_optional_id, parse_id, parse_optional_id};

use super::Part;
use crate::budget::within;

pub(super) const PART: Part = Part {
    name: "ids",
    run,
    seeds,
    words: &["-", "00000000", "ffffffff-ffff", "4294967295", "+1"],
};

fn run(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(id) = within(0, || parse_id(text)) {
            assert_eq!(parse_id(&format_id(id)), Ok(id));
            let digits = |text: &str| text.replace('-', "").to_ascii_lowercase();
            assert_eq!(digits(text), digits(&format_id(id)), "another id was read");
        }
        if let Ok(id) = within(0, || parse_optional_id(text)) {
            assert_eq!(parse_optional_id(&format_optional_id(id)), Ok(id));
        }
    }
    // The same list goes on from the same place, or nowhere.
    let read = within(16 * bytes.len() + 4_096, || reread(Form::PageToken, bytes));
    if let Ok(token) = read {
        assert_eq!(reread(Form::PageToken, &token).as_ref(), Ok(&token));
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "",
        "0",
        "4294967295",
        "4294967296",
        "00000000-0000-0000-0000-00000000000A",
        "0000000000000000000000000000000a",
        "01890a5d-ac96-774b-bcce-b302099a8057",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect()
}
