//! Lines for a Dockerfile.
//!
//! *Invariant:* shell lines go through the one quoter; the JSON form of COPY takes paths with blanks.

use super::change::{Change, Group};
use super::shell::{by_hand, commands, comment, source};
use std::io::{self, Write};

pub(super) fn render(groups: &[Group<'_>], w: &mut dyn Write) -> io::Result<()> {
    writeln!(w, "# For a Dockerfile; files/ is a folder of its build context.")?;
    for group in groups {
        super::head(group, "# ", w)?;
        for (says, share, changes) in &group.rows {
            writeln!(w, "\n# {} ({share})", comment(says))?;
            for told in changes {
                if let Change::File { path, content, .. } = &told.change {
                    writeln!(w, "# {} has {} there; the report holds no text of it.", source(path), comment(content))?;
                    let words = serde_json::to_string(&[source(path), path.clone()])?;
                    writeln!(w, "COPY {words}")?;
                }
                let by_hand = by_hand(&told.change);
                if by_hand.is_some() && told.says != *says {
                    writeln!(w, "# {}", comment(&told.says))?;
                }
                for command in commands(&told.change) {
                    writeln!(w, "RUN {command}")?;
                }
                if let Some(by_hand) = by_hand {
                    writeln!(w, "# {by_hand}")?;
                }
            }
        }
    }
    super::none(groups, "# ", w)
}
