//! Which nodes a command is about.

use std::fmt;
use std::str::FromStr;

/// Nodes as named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The node with this id.
    Node(u64),
    /// Whichever node leads now.
    Leader,
    /// One node that follows now: the one with the lowest id.
    Follower,
    /// Every node.
    All,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "leader" => Ok(Self::Leader),
            "follower" => Ok(Self::Follower),
            "all" => Ok(Self::All),
            _ => text
                .strip_prefix("node-")
                .unwrap_or(text)
                .parse()
                .map(Self::Node)
                .map_err(|_| "expected a node id, `leader`, `follower` or `all`".to_owned()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(id) => write!(f, "{id}"),
            Self::Leader => f.write_str("leader"),
            Self::Follower => f.write_str("follower"),
            Self::All => f.write_str("all"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_ids() {
        for text in ["1", "leader", "follower", "all"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert_eq!("node-2".parse(), Ok(Target::Node(2)));
        assert!("first".parse::<Target>().is_err());
    }
}
