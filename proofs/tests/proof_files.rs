//! Proofs as files: they hold for what they say, and no byte of them can be another.
#![allow(clippy::unwrap_used)]

mod shared;

use farthing_proofs::{Hash, Proof, ProofFileError, Verifier, consistency, inclusion};
use shared::{Tree, frontier, note, signer};

const EVENTS: usize = 300;

struct Log {
    history: Vec<farthing_proofs::Change>,
    tree: Tree,
}

impl Log {
    fn new() -> Self {
        let history = shared::history(EVENTS as u64);
        let leaves: Vec<Hash> = history.iter().map(farthing_proofs::Change::leaf).collect();
        let tree = Tree::new(leaves);
        Self { history, tree }
    }

    fn inclusion(&self, sequence: usize, size: usize) -> Proof {
        let path = inclusion::prove(&self.tree, sequence as u64 - 1, size as u64);
        Proof::Inclusion {
            event: self.history[sequence - 1].clone(),
            size: size as u64,
            path: path.unwrap().unwrap(),
            checkpoint: note(&frontier(&self.history[..size])),
        }
    }

    fn consistency(&self, earlier: usize, size: usize) -> Proof {
        let path = consistency::prove(&self.tree, earlier as u64, size as u64);
        Proof::Consistency {
            earlier: note(&frontier(&self.history[..earlier])),
            path: path.unwrap().unwrap(),
            checkpoint: note(&frontier(&self.history[..size])),
        }
    }
}

fn key() -> [Verifier; 1] {
    [signer("node-1").verifier()]
}

fn holds(bytes: &[u8]) -> bool {
    Proof::from_bytes(bytes).is_ok_and(|proof| proof.verify(&key()).is_ok())
}

#[test]
fn proofs_come_back_from_their_bytes_and_hold() {
    let log = Log::new();
    for (a, b) in [
        (1, 1),
        (1, 2),
        (2, 2),
        (7, 8),
        (77, 129),
        (128, 128),
        (129, 300),
        (300, 300),
    ] {
        for proof in [
            log.inclusion(a, b),
            log.consistency(a, b),
            log.consistency(0, b),
        ] {
            let bytes = proof.to_bytes();
            assert_eq!(Proof::from_bytes(&bytes), Ok(proof.clone()));
            assert_eq!(proof.verify(&key()), Ok(vec!["node-1".to_owned()]));
            // Whoever reads JSON can read it.
            let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(value["farthing_proof"], 1);
            if let Proof::Inclusion { event, .. } = &proof {
                assert_eq!(value["event"]["sequence"], event.sequence());
                assert_eq!(value["size"], b);
            }
        }
    }
}

#[test]
fn every_altered_byte_is_noticed() {
    let log = Log::new();
    for proof in [log.inclusion(77, 129), log.consistency(77, 129)] {
        let bytes = proof.to_bytes();
        assert!(holds(&bytes));
        let long = bytes.len() > 4_000;
        for at in (0..bytes.len()).step_by(if long { 7 } else { 1 }) {
            let mut altered = bytes.clone();
            altered[at] ^= 1 << (at % 8);
            assert!(!holds(&altered), "byte {at}");
            let mut altered = bytes.clone();
            altered.insert(at, bytes[at]);
            assert!(!holds(&altered), "byte {at} twice");
            assert!(!holds(&bytes[..at]), "cut at {at}");
        }
        assert!(!holds(&[&bytes[..], b"\n"].concat()));
    }
}

#[test]
fn what_is_not_shown_is_said() {
    let log = Log::new();
    let Proof::Inclusion {
        event,
        size,
        path,
        checkpoint,
    } = log.inclusion(77, 129)
    else {
        panic!()
    };
    let proof = |event, size, path, checkpoint| Proof::Inclusion {
        event,
        size,
        path,
        checkpoint,
    };
    let other = log.history[77].clone();
    for (proof, words) in [
        (
            proof(other, size, path.clone(), checkpoint.clone()),
            "do not lead to the checkpoint's root",
        ),
        (
            proof(event.clone(), 128, path.clone(), checkpoint.clone()),
            "for a tree of 128 events, its checkpoint is of 129",
        ),
        (
            proof(event.clone(), size, path[1..].to_vec(), checkpoint.clone()),
            "hashes where",
        ),
        (
            proof(
                log.history[200].clone(),
                size,
                path.clone(),
                checkpoint.clone(),
            ),
            "200 is not below 129",
        ),
    ] {
        let error = proof.verify(&key()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let stranger = [signer("stranger").verifier()];
    let good = proof(event, size, path, checkpoint);
    assert_eq!(
        good.verify(&stranger),
        Err(ProofFileError::NotSigned(vec!["node-1".to_owned()]))
    );
    // A history that was written anew behind a checkpoint.
    let Proof::Consistency { earlier, path, .. } = log.consistency(77, 129) else {
        panic!()
    };
    let mut rewritten = log.history[..129].to_vec();
    rewritten[50] = rewritten[51].clone();
    let anew = Proof::Consistency {
        earlier,
        path,
        checkpoint: note(&frontier(&rewritten)),
    };
    assert!(matches!(anew.verify(&key()), Err(ProofFileError::Proof(_))));
    // Both checkpoints must be signed by somebody trusted, the earlier one too.
    let Proof::Consistency {
        earlier,
        path,
        checkpoint,
    } = log.consistency(77, 129)
    else {
        panic!()
    };
    let forged = signer("stranger").sign(&earlier.checkpoint);
    let half = Proof::Consistency {
        earlier: forged,
        path,
        checkpoint,
    };
    assert!(matches!(
        half.verify(&key()),
        Err(ProofFileError::NotSigned(_))
    ));
}
