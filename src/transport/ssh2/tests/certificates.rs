//! Certificates of users and of hosts, made by `ssh-keygen` and judged by a real sshd.
//!
//! *Invariant:* see the parent; a host whose certificate is not good must never have seen a login.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::server::{KeyAgent, keygen};
use super::soft_agent::{Manner, SoftAgent, SoftKey};
use super::*;
use crate::model::Reason;
use crate::transport::HostKeyFault;
use crate::transport::known_hosts::kind_of;

/// Signs a public key by an authority; the certificate lies beside it.
fn certify(authority: &Path, key: &Path, more: &[&str]) -> PathBuf {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-s"])
        .arg(authority)
        .args(["-I", "the id", "-z", "5"])
        .args(more)
        .arg(format!("{}.pub", key.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(format!("{}-cert.pub", key.display()))
}

fn public(key: &Path) -> String {
    let text = std::fs::read_to_string(format!("{}.pub", key.display())).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

fn blob_of(file: &Path) -> Vec<u8> {
    STANDARD.decode(std::fs::read_to_string(file).unwrap().split_whitespace().nth(1).unwrap()).unwrap()
}

/// A server that trusts an authority, and no key by itself.
struct Scene {
    server: Server,
    client: Client,
    authority: PathBuf,
    user: String,
}

impl Scene {
    fn new(more: &str) -> Self {
        let mut client = Client::new();
        let authority = keygen(&client.path(""), "ca", "ed25519", "", &[]);
        let server = Server::start(&format!("TrustedUserCAKeys {}.pub\n{more}", authority.display()));
        std::fs::write(server.path("authorized_keys"), "").unwrap();
        client.know(&server.known_line());
        client.settings.identities.clear();
        let user = client.surroundings.user.clone().unwrap();
        Self { server, client, authority, user }
    }

    fn key(&self, name: &str, kind: &str, more: &[&str]) -> PathBuf {
        keygen(&self.client.path(""), name, kind, "", more)
    }

    fn dial(&self) -> Result<SshConnection, TransportError> {
        self.client.dial(&host_at(self.server.port))
    }
}

#[test]
fn a_certificate_beside_its_key_logs_in_whatever_the_type() {
    let mut scene = Scene::new("");
    for (name, kind, more) in [
        ("own_ed25519", "ed25519", &[][..]),
        ("own_ecdsa", "ecdsa", &["-b", "384"]),
        ("own_rsa", "rsa", &["-b", "2048"]),
    ] {
        let key = scene.key(name, kind, more);
        certify(&scene.authority, &key, &["-n", &scene.user, "-V", "-1m:+5m"]);
        scene.client.settings.identities = vec![key.clone()];
        let connection = scene.dial().unwrap();
        let used = connection.key_used().unwrap();
        assert!(used.contains(&format!("certificate \"the id\", serial 5, {}-cert.pub", key.display())), "{used}");
    }
    let log = scene.server.log();
    for kind in ["ED25519-CERT", "ECDSA-CERT", "RSA-CERT"] {
        assert!(log.lines().any(|line| line.contains("Accepted publickey") && line.contains(kind)), "{kind}:\n{log}");
    }
}

#[test]
fn a_certificate_in_the_agent_logs_in_whatever_the_type() {
    let mut scene = Scene::new("");
    for (name, kind, more) in
        [("own_ed25519", "ed25519", &[][..]), ("own_ecdsa", "ecdsa", &[]), ("own_rsa", "rsa", &["-b", "2048"])]
    {
        let key = scene.key(name, kind, more);
        certify(&scene.authority, &key, &["-n", &scene.user]);
        // ssh-add takes the certificate along.
        let agent = KeyAgent::with(&[key]);
        scene.client.surroundings.agent = Some(agent.socket.clone());
        let connection = scene.dial().unwrap();
        assert!(connection.key_used().unwrap().ends_with("(certificate \"the id\", serial 5, agent)"), "{name}");
    }
}

#[test]
fn a_certificate_of_a_security_key_logs_in() {
    for soft in [SoftKey::ed25519(), SoftKey::ecdsa()] {
        let mut scene = Scene::new("");
        let key = scene.client.path("token");
        let line = format!("{} {}\n", kind_of(&soft.blob).unwrap(), STANDARD.encode(&soft.blob));
        std::fs::write(format!("{}.pub", key.display()), line).unwrap();
        let certificate = blob_of(&certify(&scene.authority, &key, &["-n", &scene.user]));
        let agent = SoftAgent::with(soft, vec![certificate], Manner::Signs);
        scene.client.surroundings.agent = Some(agent.socket.clone());
        scene.dial().unwrap();
    }
}

#[test]
fn a_certificate_file_of_ssh_config_goes_with_a_key_of_a_file_or_of_the_agent() {
    let mut scene = Scene::new("");
    let key = scene.key("own", "rsa", &["-b", "2048"]);
    let made = certify(&scene.authority, &key, &["-n", &scene.user]);
    let elsewhere = scene.client.path("elsewhere.pub");
    std::fs::rename(made, &elsewhere).unwrap();
    let config = scene.client.path(".ssh/config");
    std::fs::write(&config, format!("CertificateFile {}\nIdentityFile {}\n", elsewhere.display(), key.display()))
        .unwrap();
    scene.dial().unwrap();
    // By `ssh -G` it is the same.
    scene.client.ask_ssh();
    std::fs::write(&config, format!("CertificateFile ~/elsewhere.pub\nIdentityFile {}\n", key.display())).unwrap();
    scene.dial().unwrap();
    let agent = KeyAgent::with(std::slice::from_ref(&key));
    std::fs::remove_file(&key).unwrap();
    scene.client.surroundings.agent = Some(agent.socket.clone());
    std::fs::write(&config, format!("CertificateFile {}\n", elsewhere.display())).unwrap();
    scene.dial().unwrap();
}

#[test]
fn a_certificate_that_expired_is_told_before_dialling_and_not_offered() {
    let mut scene = Scene::new("");
    for (validity, words) in [("-2h:-1h", "expired at "), ("+1h:+2h", "is not valid before ")] {
        let key = scene.key(&format!("own{}", words.len()), "ed25519", &[]);
        certify(&scene.authority, &key, &["-n", &scene.user, "-V", validity]);
        scene.client.settings.identities = vec![key];
        let dialer = scene.client.dialer();
        let route = dialer.route(&host_at(scene.server.port)).unwrap();
        let warnings = dialer.warnings().join("\n");
        assert!(warnings.contains(words) && warnings.contains("it is not offered"), "{warnings}");
        let error = dialer.dial(&route, soon(), &mut |_| {}).unwrap_err();
        assert_eq!(error.reason(), Reason::Auth);
        assert!(error.remedy().contains(words), "{}", error.remedy());
    }
    assert!(!scene.server.log().contains("expired"), "it was offered:\n{}", scene.server.log());
}

#[test]
fn a_refused_certificate_says_what_is_likely() {
    let mut scene = Scene::new("");
    let other = scene.key("other_ca", "ed25519", &[]);
    let user = scene.user.clone();
    let sha256 = |key: &Path| {
        let output = Command::new("ssh-keygen").arg("-lf").arg(format!("{}.pub", key.display())).output().unwrap();
        String::from_utf8(output.stdout).unwrap().split_whitespace().nth(1).unwrap().to_owned()
    };
    let cases = [
        (
            "principal",
            &scene.authority.clone(),
            vec!["-n", "somebody,else"],
            "is for somebody, else, not for ".to_owned(),
        ),
        ("authority", &other, vec!["-n", &user], format!("The host must trust the authority {}", sha256(&other))),
        (
            "address",
            &scene.authority.clone(),
            vec!["-n", &user, "-O", "source-address=192.0.2.0/24"],
            "is good for logins from 192.0.2.0/24 only".to_owned(),
        ),
        ("nobody", &scene.authority.clone(), vec![], "names no user it is for".to_owned()),
    ];
    for (name, authority, more, words) in cases {
        let key = scene.key(name, "ed25519", &[]);
        certify(authority, &key, &more);
        scene.client.settings.identities = vec![key];
        let error = scene.dial().unwrap_err();
        assert_eq!(error.reason(), Reason::Auth, "{name}");
        assert!(error.to_string().contains("certificate \"the id\", serial 5"), "{name}: {error}");
        assert!(error.remedy().contains(&words), "{name}: {}", error.remedy());
    }
}

#[test]
fn a_certificate_of_a_host_or_of_another_key_is_not_offered() {
    let mut scene = Scene::new("");
    let key = scene.key("own", "ed25519", &[]);
    certify(&scene.authority, &key, &["-h", "-n", &scene.user]);
    scene.client.settings.identities = vec![key.clone()];
    let remedy = scene.dial().unwrap_err().remedy();
    assert!(remedy.contains("is a certificate of a host, not of a user"), "{remedy}");
    let other = scene.key("other", "ed25519", &[]);
    let made = certify(&scene.authority, &other, &["-n", &scene.user]);
    std::fs::rename(made, format!("{}-cert.pub", key.display())).unwrap();
    let remedy = scene.dial().unwrap_err().remedy();
    assert!(remedy.contains("own-cert.pub is of another key"), "{remedy}");
    std::fs::write(format!("{}-cert.pub", key.display()), "garbage\n").unwrap();
    let remedy = scene.dial().unwrap_err().remedy();
    assert!(remedy.contains("own-cert.pub can't be used: it is not a certificate"), "{remedy}");
}

/// A server with a host certificate, and a client that trusts an authority for it.
struct CertifiedHost {
    server: Server,
    client: Client,
    key: PathBuf,
}

/// Certifies a host key of a kind by an authority of a kind, for a name, with more words for `ssh-keygen`.
fn certified(kind: &str, authority: &Path, client: Client, more: &[&str]) -> CertifiedHost {
    let bits: &[&str] = if kind == "rsa" { &["-b", "2048"] } else { &[] };
    let folder = client.path("");
    let key = keygen(&folder, &format!("host_{kind}_{}", std::process::id()), kind, "", bits);
    let certificate = certify(authority, &key, &[&["-h"], more].concat());
    let server = Server::start(&format!("HostKey {}\nHostCertificate {}\n", key.display(), certificate.display()));
    let mut client = client;
    client.settings.identities = vec![server.user_key("id_ed25519")];
    client.know(&format!("@cert-authority * {}\n", public(authority)));
    CertifiedHost { server, client, key }
}

fn refused(scene: &CertifiedHost) -> HostKeyFault {
    let error = scene.client.dial(&host_at(scene.server.port)).unwrap_err();
    assert_eq!(error.reason(), Reason::HostKey, "{error}");
    let log = scene.server.log();
    assert!(log.contains("Connection from") && !log.contains("userauth-request"), "a login was tried:\n{log}");
    match error {
        TransportError::HostKey(fault) => *fault,
        other => panic!("{other}"),
    }
}

fn fingerprint_of(key: &Path) -> String {
    let output = Command::new("ssh-keygen").arg("-lf").arg(format!("{}.pub", key.display())).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn a_host_certificate_vouches_whatever_the_types() {
    for (authority_kind, bits, kind) in
        [("ed25519", None, "ed25519"), ("rsa", Some("2048"), "ecdsa"), ("ecdsa", Some("521"), "rsa")]
    {
        let client = Client::new();
        let bits: Vec<&str> = bits.into_iter().flat_map(|bits| ["-b", bits]).collect();
        let authority = keygen(&client.path(""), "ca", authority_kind, "", &bits);
        let scene = certified(kind, &authority, client, &["-n", "web,127.0.0.1"]);
        let dialer = scene.client.dialer();
        let route = dialer.route(&host_at(scene.server.port)).unwrap();
        let mut vouched = String::new();
        let connection = dialer
            .dial(&route, soon(), &mut |step| {
                if let Step::HostKey { by, .. } = step {
                    vouched = by;
                }
            })
            .unwrap();
        // Evidence is the key itself, and who vouches for it.
        assert!(connection.host_key().unwrap().ends_with(&fingerprint_of(&scene.key)), "{kind}");
        let expected = format!("certificate \"the id\", serial 5 by the authority {} at ", fingerprint_of(&authority));
        assert!(vouched.starts_with(&expected) && vouched.ends_with("known_hosts:1, valid for ever"), "{vouched}");
    }
}

#[test]
fn a_host_that_was_built_anew_is_known_by_its_authority() {
    let client = Client::new();
    let authority = keygen(&client.path(""), "ca", "ed25519", "", &[]);
    let mut scene = certified("ed25519", &authority, client, &["-n", "127.0.0.1", "-V", "-1m:+1h"]);
    scene.client.dial(&host_at(scene.server.port)).unwrap();
    let known = scene.client.known_hosts();
    // Another machine in its place: new keys, certified by the same authority; the old key is still written down.
    let stale = format!("[127.0.0.1]:{} {}\n", scene.server.port, public(&scene.key));
    let folder = scene.client.path("second");
    std::fs::create_dir(&folder).unwrap();
    let key = keygen(&folder, "host", "ed25519", "", &[]);
    let certificate = certify(&authority, &key, &["-h", "-n", "127.0.0.1"]);
    scene.server = Server::start(&format!("HostKey {}\nHostCertificate {}\n", key.display(), certificate.display()));
    scene.client.settings.identities = vec![scene.server.user_key("id_ed25519")];
    scene.client.know(&(known + &stale));
    let connection = scene.client.dial(&host_at(scene.server.port)).unwrap();
    assert!(connection.host_key().unwrap().ends_with(&fingerprint_of(&key)));
}

#[test]
fn f09_a_certificate_of_another_authority_is_refused_before_any_login() {
    let client = Client::new();
    let authority = keygen(&client.path(""), "ca", "ed25519", "", &[]);
    let other = keygen(&client.path(""), "other", "ed25519", "", &[]);
    let mut scene = certified("ed25519", &authority, client, &["-n", "127.0.0.1"]);
    scene.client.settings.accept_new_host_keys = true;
    scene.client.know(&format!("@cert-authority * {}\n", public(&other)));
    let fault = refused(&scene);
    let HostKeyFault::Certificate { detail, fingerprint, .. } = &fault else { panic!("{fault}") };
    assert!(detail.contains(&fingerprint_of(&authority)) && detail.contains(&fingerprint_of(&other)), "{fault}");
    assert_eq!(*fingerprint, fingerprint_of(&scene.key));
}

#[test]
fn f09_a_certificate_that_is_not_good_is_refused_before_any_login() {
    for (more, words) in [
        (&["-n", "127.0.0.1", "-V", "-2h:-1h"][..], "expired at "),
        (&["-n", "127.0.0.1", "-V", "+1h:+2h"], "is not valid before "),
        (&["-n", "web-02,db-*"], "is for web-02, db-*, not for 127.0.0.1"),
        (&[], "names no host that it is for"),
        (&["-n", "127.0.0.1", "-O", "critical:strange=1"], "has the critical option strange"),
    ] {
        let client = Client::new();
        let authority = keygen(&client.path(""), "ca", "ed25519", "", &[]);
        let scene = certified("ed25519", &authority, client, more);
        let fault = refused(&scene);
        assert!(matches!(fault, HostKeyFault::Certificate { .. }) && fault.to_string().contains(words), "{fault}");
    }
}

#[test]
fn f09_a_certificate_whose_authority_or_key_is_revoked_is_refused_before_any_login() {
    let client = Client::new();
    let authority = keygen(&client.path(""), "ca", "ed25519", "", &[]);
    let scene = certified("ed25519", &authority, client, &["-n", "127.0.0.1"]);
    for revoked in [&authority, &scene.key] {
        let lines = format!("@cert-authority * {}\n@revoked * {}\n", public(&authority), public(revoked));
        scene.client.know(&lines);
        let fault = refused(&scene);
        assert!(matches!(fault, HostKeyFault::Revoked { line: 2, .. }), "{fault}");
    }
}

#[test]
fn a_wildcard_principal_an_alias_and_a_known_key_will_do() {
    let client = Client::new();
    let authority = keygen(&client.path(""), "ca", "ed25519", "", &[]);
    let scene = certified("ed25519", &authority, client, &["-n", "127.0.0.*"]);
    scene.client.dial(&host_at(scene.server.port)).unwrap();
    // The certificate names an alias.
    std::fs::write(scene.client.path(".ssh/config"), "Host 127.0.0.1\n HostKeyAlias 127.0.0.golden\n").unwrap();
    scene.client.dial(&host_at(scene.server.port)).unwrap();
    std::fs::write(scene.client.path(".ssh/config"), "Host 127.0.0.1\n HostKeyAlias golden\n").unwrap();
    let error = scene.client.dial(&host_at(scene.server.port)).unwrap_err();
    assert!(error.to_string().contains("is for 127.0.0.*, not for golden"), "{error}");
    // The certificate is worth nothing, but the key is known, as ssh(1) has it.
    scene.client.know(&format!("@cert-authority * {}\ngolden {}\n", public(&authority), public(&scene.key)));
    scene.client.dial(&host_at(scene.server.port)).unwrap();
    // Another of the host's keys is known, without a certificate.
    scene.client.know(&format!(
        "@cert-authority * {}\ngolden {}\n",
        public(&authority),
        scene.server.host_key("ecdsa")
    ));
    scene.client.dial(&host_at(scene.server.port)).unwrap();
    // And a pin is of the key.
    let mut host = host_at(scene.server.port);
    host.host_key = Some(scene.server.fingerprint("ecdsa"));
    scene.client.dial(&host).unwrap();
}

#[test]
fn a_host_without_its_certificate_is_refused() {
    let server = Server::start("");
    let client = Client::of(&server);
    let authority = keygen(&client.path(""), "ca", "ed25519", "", &[]);
    client.know(&format!("@cert-authority * {}\n", public(&authority)));
    let error = client.dial(&host_at(server.port)).unwrap_err();
    assert!(error.to_string().contains("without a certificate"), "{error}");
    assert!(error.remedy().contains("HostCertificate"), "{}", error.remedy());
    assert!(!server.log().contains("userauth-request"), "{}", server.log());
}
