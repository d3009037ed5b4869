//! Ways to break a history (written next).
/// To come.
#[derive(Debug)]
pub struct Mutation;
