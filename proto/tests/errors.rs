//! A refused call says the same as a gRPC status and as a message on a stream.

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::time::Duration;

use farthing_proto::error::{FieldError, Reason, Refused};
use farthing_proto::metadata;
use farthing_proto::v1;
use prost::Message;
use tonic::{Code, Status};

fn rich() -> Refused {
    let mut refused = Refused::invalid(vec![
        FieldError::new(
            "transfers[3].amount",
            "more decimals than the ledger's scale",
        ),
        FieldError::new("transfers[4].id", "an id is required"),
    ])
    .with_leader("10.0.0.1:3001")
    .with_retry_after(Duration::from_millis(250));
    refused.message = "two fields".to_owned();
    refused
}

#[test]
fn every_reason_survives_both_forms() {
    let mut texts = HashSet::new();
    for reason in Reason::ALL {
        assert!(texts.insert(reason.as_str()), "{reason} occurs twice");
        assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
        let refused = Refused::new(*reason, "words");
        let status = refused.clone().into_status();
        assert_eq!(status.code(), reason.code());
        assert_eq!(Refused::from_status(&status).as_ref(), Some(&refused));
        let refusal = v1::Refusal::decode(
            v1::Refusal::from(refused.clone())
                .encode_to_vec()
                .as_slice(),
        );
        assert_eq!(Refused::from(refusal.unwrap()), refused);
    }
}

#[test]
fn details_survive_both_forms() {
    let refused = rich();
    assert_eq!(
        Refused::from_status(&refused.clone().into_status()),
        Some(refused.clone())
    );
    assert_eq!(Refused::from(v1::Refusal::from(refused.clone())), refused);
}

#[test]
fn a_retry_hint_is_also_push_back_for_other_clients() {
    let status = rich().into_status();
    let value = status.metadata().get("grpc-retry-pushback-ms").unwrap();
    assert_eq!(value.to_str().unwrap(), "250");
}

#[test]
fn a_status_of_somebody_else_says_nothing() {
    assert_eq!(Refused::from_status(&Status::unavailable("proxy")), None);
    let hostile = Status::with_details(Code::Unavailable, "x", vec![0xff; 40].into());
    assert_eq!(Refused::from_status(&hostile), None);
}

#[test]
fn a_reason_of_a_newer_server_is_kept_and_never_taken_for_harmless() {
    let mut refused = Refused::new(Reason::Overloaded, "words");
    refused.reason_text = "MOON_PHASE".to_owned();
    let read = Refused::from_status(&refused.into_status()).unwrap();
    assert_eq!(read.reason, None);
    assert_eq!(read.reason_text, "MOON_PHASE");
    assert!(!read.nothing_happened());
}

#[test]
fn the_cluster_id_travels_as_a_uuid_and_is_never_guessed() {
    let mut map = tonic::metadata::MetadataMap::new();
    assert_eq!(metadata::cluster_id(&map), Ok(None));
    metadata::set_cluster_id(&mut map, 0x0189_0a5d_ac96_774b_bcce_b302_099a_8057);
    assert_eq!(
        map.get(metadata::CLUSTER_ID).unwrap().to_str().unwrap(),
        "01890a5d-ac96-774b-bcce-b302099a8057"
    );
    assert_eq!(
        metadata::cluster_id(&map),
        Ok(Some(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057))
    );
    map.insert(metadata::CLUSTER_ID, "seven".parse().unwrap());
    assert_eq!(metadata::cluster_id(&map), Err("seven".to_owned()));
}
