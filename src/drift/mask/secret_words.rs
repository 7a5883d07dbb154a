//! Words that name a secret, and values that are none.
//!
//! *Invariant:* a key counts by how it ends, whatever stands before: `spring.datasource.password`, `DB_PASS`.

/// Endings of keys, in lower case and without `_`, `-` and `.`.
const ENDINGS: [&[u8]; 32] = [
    b"password",
    b"passwd",
    b"passwort",
    b"passphrase",
    b"passcode",
    b"pwd",
    b"pass",
    b"secret",
    b"token",
    b"apikey",
    b"accesskey",
    b"accesskeyid",
    b"secretkey",
    b"secretkeybase",
    b"privatekey",
    b"sharedkey",
    b"presharedkey",
    b"accountkey",
    b"encryptionkey",
    b"signingkey",
    b"masterkey",
    b"authkey",
    b"sessionkey",
    b"licensekey",
    b"hmackey",
    b"credential",
    b"authorization",
    b"setcookie",
    b"psk",
    b"salt",
    b"community",
    b"authtok",
];

/// Whole keys.
const KEYS: [&[u8]; 5] = [b"cookie", b"pw", b"rootpw", b"bindpw", b"sig"];

/// Keys that end like one and name none.
const OTHERS: [&[u8]; 6] = [b"nopasswd", b"bypass", b"compass", b"trespass", b"onepass", b"firstpass"];

/// How surely a key names a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    /// It names none.
    None,
    /// `key` and `auth` alone.
    Weak,
    /// A name of several words whose last is one of those: `auth_jwt_key`.
    Compound,
    /// It names one.
    Strong,
}

/// How surely a key names a secret.
pub(super) fn strength(key: &[u8]) -> Strength {
    if is_secret(key) {
        return Strength::Strong;
    }
    let lower = key.to_ascii_lowercase();
    let mut words = lower.rsplit(|b| matches!(b, b'_' | b'-' | b'.'));
    let is_last = matches!(words.next(), Some(b"key" | b"auth"));
    match words.next() {
        _ if !is_last => Strength::None,
        None | Some(b"") => Strength::Weak,
        // PAM's files, and apt's command.
        Some(b"apt" | b"system" | b"password" | b"common" | b"smartcard" | b"fingerprint") => Strength::None,
        Some(_) => Strength::Compound,
    }
}

/// Whether a value is no secret where its key only may name one: a path, a variable, a plain word, a small number.
pub(super) fn is_weakly_plain(value: &[u8]) -> bool {
    let bare = value.strip_suffix(b";").unwrap_or(value).trim_ascii();
    let is_path = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-' | b'*');
    let is_small = bare.len() <= 3 && bare.iter().all(u8::is_ascii_digit);
    let is_sign =
        matches!(bare.first(), Some(b'$' | b'%' | b'-' | b'=' | b'<' | b'>' | b'|' | b'&' | b'#' | b'{' | b'('));
    is_small || is_sign || bare.starts_with(b"/") && bare.iter().all(is_path) || is_plain(b"key", bare)
}

/// Whether a key surely names a secret.
fn is_secret(key: &[u8]) -> bool {
    if key == b"_auth" {
        return true;
    }
    let mut name: Vec<u8> = key.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    while name.last().is_some_and(u8::is_ascii_digit) {
        name.pop();
    }
    let ends = |name: &[u8]| ENDINGS.iter().any(|ending| name.ends_with(ending)) || KEYS.contains(&name);
    if OTHERS.iter().any(|other| name.ends_with(other)) {
        return false;
    }
    ends(&name) || name.strip_suffix(b"s").is_some_and(ends)
}

/// Whether a value is a plain word that is no secret under any key; `passwd: files systemd` is of nsswitch.conf.
pub(super) fn is_plain(key: &[u8], value: &[u8]) -> bool {
    const SERVICES: [&[u8]; 14] = [
        b"files",
        b"compat",
        b"systemd",
        b"sss",
        b"ldap",
        b"nis",
        b"nisplus",
        b"db",
        b"winbind",
        b"extrausers",
        b"altfiles",
        b"cache",
        b"hesiod",
        b"[NOTFOUND=return]",
    ];
    const WORDS: [&[u8]; 14] = [
        b"",
        b"yes",
        b"no",
        b"on",
        b"off",
        b"true",
        b"false",
        b"none",
        b"null",
        b"enabled",
        b"disabled",
        b"x",
        b"*",
        b"!",
    ];
    let value = value.strip_suffix(b",").or_else(|| value.strip_suffix(b";")).unwrap_or(value);
    let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    WORDS.contains(&value.to_ascii_lowercase().as_slice())
        || value == super::MASKED
        || key == b"passwd" && words.all(|word| SERVICES.contains(&word))
}
