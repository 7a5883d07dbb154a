//! User data for cloud-init.
//!
//! A server that is changed at its first boot is not what the image holds: the lines are for trying a change before it goes
//! into the image, and the head says so.
//!
//! *Invariant:* strings are JSON, which YAML takes as they are.

use super::change::{Change, Group};
use super::shell::{by_hand, commands, comment, source};
use std::io::{self, Write};

pub(super) fn render(groups: &[Group<'_>], w: &mut dyn Write) -> io::Result<()> {
    writeln!(w, "#cloud-config\n# To try a change out; then put it into the image, or every first boot is drift.")?;
    writeln!(w, "runcmd:{}", if groups.is_empty() { " []" } else { "" })?;
    for group in groups {
        super::head(group, "  # ", w)?;
        for (says, share, changes) in &group.rows {
            writeln!(w, "\n  # {} ({share})", comment(says))?;
            for told in changes {
                if let Change::File { path, content, .. } = &told.change {
                    let (from, has) = (source(path), comment(content));
                    writeln!(w, "  # write_files: {} from {from}, whose bytes have {has}", comment(path))?;
                }
                if let Some(by_hand) = by_hand(&told.change) {
                    if told.says != *says {
                        writeln!(w, "  # {}", comment(&told.says))?;
                    }
                    writeln!(w, "  # {by_hand}")?;
                }
                for command in commands(&told.change) {
                    writeln!(w, "  - {}", serde_json::to_string(&command)?)?;
                }
            }
        }
    }
    super::none(groups, "# ", w)
}
