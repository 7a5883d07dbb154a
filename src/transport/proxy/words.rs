//! What the words of ssh(1) on its standard error mean: there is no other way to learn why it ended.
//!
//! *Invariant:* pure; the words were said by a program that others can talk to, so they are escaped and cut here.

use crate::model::Reason;
use crate::model::text::escape;

/// How much of a child's words is shown.
const SHOWN: usize = 300;
/// Lines that say nothing of a cause.
const NOISE: &[&str] = &[
    "@",
    "Warning: Permanently added",
    "IT IS POSSIBLE",
    "Someone could be",
    "It is also possible",
    "Please contact",
    "remove with:",
    "ssh-keygen",
    "Host key verification failed.",
    "channel ",
];

/// The reason of the closed list, by the words of OpenSSH's own source.
pub(super) fn reason(words: &str) -> Reason {
    let says = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
    if says(&["Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED", "host key is known for"]) {
        Reason::HostKey
    } else if says(&["Permission denied", "Too many authentication failures", "No supported authentication methods"]) {
        Reason::Auth
    } else if says(&["Exceeded MaxStartups", "Not allowed at this time", "kex_exchange_identification"]) {
        Reason::Throttled
    } else if says(&["timed out", "Timeout, server"]) {
        Reason::Timeout
    } else {
        Reason::Unreachable
    }
}

/// The words for people: one line, without the frames and the advice to make the message go away.
pub(super) fn shown(words: &str) -> String {
    let lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling: Vec<&str> = lines.clone().filter(|line| !NOISE.iter().any(|noise| line.starts_with(noise))).collect();
    let telling = if telling.is_empty() { lines.collect() } else { telling };
    let text = escape(telling.join("; ").as_bytes());
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The cause of a channel that the bastion did not open, where a line of its master tells one.
pub(super) fn of_channel(line: &str) -> Option<&str> {
    let (_, cause) = line.strip_prefix("channel ")?.split_once(": open failed: ")?;
    Some(cause.strip_prefix("connect failed: ").unwrap_or(cause).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGED: &str = "@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@\n\
        IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\n\
        The fingerprint for the ED25519 key sent by the remote host is\nSHA256:abc.\nPlease contact your system administrator.\n\
        Offending ED25519 key in /h/known_hosts:1\n  remove with:\n  ssh-keygen -f \"/h/known_hosts\" -R \"b\"\n\
        Host key for b has changed and you have requested strict checking.\nHost key verification failed.\n";

    #[test]
    fn reasons() {
        for (words, expected) in [
            (CHANGED, Reason::HostKey),
            ("No ED25519 host key is known for b and you have requested strict checking.", Reason::HostKey),
            ("a@b: Permission denied (publickey).", Reason::Auth),
            ("ssh: connect to host b port 22: Connection refused", Reason::Unreachable),
            ("ssh: Could not resolve hostname b: Name or service not known", Reason::Unreachable),
            ("ssh: connect to host b port 22: Connection timed out", Reason::Timeout),
            ("Connection timed out during banner exchange", Reason::Timeout),
            ("kex_exchange_identification: Connection closed by remote host", Reason::Throttled),
            ("", Reason::Unreachable),
        ] {
            assert_eq!(reason(words), expected, "{words}");
        }
    }

    #[test]
    fn a_changed_key_is_told_in_one_line_that_advises_nothing() {
        let text = shown(CHANGED);
        assert!(
            text.contains("SHA256:abc") && text.contains("/h/known_hosts:1") && text.contains("has changed"),
            "{text}"
        );
        assert!(!text.contains("ssh-keygen") && !text.contains('@') && !text.contains('\n'), "{text}");
    }

    #[test]
    fn words_are_cut_and_escaped() {
        assert_eq!(shown("\x1b[2J"), "\\x1b[2J");
        assert!(shown(&"é".repeat(5_000)).len() < 4 * SHOWN);
        assert_eq!(shown(""), "");
    }

    #[test]
    fn causes_of_channels() {
        assert_eq!(
            of_channel("channel 2: open failed: connect failed: Connection refused"),
            Some("Connection refused")
        );
        assert_eq!(
            of_channel("channel 7: open failed: administratively prohibited: open failed"),
            Some("administratively prohibited: open failed")
        );
        assert_eq!(of_channel("Connection closed"), None);
    }
}
