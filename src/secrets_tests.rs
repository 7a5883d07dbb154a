//! The probe's compiled list of secrets, held to the places where secrets are, and to those where none is.
//!
//! *Invariant:* a name that is added to the list is added here; one that is taken from it fails here.

use crate::protocol::View;
use crate::secrets::{holds_secret, is_secret, may_view};

const SECRET: &[&str] = &[
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/security/opasswd",
    "/mnt/golden/etc/shadow",
    "/shadow",
    "/var/backups/shadow.bak",
    "/etc/ssh/ssh_host_ed25519_key",
    "/etc/ssh/ssh_host_rsa_key",
    "/root/.ssh/id_rsa",
    "/home/a/.ssh/id_ed25519",
    "/home/a/.ssh/ID_RSA",
    "/home/a/keys/deploy_rsa",
    "/etc/nginx/tls/server.key",
    "/etc/haproxy/site.pem",
    "/etc/ssl/private/site.crt",
    "/etc/pki/tls/private/localhost",
    "/etc/letsencrypt/live/a/fullchain.pem",
    "/etc/krb5.keytab",
    "/root/.netrc",
    "/root/.pgpass",
    "/root/.my.cnf",
    "/etc/mysql/debian.cnf",
    "/root/.aws/credentials",
    "/root/.docker/config.json",
    "/root/.kube/config",
    "/etc/kubernetes/admin.conf",
    "/srv/kubeconfig",
    "/srv/app/.env",
    "/srv/app/.env.production",
    "/srv/app/production.env",
    "/var/lib/kubelet/token",
    "/srv/app/config/secrets.yml",
    "/srv/app/client_secret.json",
    "/srv/app/db-password.txt",
    "/root/.git-credentials",
    "/etc/cifs.credentials",
    "/etc/NetworkManager/system-connections/wifi.nmconnection",
    "/etc/wpa_supplicant/wpa_supplicant.conf",
    "/etc/ipsec.secrets",
    "/etc/ppp/chap-secrets",
    "/etc/ppp/pap-secrets",
    "/root/.gnupg/secring.gpg",
    "/root/.vault-token",
    "/etc/wireguard/wg0.conf",
    "/etc/apache2/.htpasswd",
    "/root/.npmrc",
    "/root/.bash_history",
    "/run/secrets/db",
    "/etc/credstore/one",
    "/srv/tf/terraform.tfstate",
    "/srv/a/keystore.jks",
    "/srv/a/vault.kdbx",
    "/proc/self/environ",
    "/proc/1/mem",
    "/sys/firmware/efi/efivars/x",
    "/dev/sda",
    "/tmp/krb5cc_0",
    "/srv/.env~",
    "/srv/server.key.bak",
];

const PLAIN: &[&str] = &[
    "/",
    "/etc/passwd",
    "/etc/group",
    "/etc/sudoers",
    "/etc/sudoers.d/90-cloud",
    "/etc/ssh/sshd_config",
    "/etc/ssh/ssh_host_ed25519_key.pub",
    "/root/.ssh/authorized_keys",
    "/root/.ssh/id_rsa.pub",
    "/etc/pam.d/common-password",
    "/etc/pam.d/password-auth",
    "/usr/lib/systemd/system/systemd-ask-password-console.service",
    "/etc/ssl/certs/ca-certificates.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/apt/sources.list",
    "/etc/apt/trusted.gpg.d/debian.asc",
    "/etc/hosts",
    "/etc/fstab",
    "/etc/nginx/nginx.conf",
    "/etc/sysctl.conf",
    "/etc/environment",
    "/etc/crontab",
    "/etc/machine-id",
    "/etc/security/pwquality.conf",
    "/etc/login.defs",
    "/var/log/auth.log",
    "/var/log/secure",
    "/srv/process/procedure",
];

#[test]
fn the_secret_class() {
    for path in SECRET {
        assert!(is_secret(path.as_bytes()), "{path}");
        for view in View::ALL {
            let meant = match view {
                View::Shadow => ["/etc/shadow", "/etc/shadow-", "/mnt/golden/etc/shadow"].contains(path),
                View::Gshadow => ["/etc/gshadow", "/etc/gshadow-"].contains(path),
                View::HostKey => path.starts_with("/etc/ssh/ssh_host_"),
                _ => false,
            };
            assert_eq!(may_view(path.as_bytes(), *view), meant, "{path} by {}", view.word());
        }
    }
    for path in PLAIN {
        assert!(!is_secret(path.as_bytes()), "{path}");
        assert!(may_view(path.as_bytes(), View::Lines) && !may_view(path.as_bytes(), View::Keyed), "{path}");
    }
}

#[test]
fn contents_that_are_secrets_under_any_name() {
    for bytes in [
        &b"x\n-----BEGIN RSA PRIVATE KEY-----\n"[..],
        b"-----BEGIN OPENSSH PRIVATE KEY-----",
        b"-----BEGIN PGP PRIVATE KEY BLOCK-----",
        b"# created\nAGE-SECRET-KEY-1ABC",
        b"PuTTY-User-Key-File-3: ssh-ed25519",
        b"\x05\x02keytab",
        b"\xfe\xed\xfe\xedjks",
        b"\x95\x03\x98",
    ] {
        assert!(holds_secret(bytes), "{}", bytes.escape_ascii());
    }
    for bytes in [&b""[..], b"PRIVATE", b"-----BEGIN CERTIFICATE-----", b"PRIVATE KEY----"] {
        assert!(!holds_secret(bytes), "{}", bytes.escape_ascii());
    }
}
