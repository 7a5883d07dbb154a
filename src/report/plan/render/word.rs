//! What a platform must be told of a host or a group, and the form that it has.
//!
//! *Invariant:* a value that fits can't be read as an option, a path elsewhere or another kind of object by the command
//! it is given to.

/// A key of a handle or of a group's `ref`.
pub(super) struct Word {
    /// The key.
    pub(super) key: &'static str,
    /// A value, for the message.
    pub(super) example: &'static str,
    /// Why it is needed, behind a comma; empty where it may be left out.
    pub(super) why: &'static str,
    /// Whether a value has the form.
    pub(super) fits: fn(&str) -> bool,
}

/// A name without a meaning of its own to us: printable, and no option.
pub(super) fn name(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && !text.starts_with('-')
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// A path, or a text with spaces.
pub(super) fn path(text: &str) -> bool {
    (1..=4096).contains(&text.len()) && !text.starts_with('-') && !text.chars().any(char::is_control)
}

/// A command of the operator's; it may have lines.
pub(super) fn command(text: &str) -> bool {
    !text.trim().is_empty() && !text.starts_with('-') && crate::report::quote::forbidden(text).is_none()
}

/// `i-0123456789abcdef0`.
pub(super) fn instance(text: &str) -> bool {
    text.strip_prefix("i-").is_some_and(|id| {
        (8..=17).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// `eu-west-1`.
pub(super) fn region(text: &str) -> bool {
    (3..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The name of a Kubernetes object (RFC 1123 subdomain).
pub(super) fn object(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= 253
        && text.split('.').all(|label| {
            let bytes = label.as_bytes();
            bytes.first().copied().is_some_and(alphanumeric)
                && bytes.last().copied().is_some_and(alphanumeric)
                && bytes.iter().all(|b| alphanumeric(*b) || *b == b'-')
        })
}

/// `NAMESPACE/NAME`.
pub(super) fn namespaced(text: &str) -> bool {
    text.split_once('/').is_some_and(|(namespace, name)| object(namespace) && !namespace.contains('.') && object(name))
}

/// The address of a managed resource instance, such as `module.web.aws_instance.web["a"]`.
pub(super) fn address(text: &str) -> bool {
    let mut rest = text;
    // A data source is read, never replaced; it may stand behind its module.
    while let Some(inner) = rest.strip_prefix("module.") {
        let Some((_, after)) = inner.split_once('.') else { return false };
        rest = after;
    }
    name(text)
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && rest.contains('.')
        && !rest.starts_with("data.")
}

/// `30m`: a duration of crontab-like units.
pub(super) fn duration(text: &str) -> bool {
    super::calendar::seconds(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert!(instance("i-0123456789abcdef0") && instance("i-01234567"));
        for wrong in
            ["", "i-", "-i-01234567", "i-0123456G", "i-0123456789abcdef01", "i-01234567 i-01234568", "I-01234567"]
        {
            assert!(!instance(wrong), "{wrong}");
        }
        assert!(object("ip-10-0-0-1.eu-west-1.compute.internal") && object("a"));
        for wrong in ["", "-a", "a-", "a..b", "A", "a/b", "a b", "--all", "node;id"] {
            assert!(!object(wrong), "{wrong}");
        }
        assert!(namespaced("default/web-0"));
        for wrong in ["web-0", "a/b/c", "/a", "a/", "-n/a"] {
            assert!(!namespaced(wrong), "{wrong}");
        }
        assert!(address("aws_instance.web[\"a\"]") && address("module.web[0].aws_instance.web"));
        for wrong in ["", "-target", "data.aws_ami.x", "module.a.data.aws_ami.x", "module.a", "web", "a b.c", "1.a"] {
            assert!(!address(wrong), "{wrong}");
        }
        assert!(region("eu-west-1") && !region("--region") && !region("EU"));
        assert!(name("web prod").eq(&false) && name("web-prod") && !name("-web") && !name(""));
        assert!(path("/srv/my infra") && !path("-chdir"));
        assert!(command("a\nb") && !command(" ") && !command("-x") && !command("a\0b") && !command("a\u{1b}b"));
    }
}
