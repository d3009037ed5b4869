//! The command line `jepsen`.

fn main() {}
