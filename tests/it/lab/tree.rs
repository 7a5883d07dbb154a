//! A root: a small Debian web server, and what a person or a program may do to it.
//!
//! *Invariant:* the golden root has the same names, modes, bytes and times wherever and whenever it is made; owners other
//! than the account that runs the tests are set as root only.

use super::debian::{GROUP, NGINX, OS_RELEASE, PACKAGES, PASSWD, PROGRAMS};
use super::{is_root, program, tool};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, FileTimes, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// When everything in the golden root was last written: 2026-11-01.
const BUILT: u64 = 1_793_500_000;

/// A folder that is scanned as if it were `/`.
#[derive(Debug, Clone)]
pub(crate) struct Tree(PathBuf);

impl Tree {
    /// Makes the golden root: about 300 files.
    pub(crate) fn golden(path: PathBuf) -> Self {
        let tree = Self(path);
        tree.folders();
        tree.accounts();
        tree.configuration();
        tree.programs();
        tree.packages();
        tree.state();
        tree.owners();
        tree.settle();
        tree
    }

    /// An empty folder.
    pub(crate) fn empty(path: PathBuf) -> Self {
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A copy with modes, owners, hard links, extended attributes and times.
    pub(crate) fn copy_to(&self, path: &Path) -> Self {
        tool("cp", &["-a", self.0.to_str().unwrap(), path.to_str().unwrap()]);
        Self(path.to_owned())
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The target `root:DIR`.
    pub(crate) fn target(&self) -> String {
        format!("root:{}", self.0.display())
    }

    /// A path inside, written as the host would: `/etc/passwd`.
    pub(crate) fn at(&self, inside: impl AsRef<Path>) -> PathBuf {
        let inside = inside.as_ref();
        self.0.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    /// Writes a file with what is above it; an existing one keeps mode and owner.
    pub(crate) fn write(&self, inside: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let file = self.at(inside);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    /// Appends to a file.
    pub(crate) fn append(&self, inside: &str, text: &str) {
        let whole = fs::read_to_string(self.at(inside)).unwrap() + text;
        fs::write(self.at(inside), whole).unwrap();
    }

    /// Replaces a text in a file; the text must be there.
    pub(crate) fn replace(&self, inside: &str, from: &str, to: &str) {
        let whole = fs::read_to_string(self.at(inside)).unwrap();
        assert!(whole.contains(from), "no {from:?} in {inside}");
        fs::write(self.at(inside), whole.replace(from, to)).unwrap();
    }

    /// Turns a bit of a file's first byte and puts size and modification time back: what a careful intruder does.
    pub(crate) fn change_unseen(&self, inside: &str) {
        let before = fs::metadata(self.at(inside)).unwrap();
        let mut bytes = fs::read(self.at(inside)).unwrap();
        bytes[0] ^= 1;
        fs::write(self.at(inside), bytes).unwrap();
        let file = File::options().write(true).open(self.at(inside)).unwrap();
        file.set_times(FileTimes::new().set_modified(before.modified().unwrap())).unwrap();
        assert_eq!(fs::metadata(self.at(inside)).unwrap().len(), before.len());
        assert_eq!(fs::metadata(self.at(inside)).unwrap().mtime(), before.mtime());
    }

    /// Sets permission bits.
    pub(crate) fn chmod(&self, inside: impl AsRef<Path>, mode: u32) {
        fs::set_permissions(self.at(inside), Permissions::from_mode(mode)).unwrap();
    }

    /// Sets owner and group; needs root.
    pub(crate) fn chown(&self, inside: &str, uid: u32, gid: u32) {
        let mode = fs::symlink_metadata(self.at(inside)).unwrap().mode() & 0o7777;
        lchown(self.at(inside), Some(uid), Some(gid)).unwrap();
        if !self.at(inside).is_symlink() {
            self.chmod(inside, mode);
        }
    }

    /// Removes a file or a whole folder.
    pub(crate) fn remove(&self, inside: impl AsRef<Path>) {
        let path = self.at(inside);
        if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    /// Makes a symbolic link, in place of what is there.
    pub(crate) fn link(&self, inside: &str, target: &str) {
        let _ = fs::remove_file(self.at(inside));
        symlink(target, self.at(inside)).unwrap();
    }

    /// Makes a file that is mostly hole.
    pub(crate) fn sparse(&self, inside: &str, size: u64) {
        self.write(inside, "");
        File::options().write(true).open(self.at(inside)).unwrap().set_len(size).unwrap();
    }

    /// Makes a named pipe, a socket or a device by a tool that takes the path last.
    pub(crate) fn special(&self, inside: &str, command: &[&str]) {
        let path = self.at(inside);
        let output = Command::new(program(command[0])).args(&command[1..]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Makes a character device; needs root.
    pub(crate) fn device(&self, inside: &str, major: u32, minor: u32) {
        tool("mknod", &[self.at(inside).to_str().unwrap(), "c", &major.to_string(), &minor.to_string()]);
    }

    fn folders(&self) {
        for folder in [
            "boot",
            "dev",
            "etc/apt/sources.list.d",
            "etc/cron.d",
            "etc/default",
            "etc/init.d",
            "etc/ld.so.conf.d",
            "etc/nginx/conf.d",
            "etc/nginx/sites-enabled",
            "etc/pam.d",
            "etc/profile.d",
            "etc/security",
            "etc/skel",
            "etc/ssh/sshd_config.d",
            "etc/sudoers.d",
            "etc/systemd/system/multi-user.target.wants",
            "home/anna/.ssh",
            "media",
            "mnt",
            "opt",
            "proc",
            "root/.ssh",
            "run",
            "srv/www",
            "sys",
            "tmp",
            "usr/bin",
            "usr/lib/nginx/modules",
            "usr/lib/systemd/system",
            "usr/lib/x86_64-linux-gnu",
            "usr/local/bin",
            "usr/sbin",
            "usr/share/doc",
            "usr/share/nginx/html",
            "var/cache/apt/archives",
            "var/lib/apt/lists",
            "var/lib/dpkg/info",
            "var/lib/dpkg/updates",
            "var/lib/nginx",
            "var/log/nginx",
            "var/mail",
            "var/spool/cron/crontabs",
            "var/tmp",
        ] {
            fs::create_dir_all(self.at(folder)).unwrap();
        }
        for usr_merged in ["bin", "sbin", "lib"] {
            symlink(format!("usr/{usr_merged}"), self.at(usr_merged)).unwrap();
        }
        for (folder, mode) in [("tmp", 0o1777), ("var/tmp", 0o1777), ("root", 0o700), ("home/anna/.ssh", 0o700)] {
            self.chmod(folder, mode);
        }
        for (folder, mode) in [("root/.ssh", 0o700), ("var/spool/cron/crontabs", 0o1730), ("etc/sudoers.d", 0o750)] {
            self.chmod(folder, mode);
        }
        symlink("../run", self.at("var/run")).unwrap();
    }

    fn accounts(&self) {
        self.write("etc/passwd", PASSWD);
        self.write("etc/group", GROUP);
        self.write(
            "etc/shadow",
            "root:*:20000:0:99999:7:::\nanna:!:20000:0:99999:7:::\nwww-data:*:20000:0:99999:7:::\n",
        );
        self.write("etc/gshadow", "root:*::\nanna:!::\nwww-data:*::\nshadow:*::\n");
        for secret in ["etc/shadow", "etc/gshadow"] {
            self.chmod(secret, 0o640);
        }
        self.write(
            "home/anna/.ssh/authorized_keys",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMRVBqb5SN6iKPz4CHhYJ8ss2p0qm anna\n",
        );
        self.chmod("home/anna/.ssh/authorized_keys", 0o600);
        for (file, text) in [(".bashrc", "umask 022\n"), (".profile", ". ~/.bashrc\n"), (".bash_logout", "clear\n")] {
            self.write(format!("etc/skel/{file}"), text);
            self.write(format!("home/anna/{file}"), text);
            self.write(format!("root/{file}"), text);
        }
        self.write("root/.ssh/authorized_keys", "");
        self.chmod("root/.ssh/authorized_keys", 0o600);
    }

    fn configuration(&self) {
        self.write("usr/lib/os-release", OS_RELEASE);
        symlink("../usr/lib/os-release", self.at("etc/os-release")).unwrap();
        for (file, text) in [
            ("etc/machine-id", "uninitialized\n"),
            ("etc/hostname", "golden\n"),
            ("etc/hosts", "127.0.0.1 localhost\n127.0.1.1 golden\n::1 localhost ip6-localhost\n"),
            ("etc/debian_version", "12.12\n"),
            ("etc/fstab", "UUID=6a0c5d4e-0000-4000-8000-3f2a1b0c9d8e / ext4 errors=remount-ro 0 1\n"),
            ("etc/resolv.conf", "nameserver 192.0.2.53\n"),
            ("etc/timezone", "Etc/UTC\n"),
            ("etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\nUsePAM yes\n"),
            ("etc/ssh/ssh_config", "Host *\n    SendEnv LANG LC_*\n"),
            ("etc/ssh/sshd_config.d/10-house.conf", "PasswordAuthentication no\n"),
            ("etc/nginx/nginx.conf", NGINX),
            ("etc/nginx/mime.types", "types {\n    text/html html htm;\n    text/css css;\n}\n"),
            ("etc/nginx/conf.d/tls.conf", "ssl_protocols TLSv1.2 TLSv1.3;\n"),
            ("etc/nginx/sites-enabled/default", "server {\n    listen 80;\n    root /usr/share/nginx/html;\n}\n"),
            ("etc/sudoers", "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n"),
            ("etc/sudoers.d/ops", "%sudo ALL=(ALL:ALL) ALL\n"),
            ("etc/apt/sources.list", "deb http://deb.debian.org/debian bookworm main\n"),
            ("etc/crontab", "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n"),
            ("etc/cron.d/e2scrub_all", "30 3 * * 0 root test -e /run/systemd/system || e2scrub_all\n"),
            ("etc/profile", "PATH=/usr/local/bin:/usr/bin:/bin\nexport PATH\n"),
            ("etc/profile.d/locale.sh", "LANG=C.UTF-8\n"),
            ("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n"),
            ("etc/ld.so.conf.d/libc.conf", "/usr/local/lib\n"),
            ("etc/default/nginx", "# defaults of nginx\n"),
            ("etc/security/limits.conf", "* soft nofile 65536\n"),
            ("etc/sysctl.conf", "vm.swappiness = 10\n"),
            ("etc/shells", "/bin/sh\n/bin/bash\n"),
        ] {
            self.write(file, text);
        }
        for secret in ["etc/sudoers", "etc/sudoers.d/ops"] {
            self.chmod(secret, 0o440);
        }
        for service in ["login", "sshd", "su", "sudo", "cron", "other", "common-auth", "common-account"] {
            self.write(format!("etc/pam.d/{service}"), format!("# PAM of {service}\nauth required pam_unix.so\n"));
        }
        for unit in ["nginx", "ssh", "cron", "rsyslog"] {
            let text = format!("[Unit]\nDescription={unit}\n[Service]\nExecStart=/usr/sbin/{unit}\n");
            self.write(format!("usr/lib/systemd/system/{unit}.service"), text);
            let link = self.at(format!("etc/systemd/system/multi-user.target.wants/{unit}.service"));
            symlink(format!("/usr/lib/systemd/system/{unit}.service"), link).unwrap();
        }
    }

    fn programs(&self) {
        for name in PROGRAMS {
            // Deterministic bytes of different sizes, which look like programs.
            let bytes: Vec<u8> = (0..2_000 + name.len() * 311).map(|i| (i * 7 + name.len()).to_le_bytes()[0]).collect();
            self.write(name, [b"\x7fELF\x02\x01\x01\0", bytes.as_slice(), name.as_bytes()].concat());
            self.chmod(name, 0o755);
        }
        for setuid in ["usr/bin/sudo", "usr/bin/passwd", "usr/bin/su"] {
            self.chmod(setuid, 0o4755);
        }
        fs::hard_link(self.at("usr/bin/perl"), self.at("usr/bin/perl5.36.0")).unwrap();
        for (link, target) in [("usr/bin/awk", "/etc/alternatives/awk"), ("usr/bin/sh", "dash"), ("usr/bin/vi", "vim")]
        {
            symlink(target, self.at(link)).unwrap();
        }
        fs::create_dir(self.at("etc/alternatives")).unwrap();
        symlink("/usr/bin/mawk", self.at("etc/alternatives/awk")).unwrap();
        symlink("libz.so.1.2.13", self.at("usr/lib/x86_64-linux-gnu/libz.so.1")).unwrap();
    }

    /// The package database: each program belongs to a package, and each package has documents.
    fn packages(&self) {
        for (package, version) in PACKAGES {
            for file in documents(package) {
                self.write(&file, format!("{file} of {package} {version}\n"));
            }
        }
        let sums = self.sums();
        let mut status = String::new();
        for (number, (package, version)) in PACKAGES.into_iter().enumerate() {
            let mut owned = documents(package).to_vec();
            owned.extend(PROGRAMS.iter().skip(number).step_by(PACKAGES.len()).map(|file| (*file).to_owned()));
            let conffiles: &[&str] = match package {
                "nginx" => &["etc/nginx/nginx.conf", "etc/nginx/mime.types", "etc/default/nginx"],
                "openssh-server" => &["etc/pam.d/sshd"],
                _ => &[],
            };
            self.package_lists(package, &owned, conffiles, &sums);
            status.push_str(&paragraph(package, version, conffiles, &sums));
        }
        self.write("var/lib/dpkg/status", status);
        self.write("var/lib/dpkg/status-old", "");
        self.write("var/lib/dpkg/available", "");
        self.write("var/lib/dpkg/lock", "");
        self.write("var/lib/dpkg/arch", "amd64\n");
        self.write("var/lib/dpkg/info/format", "1\n");
    }

    /// MD5 of every file, as dpkg keeps it.
    fn sums(&self) -> BTreeMap<String, String> {
        let output =
            Command::new("find").args([".", "-type", "f", "-exec", "md5sum", "{}", "+"]).current_dir(&self.0).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        let pairs = text.lines().map(|line| line.split_once("  ./").unwrap());
        pairs.map(|(sum, file)| (file.to_owned(), sum.to_owned())).collect()
    }

    fn package_lists(&self, package: &str, owned: &[String], conffiles: &[&str], sums: &BTreeMap<String, String>) {
        let (mut list, mut md5sums, mut marked) = ("/.\n".to_owned(), String::new(), String::new());
        for file in owned {
            writeln!(list, "/{file}").unwrap();
            writeln!(md5sums, "{}  {file}", sums[file]).unwrap();
        }
        for file in conffiles {
            writeln!(list, "/{file}").unwrap();
            writeln!(marked, "/{file}").unwrap();
        }
        self.write(format!("var/lib/dpkg/info/{package}.list"), list);
        self.write(format!("var/lib/dpkg/info/{package}.md5sums"), md5sums);
        if !marked.is_empty() {
            self.write(format!("var/lib/dpkg/info/{package}.conffiles"), marked);
        }
    }

    fn state(&self) {
        for file in ["var/log/dpkg.log", "var/log/syslog", "var/log/nginx/access.log", "var/log/nginx/error.log"] {
            self.write(file, format!("2026-11-01 00:00:00 {file}\n"));
            self.chmod(file, 0o640);
        }
        self.write("var/log/wtmp", [0; 384]);
        self.write("var/cache/apt/pkgcache.bin", [7; 4_096]);
        self.write("usr/share/nginx/html/index.html", "<h1>It works</h1>\n");
        self.write("srv/www/robots.txt", "User-agent: *\n");
        self.write("tmp/.X0-lock", "");
    }

    fn owners(&self) {
        if !is_root() {
            return;
        }
        tool("chown", &["-hR", "0:0", self.0.to_str().unwrap()]);
        tool("chown", &["-hR", "4200:4200", self.at("home/anna").to_str().unwrap()]);
        for (path, uid, gid) in [
            ("etc/shadow", 0, 42),
            ("etc/gshadow", 0, 42),
            ("var/spool/cron/crontabs", 0, 101),
            ("var/mail", 0, 8),
            ("var/lib/nginx", 33, 33),
            ("var/log/nginx/access.log", 33, 4),
            ("var/log/nginx/error.log", 33, 4),
            ("usr/bin/passwd", 0, 0),
            ("usr/bin/sudo", 0, 0),
            ("usr/bin/su", 0, 0),
        ] {
            // A change of the owner clears setuid, so the mode is set again.
            let mode = fs::metadata(self.at(path)).unwrap().mode() & 0o7777;
            chown(self.at(path), Some(uid), Some(gid)).unwrap();
            self.chmod(path, if path.starts_with("usr/bin") { 0o4755 } else { mode });
        }
    }

    /// Gives every entry one time.
    fn settle(&self) {
        let stamp = format!("@{BUILT}");
        tool("find", &[self.0.to_str().unwrap(), "-depth", "-exec", "touch", "-h", "-d", &stamp, "{}", "+"]);
    }
}

fn documents(package: &str) -> [String; 2] {
    ["copyright", "changelog.Debian.gz"].map(|file| format!("usr/share/doc/{package}/{file}"))
}

/// A package's paragraph in dpkg's status file.
fn paragraph(package: &str, version: &str, conffiles: &[&str], sums: &BTreeMap<String, String>) -> String {
    let architecture = if matches!(package, "adduser" | "ca-certificates") { "all" } else { "amd64" };
    let mut marked = if conffiles.is_empty() { String::new() } else { "Conffiles:\n".to_owned() };
    for file in conffiles {
        writeln!(marked, " /{file} {}", sums[*file]).unwrap();
    }
    format!(
        "Package: {package}\nStatus: install ok installed\nPriority: optional\nSection: admin\nInstalled-Size: 312\n\
         Maintainer: Debian Maintainers <maintainers@example.org>\nArchitecture: {architecture}\nMulti-Arch: foreign\n\
         Version: {version}\nDepends: libc6 (>= 2.34)\n{marked}Description: {package} of the lab\n A longer text, \
         which goes on.\n .\n Over more paragraphs.\nHomepage: https://example.org/{package}\n\n"
    )
}
