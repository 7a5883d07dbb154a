//! A script for Packer's shell provisioner.
//!
//! *Invariant:* stops at the first failure; files come by a file provisioner, whose folder the script names.

use super::change::{Change, Group};
use super::shell::{commands, comment, source};
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
                if told.change == Change::Words && told.says != *says {
                    writeln!(w, "# {}", comment(&told.says))?;
                }
                for command in commands(&told.change) {
                    writeln!(w, "{command}")?;
                }
                if told.change == Change::Words {
                    writeln!(w, "# by hand: no line does that")?;
                }
            }
        }
    }
    super::none(groups, "# ", w)
}
