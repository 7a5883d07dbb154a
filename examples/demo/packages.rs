//! The packages of the demonstration's image: Debian's names and versions, files of invented content.
//!
//! *Invariant:* a file's content follows from package, version and path, so an upgrade changes every file it ships.

use sha2::{Digest as _, Sha256};

use crate::tree::Tree;

/// One package as the image has it.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    name: &'static str,
    version: String,
    section: &'static str,
    /// What it ships besides its documentation, relative to the root.
    paths: Vec<&'static str>,
}

/// Name, section, version, files.
type Row = (&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const SHIPPED: &[Row] = &[
    ("adduser", "admin", "3.134", "usr/sbin/adduser usr/sbin/deluser etc/adduser.conf etc/deluser.conf"),
    ("apt", "admin", "2.6.1", "usr/bin/apt usr/bin/apt-get usr/bin/apt-cache usr/bin/apt-mark usr/lib/apt/methods/http usr/lib/apt/methods/gpgv etc/apt/apt.conf.d/01autoremove"),
    ("base-files", "admin", "12.4+deb12u12", "usr/lib/os-release etc/debian_version etc/issue etc/profile usr/share/common-licenses/GPL-3 usr/share/common-licenses/MIT-X11"),
    ("bash", "shells", "5.2.15-2+b8", "usr/bin/bash usr/bin/bashbug etc/bash.bashrc etc/skel/.bashrc etc/skel/.profile"),
    ("ca-certificates", "misc", "20230311+deb12u1", "usr/sbin/update-ca-certificates usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt usr/share/ca-certificates/mozilla/GlobalSign_Root_R46.crt"),
    ("coreutils", "utils", "9.1-1", "usr/bin/cat usr/bin/chmod usr/bin/chown usr/bin/cp usr/bin/cut usr/bin/date usr/bin/dd usr/bin/df usr/bin/head usr/bin/id usr/bin/ln usr/bin/ls usr/bin/mkdir usr/bin/mktemp usr/bin/mv usr/bin/rm usr/bin/rmdir usr/bin/sort usr/bin/stat usr/bin/tail usr/bin/uname usr/bin/wc"),
    ("cron", "admin", "3.0pl1-162", "usr/sbin/cron usr/bin/crontab etc/crontab etc/cron.d/e2scrub_all usr/lib/systemd/system/cron.service"),
    ("curl", "web", "7.88.1-10+deb12u14", "usr/bin/curl"),
    ("dash", "shells", "0.5.12-2", "usr/bin/dash"),
    ("debianutils", "utils", "5.7-0.5~deb12u1", "usr/bin/run-parts usr/bin/tempfile usr/sbin/add-shell usr/sbin/remove-shell"),
    ("diffutils", "utils", "1:3.8-4", "usr/bin/cmp usr/bin/diff usr/bin/diff3 usr/bin/sdiff"),
    ("dpkg", "admin", "1.21.22", "usr/bin/dpkg usr/bin/dpkg-query usr/bin/dpkg-deb usr/bin/update-alternatives usr/sbin/start-stop-daemon etc/dpkg/dpkg.cfg"),
    ("e2fsprogs", "admin", "1.47.0-2+b2", "usr/sbin/e2fsck usr/sbin/mke2fs usr/sbin/resize2fs usr/sbin/tune2fs etc/mke2fs.conf"),
    ("findutils", "utils", "4.9.0-4", "usr/bin/find usr/bin/xargs"),
    ("grep", "utils", "3.8-5", "usr/bin/grep usr/bin/egrep usr/bin/fgrep"),
    ("gzip", "utils", "1.12-1", "usr/bin/gzip usr/bin/gunzip usr/bin/zcat"),
    ("hostname", "admin", "3.23+nmu1", "usr/bin/hostname"),
    ("iproute2", "net", "6.1.0-3", "usr/bin/ip usr/bin/ss usr/sbin/bridge usr/sbin/tc etc/iproute2/rt_tables"),
    ("less", "text", "590-2.1~deb12u2", "usr/bin/less usr/bin/lesskey usr/bin/lesspipe"),
    ("libc-bin", "libs", "2.36-9+deb12u13", "usr/bin/getent usr/bin/ldd usr/bin/locale usr/sbin/ldconfig etc/ld.so.conf etc/nsswitch.conf"),
    ("libc6", "libs", "2.36-9+deb12u13", "usr/lib/x86_64-linux-gnu/libc.so.6 usr/lib/x86_64-linux-gnu/libm.so.6 usr/lib/x86_64-linux-gnu/libresolv.so.2 usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"),
    ("libpam-modules", "admin", "1.5.2-6+deb12u1", "usr/lib/x86_64-linux-gnu/security/pam_deny.so usr/lib/x86_64-linux-gnu/security/pam_env.so usr/lib/x86_64-linux-gnu/security/pam_limits.so usr/lib/x86_64-linux-gnu/security/pam_unix.so etc/security/limits.conf"),
    ("libssl3", "libs", "3.0.17-1~deb12u2", "usr/lib/x86_64-linux-gnu/libcrypto.so.3 usr/lib/x86_64-linux-gnu/libssl.so.3"),
    ("libsystemd0", "libs", "252.39-1~deb12u1", "usr/lib/x86_64-linux-gnu/libsystemd.so.0.35.0"),
    ("login", "admin", "1:4.13+dfsg1-1+deb12u1", "usr/bin/login usr/bin/newgrp usr/sbin/nologin etc/login.defs etc/pam.d/login etc/pam.d/su"),
    ("logrotate", "admin", "3.21.0-1", "usr/sbin/logrotate etc/logrotate.conf etc/cron.daily/logrotate"),
    ("mount", "admin", "2.38.1-5+deb12u3", "usr/bin/mount usr/bin/umount usr/sbin/losetup usr/sbin/swapon"),
    ("nano", "editors", "7.2-1+deb12u1", "usr/bin/nano usr/bin/rnano etc/nanorc"),
    ("nginx", "httpd", "1.22.1-9+deb12u2", "usr/sbin/nginx usr/share/man/man8/nginx.8.gz"),
    ("nginx-common", "httpd", "1.22.1-9+deb12u2", "etc/nginx/nginx.conf etc/nginx/mime.types etc/nginx/fastcgi_params etc/nginx/sites-available/default etc/logrotate.d/nginx etc/default/nginx usr/lib/systemd/system/nginx.service usr/share/nginx/html/index.html"),
    ("openssh-server", "net", "1:9.2p1-2+deb12u7", "usr/sbin/sshd usr/lib/openssh/sftp-server usr/lib/systemd/system/ssh.service etc/pam.d/sshd etc/default/ssh"),
    ("openssl", "utils", "3.0.17-1~deb12u2", "usr/bin/openssl usr/bin/c_rehash etc/ssl/openssl.cnf usr/lib/ssl/misc/CA.pl usr/lib/ssl/misc/tsget.pl"),
    ("passwd", "admin", "1:4.13+dfsg1-1+deb12u1", "usr/bin/passwd usr/bin/chsh usr/sbin/useradd usr/sbin/userdel usr/sbin/usermod etc/pam.d/passwd"),
    ("perl-base", "perl", "5.36.0-7+deb12u3", "usr/bin/perl usr/lib/x86_64-linux-gnu/perl-base/Carp.pm usr/lib/x86_64-linux-gnu/perl-base/Config.pm usr/lib/x86_64-linux-gnu/perl-base/strict.pm usr/lib/x86_64-linux-gnu/perl-base/warnings.pm"),
    ("procps", "admin", "2:4.0.2-3", "usr/bin/free usr/bin/pgrep usr/bin/ps usr/bin/top usr/bin/uptime usr/sbin/sysctl etc/sysctl.conf"),
    ("rsyslog", "admin", "8.2302.0-1+deb12u1", "usr/sbin/rsyslogd etc/rsyslog.conf etc/logrotate.d/rsyslog usr/lib/systemd/system/rsyslog.service"),
    ("sed", "utils", "4.9-1", "usr/bin/sed"),
    ("sudo", "admin", "1.9.13p3-1+deb12u2", "usr/bin/sudo usr/sbin/visudo usr/libexec/sudo/sudoers.so etc/pam.d/sudo etc/sudo.conf"),
    ("systemd", "admin", "252.39-1~deb12u1", "usr/bin/journalctl usr/bin/systemctl usr/lib/systemd/systemd usr/lib/systemd/systemd-journald usr/lib/systemd/systemd-logind usr/lib/systemd/system/basic.target usr/lib/systemd/system/multi-user.target usr/lib/systemd/system/sysinit.target etc/systemd/system.conf etc/systemd/journald.conf"),
    ("tar", "utils", "1.34+dfsg-1.2+deb12u1", "usr/bin/tar"),
    ("tzdata", "localization", "2025b-0+deb12u2", "usr/share/zoneinfo/Etc/UTC usr/share/zoneinfo/Europe/Berlin usr/share/zoneinfo/Europe/Dublin usr/share/zoneinfo/Europe/Paris usr/share/zoneinfo/Europe/Vienna usr/share/zoneinfo/America/New_York usr/share/zoneinfo/Asia/Tokyo usr/share/zoneinfo/Australia/Sydney usr/share/zoneinfo/tzdata.zi"),
    ("util-linux", "utils", "2.38.1-5+deb12u3", "usr/bin/dmesg usr/bin/findmnt usr/bin/lsblk usr/bin/more usr/bin/su usr/sbin/agetty usr/sbin/blkid usr/sbin/fstrim usr/lib/systemd/system/fstrim.service"),
    ("zlib1g", "libs", "1:1.2.13.dfsg-1", "usr/lib/x86_64-linux-gnu/libz.so.1.2.13"),
];

/// Programs that a Debian system ships with the setuid bit.
const SETUID: &[&str] = &[
    "usr/bin/chsh",
    "usr/bin/mount",
    "usr/bin/newgrp",
    "usr/bin/passwd",
    "usr/bin/su",
    "usr/bin/sudo",
    "usr/bin/umount",
];

/// Lists the packages of the newest image.
pub(crate) fn shipped() -> Vec<Package> {
    let package = |&(name, section, version, paths): &Row| Package {
        name,
        section,
        version: version.to_owned(),
        paths: paths.split(' ').collect(),
    };
    SHIPPED.iter().map(package).collect()
}

/// Puts one package at another version.
///
/// # Panics
///
/// If there is no such package.
pub(crate) fn set_version(packages: &mut [Package], name: &str, version: &str) {
    let package = packages.iter_mut().find(|package| package.name == name);
    version.clone_into(&mut package.unwrap_or_else(|| panic!("no package {name}")).version);
}

/// Unpacks the packages into a tree and records them in dpkg's database.
pub(crate) fn install(tree: &mut Tree, packages: &[Package]) {
    let mut status = String::new();
    for package in packages {
        for &path in &package.paths {
            tree.file(path, mode_of(path), invented(package, path));
        }
        let manual = format!("usr/share/doc/{}", package.name);
        tree.file(&format!("{manual}/copyright"), 0o644, format!("{} is free software.\n", package.name));
        tree.file(&format!("{manual}/changelog.Debian.gz"), 0o644, invented(package, "changelog"));
        tree.file(&format!("var/lib/dpkg/info/{}.list", package.name), 0o644, list_of(package, &manual));
        status.push_str(&stanza_of(package));
    }
    tree.file("var/lib/dpkg/status", 0o644, status);
}

fn mode_of(path: &str) -> u32 {
    let is_program = ["usr/bin/", "usr/sbin/", "etc/cron.daily/"].iter().any(|folder| path.starts_with(folder));
    match (SETUID.contains(&path), is_program) {
        (true, _) => 0o4755,
        (false, true) => 0o755,
        (false, false) => 0o644,
    }
}

/// Bytes that look like nothing in particular and are always the same: a chain of digests, 256 bytes to 4 kB. Most of
/// the length belongs to the path, a few bytes to the version, as with a rebuilt program.
fn invented(package: &Package, path: &str) -> Vec<u8> {
    let first = |text: &str| usize::from(Sha256::digest(text).first().copied().unwrap_or_default());
    let length = 256 + first(path) * 15 + first(&format!("{} {path}", package.version)) % 32;
    let mut link = Sha256::digest(format!("{} {} {path}", package.name, package.version));
    let mut content = Vec::with_capacity(length + link.len());
    while content.len() < length {
        content.extend_from_slice(&link);
        link = Sha256::digest(link);
    }
    content.truncate(length);
    content
}

/// The lines of `info/NAME.list`: the folders and files of a package, as dpkg(1) records them.
fn list_of(package: &Package, manual: &str) -> String {
    let documents = [format!("{manual}/changelog.Debian.gz"), format!("{manual}/copyright")];
    let mut lines = std::collections::BTreeSet::from(["/.".to_owned()]);
    for path in package.paths.iter().copied().chain(documents.iter().map(String::as_str)) {
        lines.extend(path.match_indices('/').map(|(slash, _)| format!("/{}", &path[..slash])));
        lines.insert(format!("/{path}"));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

fn stanza_of(package: &Package) -> String {
    format!(
        "Package: {name}\nStatus: install ok installed\nPriority: optional\nSection: {section}\nInstalled-Size: {size}\n\
         Maintainer: The demonstration <demo@example.org>\nArchitecture: amd64\nVersion: {version}\n\
         Description: {name}, as the demonstration's image has it\n Its files are invented; its name and version are \
         Debian's.\n\n",
        name = package.name,
        section = package.section,
        size = package.paths.len() * 2,
        version = package.version,
    )
}
