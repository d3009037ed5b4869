//! How a cluster is, for people: a row for each node, and what they must look at.

use super::ClusterHealth;
use crate::output::{self, Align, Report, Table};

impl Report for ClusterHealth {
    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("node", Align::Right),
            ("address", Align::Left),
            ("process", Align::Left),
            ("role", Align::Left),
            ("term", Align::Right),
            ("last log", Align::Right),
            ("committed", Align::Right),
            ("applied", Align::Right),
            ("snapshot", Align::Right),
            ("transfers", Align::Right),
            ("memory", Align::Right),
            ("disk", Align::Right),
            ("of it log", Align::Right),
        ]);
        for node in &self.nodes {
            let mut cells = vec![
                node.id.to_string(),
                node.client_address.clone(),
                node.process.name().to_owned(),
            ];
            if node.reachable {
                cells.push(node.role.clone());
                cells.extend(
                    [
                        node.term,
                        node.last_log_index,
                        node.committed_index,
                        node.applied_index,
                        node.snapshot_index,
                        node.transfer_count,
                    ]
                    .map(|number| number.to_string()),
                );
                cells.extend([node.rss_bytes, node.disk_bytes, node.log_bytes].map(output::bytes));
            } else {
                cells.push("no answer".to_owned());
            }
            table.row(cells);
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        let alarms = self.nodes.iter().flat_map(|node| {
            let lines = node.alarms.iter();
            lines.map(|alarm| format!("node {}: {alarm}", node.id))
        });
        let leader = if self.leader.is_none() {
            vec!["No node leads at the moment.".to_owned()]
        } else {
            Vec::new()
        };
        leader.into_iter().chain(alarms).collect()
    }
}
