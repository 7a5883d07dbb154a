//! Lines for a Dockerfile.
//!
//! *Invariant:* shell lines go through the one quoter; the JSON form of COPY takes paths with blanks.

use super::change::{Change, Group};
use super::shell::{commands, comment, source};
use std::io::{self, Write};

pub(super) fn render(groups: &[Group<'_>], w: &mut dyn Write) -> io::Result<()> {
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
                if told.change == Change::Words && told.says != *says {
                    writeln!(w, "# {}", comment(&told.says))?;
                }
                for command in commands(&told.change) {
                    writeln!(w, "RUN {command}")?;
                }
                if told.change == Change::Words {
                    writeln!(w, "# by hand: no line does that")?;
                }
            }
        }
    }
    super::none(groups, "# ", w)
}
