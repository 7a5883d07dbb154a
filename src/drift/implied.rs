//! Folders that are new only because something in them is.
//!
//! *Invariant:* a folder is left out only where a finding that is told tells of a new path below it, and only where its
//! owner and mode give nobody more than that finding says.

use crate::model::{Change, Code, Finding};
use crate::protocol::Attr;
use std::collections::BTreeMap;

/// Leaves them out: an added file is one change, and not one more for each folder above it.
pub(super) fn leave_out(findings: &mut Vec<Finding>) {
    // For each new path that is told, its owner.
    let told: BTreeMap<Vec<u8>, Option<String>> = findings
        .iter()
        .filter(|finding| finding.change == Change::Added && finding.cause.is_none() && !is_folder(finding))
        .filter_map(|finding| Some((finding.path()?.to_vec(), finding.after.text(Attr::Owner).map(ToOwned::to_owned))))
        .collect();
    findings.retain(|finding| !(is_folder(finding) && is_plain(finding) && is_implied(finding, &told)));
}

fn is_folder(finding: &Finding) -> bool {
    finding.code == Code::FileAdded && finding.after.text(Attr::Kind) == Some("directory")
}

/// Whether only its owner can change it, and nothing about it is special.
fn is_plain(finding: &Finding) -> bool {
    let mode = finding.after.text(Attr::Mode).and_then(|mode| u32::from_str_radix(mode, 8).ok());
    let special = [Attr::Acl, Attr::Flags, Attr::Xattr];
    finding.cause.is_none()
        && mode.is_some_and(|mode| mode & 0o7022 == 0)
        && special.iter().all(|attr| finding.after.text(*attr).is_none_or(str::is_empty))
}

fn is_implied(finding: &Finding, told: &BTreeMap<Vec<u8>, Option<String>>) -> bool {
    let Some(path) = finding.path() else { return false };
    let owner = finding.after.text(Attr::Owner);
    let inside = [path, b"/"].concat();
    let mut below = told.range(inside.clone()..).take_while(|(path, _)| path.starts_with(&inside)).peekable();
    below.peek().is_some()
        && (owner == Some("root") || below.any(|(_, other)| other.is_some() && other.as_deref() == owner))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Severity;
    use crate::report::samples::finding;

    fn left(findings: &[(&str, &str, &str, &str)]) -> Vec<String> {
        let mut findings: Vec<Finding> = findings
            .iter()
            .map(|(path, kind, mode, owner)| {
                let after = [(Attr::Kind, *kind), (Attr::Mode, *mode), (Attr::Owner, *owner)];
                finding(Severity::Low, Code::FileAdded, &format!("fs:{path}"), &[], &after)
            })
            .collect();
        leave_out(&mut findings);
        findings.iter().map(|finding| String::from_utf8_lossy(&finding.subject).into_owned()).collect()
    }

    #[test]
    fn a_folder_of_a_new_file_is_no_second_change() {
        let tree = [
            ("/etc/a", "directory", "0755", "root"),
            ("/etc/a/b", "directory", "0755", "root"),
            ("/etc/a/b/c", "file", "0644", "root"),
            ("/etc/ab", "directory", "0755", "root"),
        ];
        assert_eq!(left(&tree), ["fs:/etc/a/b/c", "fs:/etc/ab"]);
    }

    #[test]
    fn a_folder_that_gives_more_is_told() {
        for (mode, owner) in [("0777", "root"), ("0775", "root"), ("2755", "root"), ("0755", "anna")] {
            let tree = [("/etc/a", "directory", mode, owner), ("/etc/a/c", "file", "0644", "root")];
            assert_eq!(left(&tree).len(), 2, "{mode} {owner}");
        }
        let own = [("/srv/a", "directory", "0755", "anna"), ("/srv/a/c", "file", "0644", "anna")];
        assert_eq!(left(&own), ["fs:/srv/a/c"]);
    }
}
