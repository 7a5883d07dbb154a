//! The golden image of the demonstration: a small web server, two versions of it.
//!
//! *Invariant:* what every host of a version shares is in [`build`]; what each host has for itself is in [`personalise`].

use sha2::{Digest as _, Sha256};

use crate::packages::{self, Package};
use crate::tree::Tree;

/// A version of the image, in the order of release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// `web@2026.11.1`.
    Older,
    /// `web@2026.11.2`: OpenSSL is newer, and nginx has one more header.
    Newer,
}

impl Version {
    /// The name of the template with this version, as `baseline capture` takes it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Older => "web@2026.11.1",
            Self::Newer => "web@2026.11.2",
        }
    }

    fn packages(self) -> Vec<Package> {
        let mut packages = packages::shipped();
        match self {
            Self::Newer => {}
            Self::Older => {
                for name in ["libssl3", "openssl"] {
                    packages::set_version(&mut packages, name, "3.0.16-1~deb12u1");
                }
            }
        }
        packages
    }
}

/// Builds the image with its own packages.
pub(crate) fn build(version: Version) -> Tree {
    build_with(version, &version.packages())
}

/// Builds the newer image after somebody upgraded nginx on the running machine.
pub(crate) fn build_with_newer_nginx() -> Tree {
    let mut packages = Version::Newer.packages();
    for name in ["nginx", "nginx-common"] {
        packages::set_version(&mut packages, name, "1.22.1-9+deb12u3");
    }
    build_with(Version::Newer, &packages)
}

fn build_with(version: Version, packages: &[Package]) -> Tree {
    let mut tree = Tree::default();
    for folder in ["boot", "dev", "home", "mnt", "opt", "proc", "run", "srv", "sys", "usr/local/bin", "var/cache"] {
        tree.folder(folder, 0o755);
    }
    tree.folder("root", 0o700);
    tree.folder("tmp", 0o1777);
    tree.folder("var/tmp", 0o1777);
    for (link, target) in [("bin", "usr/bin"), ("lib", "usr/lib"), ("sbin", "usr/sbin")] {
        tree.link(link, target);
    }
    packages::install(&mut tree, packages);
    configure(&mut tree);
    match version {
        Version::Older => {}
        Version::Newer => tree.edit("etc/nginx/nginx.conf", "server_tokens off;", "server_tokens off;\n\tetag off;"),
    }
    tree
}

/// The configuration that the image's builder wrote over what the packages ship.
fn configure(tree: &mut Tree) {
    for (path, mode, content) in CONFIGURATION {
        tree.file(path, *mode, content.trim_start());
    }
    tree.link("etc/os-release", "../usr/lib/os-release");
    tree.link("etc/localtime", "/usr/share/zoneinfo/Etc/UTC");
    tree.link("etc/alternatives/editor", "/usr/bin/nano");
    tree.link("usr/bin/editor", "/etc/alternatives/editor");
    tree.link("usr/bin/sh", "dash");
    tree.link("etc/nginx/sites-enabled/default", "/etc/nginx/sites-available/default");
    let wants = "etc/systemd/system/multi-user.target.wants";
    for service in ["cron", "nginx", "rsyslog", "ssh"] {
        tree.link(&format!("{wants}/{service}.service"), &format!("/lib/systemd/system/{service}.service"));
    }
}

/// Gives a host what every host has of its own. None of it is drift, and driftscan has to know that.
pub(crate) fn personalise(tree: &mut Tree, host: &str) {
    let digest = Sha256::digest(host);
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let (machine, seed) = digest.split_at(16);
    let (machine, seed) = (hex(machine), hex(seed));
    tree.file("etc/hostname", 0o644, format!("{host}\n"));
    tree.file("etc/machine-id", 0o444, format!("{machine}\n"));
    tree.file("etc/hosts", 0o644, format!("127.0.0.1\tlocalhost\n127.0.1.1\t{host}.example.org {host}\n"));
    // Type, length and 32 bytes of a key that nobody has the other half of.
    let bytes: String = host.bytes().cycle().take(21).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let key = format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA{bytes} root@{host}\n");
    tree.file("etc/ssh/ssh_host_ed25519_key.pub", 0o644, key);
    tree.file("var/lib/systemd/random-seed", 0o600, seed);
    tree.file("var/log/syslog", 0o640, format!("{host} systemd[1]: Startup finished.\n").repeat(1 + host.len()));
}

/// Path, mode, content.
const CONFIGURATION: &[(&str, u32, &str)] = &[
    (
        "usr/lib/os-release",
        0o644,
        r#"
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL="https://www.debian.org/"
"#,
    ),
    (
        "etc/passwd",
        0o644,
        "
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
sshd:x:101:65534::/run/sshd:/usr/sbin/nologin
deploy:x:1000:1000:deploy:/home/deploy:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
",
    ),
    (
        "etc/group",
        0o644,
        "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nsudo:x:27:deploy\ndeploy:x:1000:\nnogroup:x:65534:\n",
    ),
    ("etc/shadow", 0o640, "root:*:20393:0:99999:7:::\ndaemon:*:20393:0:99999:7:::\ndeploy:!:20393:0:99999:7:::\n"),
    ("etc/shells", 0o644, "/bin/sh\n/bin/bash\n/bin/dash\n"),
    ("etc/debian_version", 0o644, "12.12\n"),
    ("etc/fstab", 0o644, "/dev/vda1\t/\text4\terrors=remount-ro\t0\t1\n"),
    ("etc/apt/sources.list", 0o644, "deb https://deb.debian.org/debian bookworm main\n"),
    ("etc/sudoers", 0o440, "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n"),
    (
        "etc/ssh/sshd_config",
        0o644,
        "
Include /etc/ssh/sshd_config.d/*.conf
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding no
AcceptEnv LANG LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
",
    ),
    (
        "etc/nginx/nginx.conf",
        0o644,
        "
user www-data;
worker_processes auto;
pid /run/nginx.pid;

events {
\tworker_connections 768;
}

http {
\tsendfile on;
\tserver_tokens off;
\tkeepalive_timeout 65;
\tclient_max_body_size 1m;
\tssl_protocols TLSv1.2 TLSv1.3;
\taccess_log /var/log/nginx/access.log;
\tinclude /etc/nginx/mime.types;
\tinclude /etc/nginx/sites-enabled/*;
}
",
    ),
    (
        "etc/nginx/sites-available/default",
        0o644,
        "server {\n\tlisten 80 default_server;\n\troot /var/www/html;\n\tlocation / { try_files $uri $uri/ =404; }\n}\n",
    ),
    ("var/www/html/index.html", 0o644, "<!doctype html><title>web</title><p>It works.</p>\n"),
];
