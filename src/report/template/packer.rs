//! A script for Packer's shell provisioner.
//!
//! *Invariant:* stops at the first failure; files come by a file provisioner, whose folder the script names.

use super::change::Group;
use super::shell::{comment, source};
use super::{Lines, rows};
use crate::report::quote::quote;
use std::io::{self, Write};

pub(super) fn render(groups: &[Group<'_>], w: &mut dyn Write) -> io::Result<()> {
    writeln!(
        w,
        "#!/bin/sh\n# For a provisioner \"shell\" of Packer; files/ comes by a provisioner \"file\" to $FILES."
    )?;
    writeln!(w, "set -eu\n: \"${{FILES:=/tmp}}\"")?;
    let file = |path: &str, content: &str| {
        let why = format!("# its bytes have {}; the report holds no text of it.", comment(content));
        Ok(vec![why, format!("cp -- \"$FILES\"/{} {}", quote(&source(path)), quote(path))])
    };
    rows(groups, &Lines { mark: "# ", file: &file, command: &|command| Ok(command.to_owned()) }, w)
}
