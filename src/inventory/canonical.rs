//! The text of an inventory that its digest is taken of.
//!
//! *Invariant:* equal for equal fleets whatever the order of their lines, different for different ones.

use super::host::{Host, Reach};
use crate::model::text::escape;

/// Writes one line a host, sorted, after a line that names the format.
///
/// A line is tab-separated names and values; a field without a value is left out. Everything counts but the place: a
/// comment added to the hosts file does not make another fleet.
#[must_use]
pub fn canonical(hosts: &[Host]) -> String {
    let mut lines: Vec<String> = hosts.iter().map(line).collect();
    lines.sort_unstable();
    lines.insert(0, "driftscan.inventory/v1\n".to_owned());
    lines.concat()
}

fn line(host: &Host) -> String {
    // Every field is named here, so that a new one does not compile until it is written or left out on purpose.
    let Host { name, group, reach, template, root, sudo, identity, host_key, jump, transport, probe, tags, place: _ } =
        host;
    let mut cells: Vec<String> = Vec::new();
    let mut cell = |key: &str, value: Option<&[u8]>| {
        if let Some(value) = value {
            cells.push(key.to_owned());
            cells.push(escape(value));
        }
    };
    cell("name", Some(name.as_bytes()));
    cell("group", Some(group.as_bytes()));
    match reach {
        Reach::Ssh { host, port, user } => {
            cell("ssh", Some(host.as_bytes()));
            cell("port", port.map(|port| port.to_string()).as_deref().map(str::as_bytes));
            cell("user", user.as_deref().map(str::as_bytes));
        }
        Reach::Local => cell("local", Some(b"")),
    }
    cell("template", template.as_ref().map(|template| template.name.as_bytes()));
    cell("version", template.as_ref().and_then(|template| template.version.as_deref()).map(str::as_bytes));
    cell("root", root.as_deref().map(str::as_bytes));
    cell("sudo", sudo.map(|sudo| if sudo { &b"yes"[..] } else { b"no" }));
    cell("identity", identity.as_ref().map(|path| path.as_os_str().as_encoded_bytes()));
    cell("host-key", host_key.as_deref().map(str::as_bytes));
    if let Some(jump) = jump {
        let hosts: Vec<String> = jump.iter().map(ToString::to_string).collect();
        let hosts = if hosts.is_empty() { "none".to_owned() } else { hosts.join(",") };
        cell("jump", Some(hosts.as_bytes()));
    }
    cell("transport", transport.map(|choice| choice.word().as_bytes()));
    cell("probe", probe.map(|choice| choice.word().as_bytes()));
    for (key, value) in tags {
        cell("tag", Some(key.as_bytes()));
        cell("is", Some(value.as_bytes()));
    }
    cells.join("\t") + "\n"
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::inventory::hosts_file::parse;

    fn text(file: &str) -> String {
        canonical(&parse("hosts.txt", file.as_bytes()).unwrap().hosts)
    }

    #[test]
    fn order_and_comments_do_not_count() {
        assert_eq!(text("# the fleet\na x=1\nb\n"), text("b\na x=1 # first\n"));
        insta::assert_snapshot!(text("[g] template=t@1 sudo=no\nu@a:22 x=1 root=/r\nb identity=k").replace('\t', " "), @"
        driftscan.inventory/v1
        name a:22 group g ssh a port 22 user u template t version 1 root /r sudo no tag x is 1
        name b group g ssh b template t version 1 sudo no identity k
        ");
    }

    #[test]
    fn every_field_counts() {
        let files = [
            "a",
            "b",
            "a:22",
            "u@a",
            "[g]\na",
            "a template=t",
            "a template=t@1",
            "a root=/r",
            "a sudo=no",
            "a sudo=yes",
            "a identity=k",
            "a host-key=SHA256:p4KdM9yTz1hRcU7vB0eXnS6wQj2gLf8aNi5oZt3mYrE",
            "a jump=none",
            "a jump=b",
            "a jump=b,c",
            "a transport=ssh2",
            "a transport=openssh",
            "a probe=auto",
            "a probe=sh",
            "a x=1",
            "a x=2",
            "a y=1",
            "a x=1 y=1",
            "b name=a",
        ];
        let texts: std::collections::BTreeSet<String> = files.into_iter().map(text).collect();
        assert_eq!(texts.len(), files.len());
    }
}
