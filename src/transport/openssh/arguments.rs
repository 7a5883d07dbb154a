//! The command line of ssh for one host.
//!
//! What is given here comes before every file, and the first value wins (`ssh_config(5)`). All that could run something else on
//! either side, forward something, ask somebody or trust somebody is set; what leads to the host is left to the files.
//!
//! *Invariant:* pure; every text either was validated before or is quoted here as ssh reads it, and the host stands behind `--`.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::log::VERBOSE;

/// Whatever the files say.
const ALWAYS: &[&str] = &[
    // Nobody is asked.
    "BatchMode=yes",
    "NumberOfPasswordPrompts=0",
    // Trust is as strict as without ssh.
    "NoHostAuthenticationForLocalhost=no",
    "UpdateHostKeys=no",
    "VisualHostKey=no",
    "FingerprintHash=sha256",
    // Nothing is forwarded, delegated or run here.
    "ClearAllForwardings=yes",
    "Tunnel=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "GSSAPIDelegateCredentials=no",
    "PermitLocalCommand=no",
    // Nothing but the command of ours runs there.
    "RemoteCommand=none",
    "RequestTTY=no",
    "EscapeChar=none",
    "Compression=no",
    // The connection is ours alone and ends with us. A connection that is shared already was verified by somebody else at
    // another time, and a pin could not be enforced on it any more; on the way to a jump host the files' word holds.
    "ControlMaster=yes",
    "ControlPersist=no",
    "ForkAfterAuthentication=no",
    "ConnectionAttempts=1",
    "LogLevel=VERBOSE",
];

/// Host key types and the algorithms that prove them, for a host with a pin: without certificates, which have the same
/// fingerprint and vouch for nothing here, and without SHA-1.
const PINNABLE: &[(&str, &str)] = &[
    ("ssh-ed25519", "ssh-ed25519"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"),
    ("ssh-rsa", "rsa-sha2-512,rsa-sha2-256"),
];

/// The words of a command line, put together in the order of their meaning.
#[derive(Debug, Clone, Default)]
pub(super) struct Arguments(Vec<OsString>);

impl Arguments {
    /// Those of every host.
    pub(super) fn of_every_host(connect_timeout: Duration, accept_new: bool) -> Self {
        let mut arguments = Self::default();
        for option in ALWAYS {
            arguments.option(option);
        }
        // Whole seconds, and none is for ever.
        let seconds = connect_timeout.as_millis().div_ceil(1_000).max(1);
        arguments.option(&format!("ConnectTimeout={seconds}"));
        arguments.option(&format!("LogVerbose={VERBOSE}"));
        arguments.option(&format!("StrictHostKeyChecking={}", if accept_new { "accept-new" } else { "yes" }));
        arguments
    }

    /// Adds `-o OPTION`.
    pub(super) fn option(&mut self, option: &str) {
        self.pair("-o", option);
    }

    /// Adds a flag and its value, which ssh takes as it is.
    pub(super) fn pair(&mut self, flag: &str, value: impl AsRef<OsStr>) {
        self.0.extend([flag.into(), value.as_ref().to_owned()]);
    }

    /// Trusts the key of this fingerprint and no other: no file is asked, but for a program that writes a line with the key
    /// the host shows where the fingerprint is the right one. ssh itself compares and refuses, before it logs in.
    pub(super) fn pin(&mut self, pin: &str) {
        self.option("UserKnownHostsFile=none");
        self.option("GlobalKnownHostsFile=none");
        self.option("VerifyHostKeyDNS=no");
        self.option(&format!(
            "KnownHostsCommand=/bin/sh -c 'if [ \"$2\" = \"$1\" ]; then echo \"$3 $4 $5\"; fi' driftscan {pin} %f %H %t %K"
        ));
    }

    /// Asks for keys of these types first. ssh asks for certificates first even where only a plain key is known, and a host
    /// that has a certificate of another type then looks like one whose key changed.
    pub(super) fn prefer(&mut self, kinds: &[String]) {
        let algorithms: Vec<&str> =
            kinds.iter().filter_map(|kind| PINNABLE.iter().find(|(own, _)| own == kind).map(|(_, all)| *all)).collect();
        if !algorithms.is_empty() {
            self.option(&format!("HostKeyAlgorithms=^{}", algorithms.join(",")));
        }
    }

    /// Everything in its place.
    pub(super) fn words(&self, log: &Path, socket: &str, types: Option<&str>, host: &str) -> Vec<OsString> {
        let mut words: Vec<OsString> = ["-N", "-n", "-T", "-E"].map(Into::into).to_vec();
        words.extend([log.into(), "-S".into(), socket.into()]);
        words.extend(self.0.iter().cloned());
        if let Some(types) = types {
            words.extend(["-o".into(), format!("HostKeyAlgorithms={types}").into()]);
        }
        words.extend(["--".into(), host.into()]);
        words
    }
}

/// The algorithms for the types that are not ruled out; `None` where all are.
pub(super) fn types_without(ruled_out: &[String]) -> Option<String> {
    let left = PINNABLE.iter().filter(|(kind, _)| !ruled_out.iter().any(|other| other == kind));
    let left: Vec<&str> = left.map(|(_, algorithms)| *algorithms).collect();
    (!left.is_empty()).then(|| left.join(","))
}

/// A path as an option's value: quoted, and with ssh's own signs taken from it; `None` where it can't be written.
pub(super) fn quoted(path: &Path) -> Option<String> {
    let mut out = String::from("\"");
    for c in plain(path)?.chars() {
        if c == '"' || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    Some(out)
}

/// A path as a flag's value, with the signs that ssh expands taken from it; `None` where it can't be written.
pub(super) fn plain(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    // ssh expands variables and knows no way to write the sign itself.
    if !text.starts_with('/') || text.contains("${") || text.contains(char::is_control) {
        return None;
    }
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '%' => out.push_str("%%"),
            c => write!(out, "{c}").ok()?,
        }
    }
    Some(out)
}

/// Whether a host or an account can stand on a command line, and in the commands of `ssh_config` that take it as `%h` or
/// `%r`: what OpenSSH itself refuses since 9.6 (CVE-2023-51385), in older ones too.
pub(super) fn is_plain_word(text: &str) -> bool {
    let unsafe_in_shell = |c: char| c.is_control() || c.is_whitespace() || "'`\"$\\;&<>|(){}".contains(c);
    !text.is_empty() && !text.starts_with('-') && !text.contains(unsafe_in_shell)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_the_last_word_behind_two_dashes() {
        let arguments = Arguments::of_every_host(Duration::from_millis(1_500), false);
        let words = arguments.words(Path::new("/proc/1/fd/9"), "/tmp/s", None, "web-01");
        let words: Vec<&str> = words.iter().map(|word| word.to_str().unwrap()).collect();
        assert_eq!(words[words.len() - 2..], ["--", "web-01"]);
        for option in ["StrictHostKeyChecking=yes", "ForwardAgent=no", "ConnectTimeout=2", "ClearAllForwardings=yes"] {
            assert!(words.contains(&option), "{option}");
        }
    }

    #[test]
    fn paths_are_written_as_ssh_reads_them() {
        assert_eq!(quoted(Path::new("/a b/%h\"\\x")).unwrap(), "\"/a b/%%h\\\"\\\\x\"");
        for bad in ["relative", "/${HOME}/x", "/a\nb", ""] {
            assert_eq!(quoted(Path::new(bad)), None, "{bad}");
        }
    }

    #[test]
    fn words_that_a_shell_would_read_are_refused() {
        assert!(["web-01", "2001:db8::1", "ops", "DOMAIN+user", "a_b.c"].iter().all(|word| is_plain_word(word)));
        for bad in ["", "-oProxyCommand=id", "a;id", "$(id)", "a b", "a`id`", "a|b", "a\\"] {
            assert!(!is_plain_word(bad), "{bad}");
        }
    }

    #[test]
    fn types_that_are_ruled_out_are_not_asked_for() {
        let left = types_without(&["ssh-ed25519".to_owned()]).unwrap();
        assert!(!left.contains("ed25519") && left.contains("ecdsa-sha2-nistp256") && left.contains("rsa-sha2-512"));
        assert_eq!(types_without(&PINNABLE.iter().map(|(kind, _)| (*kind).to_owned()).collect::<Vec<_>>()), None);
    }
}
