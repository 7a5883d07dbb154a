//! The secret class: files whose content never leaves a host, whoever asks.
//!
//! *Invariant:* compiled in and not configurable, in lists apart by spaces; a path counts by its components and its name, so that no choice of the
//! scanned root turns a secret into something else. A doubtful name is a secret.

use crate::protocol::View;

/// Folders everything below which is secret.
const FOLDERS: &[u8] = b"private secrets .gnupg .docker .kube .azure .gcloud gcloud .oci .vault .password-store \
      system-connections credstore credstore.encrypted krb5kdc wireguard kubernetes letsencrypt .mozilla \
      certmonger dehydrated vault";

/// Names, in lower case.
const NAMES: &[u8] = b"opasswd .netrc _netrc .pgpass .my.cnf .mylogin.cnf debian.cnf .vault-token .npmrc .yarnrc.yml \
      .pypirc .dockercfg .htpasswd htpasswd .htdigest kubeconfig kubelet.conf admin.conf .boto .s3cfg \
      rclone.conf .xauthority .iceauthority .erlang.cookie authinfo .authinfo random-seed rndc.key sasldb2 \
      passwd.client";

/// How names begin.
const STARTS: &[u8] = b"shadow gshadow opasswd id_ .env wpa_supplicant krb5cc kubeconfig environment.production";

/// How names end.
const ENDS: &[u8] =
    b"_rsa _dsa _ecdsa _ed25519 .key .key.pem .keytab .env .p12 .pfx .jks .keystore .kdb .kdbx .ppk .psk \
      .pgpass .htpasswd _history .tfstate .tfvars .netrc";

/// What stands anywhere in names.
const WORDS: &[u8] = b"token secret password passphrase credential privkey private_key private-key privatekey apikey \
      api_key api-key";

/// Folders where a PEM file is one of the public certificates.
const TRUST: &[u8] = b"certs ca-certificates ca-trust trust-source trusted.gpg.d keyrings rpm-gpg";

/// Whether something holds of a word of a list. One list of many is a table of pointers: as large again as its words.
#[inline(never)]
fn any(list: &[u8], holds: &dyn Fn(&[u8]) -> bool) -> bool {
    list.split(|b| *b == b' ').any(holds)
}

/// Whether a path is of the secret class.
pub fn is_secret(path: &[u8]) -> bool {
    let mut components = path.split(|b| *b == b'/').filter(|part| !part.is_empty());
    if matches!(components.clone().next(), Some(b"proc" | b"sys" | b"dev")) {
        return true;
    }
    let Some(name) = components.next_back() else { return false };
    let within = |folder: &[u8]| components.clone().any(|part| part == folder);
    if any(FOLDERS, &within) {
        return true;
    }
    let name = &*name.to_ascii_lowercase();
    let name = name.strip_suffix(b"~").or_else(|| name.strip_suffix(b".bak")).unwrap_or(name);
    if name.ends_with(b".pub") {
        return false;
    }
    let is_host_key = name.starts_with(b"ssh_host_");
    let is_pem = name.ends_with(b".pem") && !any(TRUST, &within);
    // The .pub beside a key is no secret, and was let go above.
    is_host_key
        || is_pem
        || any(NAMES, &|other| name == other)
        || any(STARTS, &|start| name.starts_with(start))
        || any(ENDS, &|end| name.ends_with(end))
        || any(WORDS, &|word| holds(name, word)) && !is_of_the_system(name, &within)
}

/// What speaks of passwords and holds none: PAM's files, and systemd's units that ask for one.
fn is_of_the_system(name: &[u8], within: &dyn Fn(&[u8]) -> bool) -> bool {
    let is_unit = any(b".service .path .socket .timer .target", &|end| name.ends_with(end));
    within(b"pam.d") || within(b"authselect") || within(b"pam-configs") || is_unit && within(b"systemd")
}

/// Whether what a view makes of a file may leave the host: of a secret file, only by the view that is meant for it.
pub fn may_view(path: &[u8], view: View) -> bool {
    // Its text would be the secret itself.
    if view == View::Keyed {
        return false;
    }
    if !is_secret(path) {
        return true;
    }
    let at = path.iter().rposition(|b| *b == b'/').map_or(0, |slash| slash + 1);
    let (folder, name) = path.split_at(at);
    let in_etc = folder.ends_with(b"/etc/");
    view.is_public()
        && match view {
            View::Shadow => in_etc && matches!(name, b"shadow" | b"shadow-"),
            View::Gshadow => in_etc && matches!(name, b"gshadow" | b"gshadow-"),
            View::HostKey => folder.ends_with(b"/etc/ssh/") && name.starts_with(b"ssh_host_"),
            _ => false,
        }
}

/// Whether a file's bytes are a secret by what they hold, whatever it is called.
pub fn holds_secret(bytes: &[u8]) -> bool {
    // Keytabs, credential caches, Java key stores, KeePass, secret keys of OpenPGP.
    const MAGIC: [&[u8]; 7] =
        [b"\x05\x01", b"\x05\x02", b"\x05\x04\x00", b"\xfe\xed\xfe\xed", b"\x03\xd9\xa2\x9a", b"\x94", b"\x95"];
    // Private keys of OpenSSL, OpenSSH and OpenPGP, of age and of PuTTY.
    const MARKS: [&[u8]; 4] = [b"PRIVATE KEY-----", b"PRIVATE KEY BLOCK", b"AGE-SECRET-KEY-", b"PuTTY-User-Key-File"];
    MAGIC.iter().any(|magic| bytes.starts_with(magic)) || MARKS.iter().any(|mark| holds(bytes, mark))
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|b| Some(b) == word.first()) {
        rest = &rest[at..];
        if rest.starts_with(word) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}
