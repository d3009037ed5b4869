//! The decoders, each with what must hold for any bytes. Related ones share a target, because fuzzing takes time for
//! each.

mod amount;
mod apply;
mod cold;
mod envelope;
mod events;
mod history;
mod ids;
mod log;
mod packed;
mod payments;
mod peer;
mod records;
mod rows;
mod settings;
mod snapshot;
mod statement;
mod typed;

/// One decoder and what must hold for it.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// What it decodes.
    pub name: &'static str,
    /// Panics when the bytes break what must hold.
    pub run: fn(&[u8]),
    /// Inputs to begin with: small, each of another shape.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the format that a mutation would not find by itself.
    pub words: &'static [&'static str],
}

/// What is fuzzed as one.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Name, as `make fuzz TARGET=` takes it.
    pub name: &'static str,
    /// With several, the first byte of an input says which, modulo their number. New ones come last, so that the
    /// seeds keep their meaning.
    pub parts: &'static [Part],
    /// Seeded mutations in one run of the tests: a second or two of them.
    pub rounds: usize,
}

/// Every decoder of bytes from outside.
pub const TARGETS: &[Target] = &[
    // What the ledger makes of requests.
    Target {
        name: "apply",
        parts: &[apply::PART],
        rounds: 40_000,
    },
    Target {
        name: "envelope",
        parts: &[envelope::PART],
        rounds: 400_000,
    },
    Target {
        name: "records",
        parts: &[records::PART],
        rounds: 400_000,
    },
    // Requests as they come over the wire, and what became of them when it is read back.
    Target {
        name: "state",
        parts: &[
            packed::PART,
            typed::PART,
            ids::PART,
            cold::STATE,
            rows::PART,
        ],
        rounds: 60_000,
    },
    Target {
        name: "log",
        parts: &[log::PART],
        rounds: 3_000,
    },
    // A snapshot, and the small files beside log and state.
    Target {
        name: "snapshot",
        parts: &[snapshot::PART, cold::MANIFEST, cold::META],
        rounds: 30_000,
    },
    Target {
        name: "peer",
        parts: &[peer::PART],
        rounds: 60_000,
    },
    // What people write.
    Target {
        name: "text",
        parts: &[amount::PART, payments::PART, settings::PART, history::PART],
        rounds: 60_000,
    },
    // What banks write.
    Target {
        name: "statement",
        parts: &[statement::CSV, statement::CAMT],
        rounds: 20_000,
    },
    // What somebody checks who has no node: events, histories, proofs.
    Target {
        name: "events",
        parts: &[events::CHANGE, events::EXPORT, events::PROOF, events::NOTE],
        rounds: 20_000,
    },
];

/// The target of a name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

impl Target {
    /// Runs the part that the input is for.
    ///
    /// # Panics
    /// When the bytes break what must hold.
    pub fn run(&self, bytes: &[u8]) {
        if let [only] = self.parts {
            return (only.run)(bytes);
        }
        if let Some((which, bytes)) = bytes.split_first() {
            (self.parts[usize::from(*which) % self.parts.len()].run)(bytes);
        }
    }

    /// Inputs to begin with, of every part.
    #[must_use]
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        if let [only] = self.parts {
            return (only.seeds)();
        }
        let of_part = |(which, part): (u8, &Part)| {
            let seeds = (part.seeds)().into_iter();
            seeds.map(move |seed| [&[which], &seed[..]].concat())
        };
        (0_u8..).zip(self.parts).flat_map(of_part).collect()
    }

    /// Words of every part.
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        let words = self.parts.iter().flat_map(|part| part.words);
        words.copied().collect()
    }
}
