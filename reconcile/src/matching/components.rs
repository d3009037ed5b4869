//! Entries that are tied together, directly or by others: disjoint sets with path halving.

/// Nodes are the statement's entries, and behind them the ledger's.
#[derive(Debug)]
pub(super) struct Components {
    parents: Vec<u32>,
    /// Nodes that were joined with others, perhaps more than once.
    touched: Vec<u32>,
    statement_len: u32,
}

/// The two sides of a component, sorted.
#[derive(Debug, Default)]
pub(super) struct Component {
    pub(super) statement: Vec<u32>,
    pub(super) ledger: Vec<u32>,
}

impl Components {
    pub(super) fn new(statement_len: usize, ledger_len: usize) -> Self {
        Self {
            parents: (0..(statement_len + ledger_len) as u32).collect(),
            touched: Vec::new(),
            statement_len: statement_len as u32,
        }
    }

    fn root(&mut self, mut node: u32) -> u32 {
        loop {
            let parent = self.parents[node as usize];
            if parent == node {
                return node;
            }
            let above = self.parents[parent as usize];
            self.parents[node as usize] = above;
            node = above;
        }
    }

    /// Ties an entry of the statement to one of the ledger.
    pub(super) fn join(&mut self, index: u32, rank: u32) {
        let (left, right) = (index, self.statement_len + rank);
        self.touched.extend([left, right]);
        let (left, right) = (self.root(left), self.root(right));
        // The smaller number wins: deterministic, and as flat as path halving makes it.
        let (root, child) = (left.min(right), left.max(right));
        self.parents[child as usize] = root;
    }

    /// Every component of at least two nodes, by its first entry of the statement.
    pub(super) fn for_each(mut self, mut take: impl FnMut(&Component)) {
        let touched = std::mem::take(&mut self.touched);
        let mut nodes: Vec<(u32, u32)> = touched
            .into_iter()
            .map(|node| (self.root(node), node))
            .collect();
        nodes.sort_unstable();
        nodes.dedup();
        let mut component = Component::default();
        for chunk in nodes.chunk_by(|left, right| left.0 == right.0) {
            component.statement.clear();
            component.ledger.clear();
            for (_, node) in chunk {
                match node.checked_sub(self.statement_len) {
                    Some(rank) => component.ledger.push(rank),
                    None => component.statement.push(*node),
                }
            }
            take(&component);
        }
    }
}
