//! A script for Packer's shell provisioner.
//!
//! *Invariant:* stops at the first failure; files come by a file provisioner, whose folder the script names.

use super::change::{Change, Group};
use super::shell::{by_hand, commands, comment, source};
use crate::report::quote::quote;
use std::io::{self, Write};

pub(super) fn render(groups: &[Group<'_>], w: &mut dyn Write) -> io::Result<()> {
    writeln!(
        w,
        "#!/bin/sh\n# For a provisioner \"shell\" of Packer; files/ comes by a provisioner \"file\" to $FILES."
    )?;
    writeln!(w, "set -eu\n: \"${{FILES:=/tmp}}\"")?;
    for group in groups {
        super::head(group, "# ", w)?;
        for (says, share, changes) in &group.rows {
            writeln!(w, "\n# {} ({share})", comment(says))?;
            for told in changes {
                if let Change::File { path, content, .. } = &told.change {
                    writeln!(w, "# its bytes have {}; the report holds no text of it.", comment(content))?;
                    writeln!(w, "cp -- \"$FILES\"/{} {}", quote(&source(path)), quote(path))?;
                }
                let by_hand = by_hand(&told.change);
                if by_hand.is_some() && told.says != *says {
                    writeln!(w, "# {}", comment(&told.says))?;
                }
                for command in commands(&told.change) {
                    writeln!(w, "{command}")?;
                }
                if let Some(by_hand) = by_hand {
                    writeln!(w, "# {by_hand}")?;
                }
            }
        }
    }
    super::none(groups, "# ", w)
}
