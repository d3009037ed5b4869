//! Why a text is not of its form.

/// Where a text stops being of its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Bytes before it.
    pub(crate) at: usize,
    /// What should stand there.
    pub(crate) expected: Expected,
}

/// What should stand somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Just this text.
    Text(&'static str),
    /// Something of this description.
    Value(&'static str),
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "`{text}`"),
            Self::Value(description) => f.write_str(description),
        }
    }
}
