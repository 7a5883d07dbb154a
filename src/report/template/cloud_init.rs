//! User data for cloud-init.
//!
//! A server that is changed at its first boot is not what the image holds: the lines are for trying a change before it goes
//! into the image, and the head says so.
//!
//! *Invariant:* strings are JSON, which YAML takes as they are.

use super::change::Group;
use super::shell::{comment, source};
use super::{Lines, rows};
use std::io::{self, Write};

pub(super) fn render(groups: &[Group<'_>], w: &mut dyn Write) -> io::Result<()> {
    writeln!(w, "#cloud-config\n# To try a change out; then put it into the image, or every first boot is drift.")?;
    writeln!(w, "runcmd:{}", if groups.is_empty() { " []" } else { "" })?;
    let file = |path: &str, content: &str| {
        let (from, has) = (source(path), comment(content));
        Ok(vec![format!("  # write_files: {} from {from}, whose bytes have {has}", comment(path))])
    };
    let command = |command: &str| Ok(format!("  - {}", serde_json::to_string(command)?));
    rows(groups, &Lines { mark: "  # ", file: &file, command: &command }, w)
}
