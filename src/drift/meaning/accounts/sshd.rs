//! Settings of sshd and ssh.
//!
//! *Invariant:* a keyword is shown as OpenSSH writes it where it is known, else as it came.

use super::{file_name, from_to};
use crate::drift::meaning::{Pair, Said, shown};
use crate::model::{Change, Code, Severity};

/// Keywords with their weight when they change; the spelling is that of `sshd_config`(5).
const KEYWORDS: [(&str, Severity); 56] = {
    use Severity::{Critical, High, Medium};
    [
        ("AcceptEnv", High),
        ("AllowAgentForwarding", Medium),
        ("AllowGroups", High),
        ("AllowStreamLocalForwarding", Medium),
        ("AllowTcpForwarding", Medium),
        ("AllowUsers", High),
        ("AuthenticationMethods", High),
        ("AuthorizedKeysCommand", Critical),
        ("AuthorizedKeysCommandUser", High),
        ("AuthorizedKeysFile", Critical),
        ("AuthorizedPrincipalsCommand", Critical),
        ("AuthorizedPrincipalsFile", High),
        ("Banner", Medium),
        ("CASignatureAlgorithms", High),
        ("ChrootDirectory", High),
        ("Ciphers", High),
        ("ClientAliveCountMax", Medium),
        ("ClientAliveInterval", Medium),
        ("DenyGroups", High),
        ("DenyUsers", High),
        ("DisableForwarding", Medium),
        ("ForceCommand", High),
        ("GatewayPorts", High),
        ("GSSAPIAuthentication", High),
        ("HostbasedAcceptedAlgorithms", High),
        ("HostbasedAuthentication", High),
        ("HostCertificate", High),
        ("HostKey", High),
        ("HostKeyAlgorithms", High),
        ("IgnoreRhosts", High),
        ("Include", High),
        ("KbdInteractiveAuthentication", High),
        ("KexAlgorithms", High),
        ("ListenAddress", High),
        ("LoginGraceTime", Medium),
        ("LogLevel", Medium),
        ("MACs", High),
        ("MaxAuthTries", Medium),
        ("PasswordAuthentication", High),
        ("PermitEmptyPasswords", High),
        ("PermitOpen", Medium),
        ("PermitRootLogin", High),
        ("PermitTunnel", High),
        ("PermitUserEnvironment", High),
        ("PermitUserRC", Medium),
        ("Port", High),
        ("ProxyCommand", High),
        ("PubkeyAcceptedAlgorithms", High),
        ("PubkeyAuthentication", High),
        ("StrictHostKeyChecking", High),
        ("StrictModes", High),
        ("Subsystem", High),
        ("TrustedUserCAKeys", Critical),
        ("UsePAM", High),
        ("UserKnownHostsFile", High),
        ("X11Forwarding", Medium),
    ]
};

/// A keyword in its block.
pub(super) fn sentence(path: &[u8], pair: &Pair<'_>) -> Said {
    let text = String::from_utf8_lossy(path);
    let client = text.contains("/ssh_config") || text.ends_with("/.ssh/config");
    let program = if client { "ssh" } else { "sshd" };
    let (block, keyword) = match pair.key.windows(2).rposition(|window| window == b": ") {
        Some(at) => (pair.key.get(..at), pair.key.get(at + 2..).unwrap_or_default()),
        None => (None, pair.key),
    };
    let block = block.map(|block| match block.split_first_chunk::<4>() {
        Some((b"matc", rest)) => format!("Matc{}", shown(rest, 40)),
        Some((b"host", rest)) => format!("Host{}", shown(rest, 40)),
        _ => shown(block, 44),
    });
    if keyword.is_empty() {
        let word = match pair.change() {
            Change::Added => "added",
            Change::Removed => "removed",
            Change::Changed => "given another number of times",
        };
        let block = block.unwrap_or_default();
        return Said::new(Code::SshdChanged, Severity::High, format!("{program}: block {block} {word}"));
    }
    let known = KEYWORDS.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(keyword));
    let name = known.map_or_else(|| shown(keyword, 30), |(name, _)| (*name).to_owned());
    let join = |values: &[&[u8]]| shown(&values.join(&b", "[..]), 36);
    let scope = block.map_or_else(String::new, |block| format!("{block}: "));
    let (before, after) = (join(&pair.before), join(&pair.after));
    let title = format!("{program}: {scope}{name} {}", from_to(&before, &after, pair.change()));
    let yes = pair.after.iter().any(|value| value.eq_ignore_ascii_case(b"yes"));
    let opens = yes && matches!(&name[..], "PermitRootLogin" | "PermitEmptyPasswords");
    let severity = match known {
        _ if opens => Severity::Critical,
        // What a client may use is its own user's loss, not a door.
        Some((_, severity)) if client => (*severity).min(Severity::High),
        Some((_, severity)) => *severity,
        None => Severity::Medium,
    };
    let said = Said::new(Code::SshdChanged, severity, title);
    match &name[..] {
        "PermitRootLogin" if opens => said.because("Root may log in with a password."),
        "PermitEmptyPasswords" if opens => said.because("Accounts without a password are open to everybody."),
        "AuthorizedKeysFile" | "AuthorizedKeysCommand" | "TrustedUserCAKeys" => {
            said.because("It decides which keys may log in.")
        }
        _ if file_name(path) == b"sshd_config" && name == "Include" => said.because("Included files can set anything."),
        _ => said,
    }
}
