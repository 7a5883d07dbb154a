//! Lines for a Dockerfile.
//!
//! *Invariant:* shell lines go through the one quoter; the JSON form of COPY takes paths with blanks.

use super::change::Group;
use super::shell::{comment, source};
use super::{Lines, rows};
use std::io::{self, Write};

pub(super) fn render(groups: &[Group<'_>], w: &mut dyn Write) -> io::Result<()> {
    writeln!(w, "# For a Dockerfile; files/ is a folder of its build context.")?;
    let file = |path: &str, content: &str| {
        let source = source(path);
        let why = format!("# {source} has {} there; the report holds no text of it.", comment(content));
        Ok(vec![why, format!("COPY {}", serde_json::to_string(&[&source, path])?)])
    };
    rows(groups, &Lines { mark: "# ", file: &file, command: &|command| Ok(format!("RUN {command}")) }, w)
}
