//! The reader says what is wrong with an entry, and the writers never make one it would refuse.

use farthing_ledger::entry::{ENTRY_BYTES_MAX, REQUEST_ITEMS_MAX, SECTION_HEADER_BYTES};
use farthing_ledger::{
    Account, EntryBuilder, EntryError, EntryReader, RequestBuilder, SectionKind, Setting,
};

use crate::single;

fn with(bytes: &[u8], at: usize, value: u8) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[at] = value;
    changed
}

#[test]
fn the_reader_names_what_is_wrong() {
    let request = RequestBuilder::new(b"me").settings(&[Setting {
        setting: 1,
        reserved: 0,
        value: 1,
    }]);
    let bytes = single(1, request);
    let error = |at: usize, value: u8| EntryReader::new(&with(&bytes, at, value)).unwrap_err();
    assert_eq!(error(0, 2), EntryError::UnknownVersion(2));
    assert_eq!(error(2, 2), EntryError::UnknownFeatureLevel(2));
    assert_eq!(error(2, 0), EntryError::UnknownFeatureLevel(0));
    assert_eq!(error(15, 0x80), EntryError::TimeOutOfRange(1 << 63 | 1));
    assert_eq!(error(4, 2), EntryError::Truncated);
    assert_eq!(error(4, 0), EntryError::TrailingBytes);
    assert_eq!(error(16, 200), EntryError::Truncated);
    assert_eq!(
        error(20, 1),
        EntryError::ReservedNotZero,
        "flags of the request"
    );
    assert_eq!(error(26, 7), EntryError::UnknownKind(7));
    assert_eq!(error(26, 0), EntryError::UnknownKind(0));
    assert_eq!(
        error(28, 1),
        EntryError::ReservedNotZero,
        "reserved of the section"
    );
    assert_eq!(error(30, 2), EntryError::LengthMismatch);
    assert_eq!(error(38, 2), EntryError::UnknownSetting(2));
    assert!(EntryReader::new(&bytes).is_ok());
}

#[test]
fn writers_refuse_what_the_reader_would_refuse() {
    let accounts = vec![Account::default(); REQUEST_ITEMS_MAX];
    let full = RequestBuilder::new(b"")
        .accounts(&accounts)
        .finish()
        .unwrap();
    let too_many = RequestBuilder::new(b"")
        .accounts(&accounts)
        .accounts(&accounts[..1]);
    assert_eq!(too_many.finish(), Err(EntryError::TooManyItems));
    assert_eq!(
        RequestBuilder::new(&[0; 256]).finish(),
        Err(EntryError::PrincipalTooLong)
    );
    let sections = (0..256).fold(RequestBuilder::new(b""), |request, _| request.accounts(&[]));
    assert_eq!(sections.finish(), Err(EntryError::TooManySections));
    let cut = RequestBuilder::new(b"").section(SectionKind::Transfers, 2, &[0; 255]);
    assert_eq!(cut.finish(), Err(EntryError::LengthMismatch));
    let value = vec![0; 5 << 20];
    let large = RequestBuilder::new(b"").section(SectionKind::Records, 1, &value);
    assert_eq!(large.finish(), Err(EntryError::RequestTooLarge));

    let mut builder = EntryBuilder::new(1);
    while builder.len() + full.len() <= ENTRY_BYTES_MAX {
        builder.push(&full).unwrap();
    }
    let length = builder.len();
    assert_eq!(builder.push(&full), Err(EntryError::EntryTooLarge));
    assert_eq!(builder.len(), length);
    assert!(EntryReader::new(&builder.finish()).is_ok());

    let pulse = RequestBuilder::new(b"").pulse().finish().unwrap();
    let mut builder = EntryBuilder::new(1);
    builder.push(&pulse).unwrap();
    assert_eq!(builder.push(&pulse), Err(EntryError::TooManyPulses));
    assert_eq!(
        builder.push(&pulse[..SECTION_HEADER_BYTES]),
        Err(EntryError::Truncated)
    );
    assert_eq!(
        builder.push(&[&pulse[..], &[0]].concat()),
        Err(EntryError::TrailingBytes)
    );
    assert_eq!(builder.request_count(), 1);
}
