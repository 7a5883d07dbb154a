//! The targets of a command line: `local`, `root:DIR`, `[user@]host[:port]`.
//!
//! *Invariant:* a word is one of these or a mistake; what looks like a path or a container is never dialled as a host.

use super::address::Address;
use super::fleet::MAX_HOSTS;
use super::host::{Host, Place, Reach};
use super::mistake::{Mistake, Refusal, Remarks, quote};
use super::settings::Settings;
use super::spelling::ROOT;

/// What later releases bring, by its beginning.
const COMING: [&str; 7] = ["oci:", "docker:", "podman:", "containerd:", "lxc:", "incus:", "ec2:"];

/// Reads targets; a node set such as `web-[01-03]` gives several.
///
/// A `root:DIR` keeps its folder as written, relative or not: making it absolute is the cli's part.
///
/// # Errors
///
/// All mistakes at once.
pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Vec<Host>, Vec<Mistake>> {
    let place = Place::command_line();
    let mut remarks = Remarks::default();
    let mut hosts = Vec::new();
    for word in words {
        let read = target(word, MAX_HOSTS.saturating_sub(hosts.len()));
        hosts.extend(remarks.keep(&place, read).unwrap_or_default());
    }
    if remarks.mistakes.is_empty() { Ok(hosts) } else { Err(remarks.mistakes) }
}

fn target(word: &str, room: usize) -> Result<Vec<Host>, Refusal> {
    if word == "local" {
        return Ok(vec![local(word, None)]);
    }
    if let Some(folder) = word.strip_prefix("root:") {
        let folder = ROOT.admit(folder)?;
        return Ok(vec![local(word, Some(folder).filter(|folder| *folder != "/"))]);
    }
    if let Some(rest) = word.strip_prefix("ssh://") {
        return Err(Refusal::new(
            format!("target {} is a URL", quote(word)),
            format!("type {}", quote(rest.trim_end_matches('/'))),
        ));
    }
    if let Some(kind) = COMING.into_iter().find(|kind| word.starts_with(kind)) {
        let text = format!("target {} is not built yet; a later release brings {kind}", quote(word));
        return Err(Refusal::new(text, "mount its file system and type root:DIR"));
    }
    if word.contains("://") {
        return Err(Refusal::new(
            format!("target {} is of a kind unknown here", quote(word)),
            "type local, root:DIR or deploy@web-01:22",
        ));
    }
    if word.starts_with(['/', '~']) || word == "." || word.starts_with("./") || word.starts_with("../") {
        let text = format!("target {} is a path", quote(word));
        return Err(Refusal::new(text, "type root:DIR to scan a folder, or --fleet FILE to read hosts from a file"));
    }
    if word.contains('=') {
        let text = format!("target {} looks like a word of a hosts file", quote(word));
        return Err(Refusal::new(text, "write it into a file behind its host, and type --fleet FILE"));
    }
    let read = Address::read_set(word, None, room)?;
    let words = Settings::default();
    Ok(read.into_iter().map(|(address, name)| words.host(address, name, Place::command_line())).collect())
}

fn local(name: &str, root: Option<&str>) -> Host {
    Host {
        name: name.to_owned(),
        group: String::new(),
        reach: Reach::Local,
        template: None,
        root: root.map(str::to_owned),
        sudo: None,
        identity: None,
        host_key: None,
        jump: None,
        transport: None,
        probe: None,
        tags: Vec::new(),
        place: Place::command_line(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn this_machine_folders_and_hosts() {
        let hosts = parse(["local", "root:../img", "deploy@web-[01-02]:22", "[::1]"]).unwrap();
        let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
        assert_eq!(names, ["local", "root:../img", "web-01:22", "web-02:22", "::1"]);
        let (first, second) = (hosts.first().unwrap(), hosts.get(1).unwrap());
        assert_eq!((&first.reach, &first.root), (&Reach::Local, &None));
        assert_eq!((&second.reach, second.root.as_deref()), (&Reach::Local, Some("../img")));
        assert_eq!(second.place.to_string(), "command line");
        assert_eq!(parse(["root:/"]).unwrap().first().unwrap().root, None);
    }

    #[test]
    fn what_comes_later_is_refused_by_name() {
        let mistakes = parse(["oci:img", "web-01", "docker://app", "-x"]).unwrap_err();
        let text: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(text.join("\n"), @r"
        command line: target `oci:img` is not built yet; a later release brings oci:
          help: mount its file system and type root:DIR
        command line: target `docker://app` is not built yet; a later release brings docker:
          help: mount its file system and type root:DIR
        command line: host `-x` starts with a dash, so a command could take it for an option
          help: write a name or an address, such as web-01.example.net or [2001:db8::17]:22
        ");
    }

    #[test]
    fn what_looks_like_something_else() {
        for word in [
            "",
            "/etc",
            "./hosts.txt",
            ".",
            "~/x",
            "sudo=yes",
            "ssh://web",
            "s3://b",
            "root:",
            "root:-x",
            "root:a;b",
            "local:22",
            "web-[1-100001]",
        ] {
            assert_eq!(parse([word]).unwrap_err().len(), 1, "{word}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(word: String) {
            let _ = parse([word.as_str()]);
        }
    }
}
