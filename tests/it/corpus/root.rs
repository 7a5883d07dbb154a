//! A real Debian root without a mirror: packages of the machine that runs the tests, with their files, their part of the
//! dpkg database, and a configuration as a first boot leaves it.
//!
//! *Invariant:* nothing outside the lab is written; packages come whole, with the digests that their vendor gave them.

use crate::lab::{Lab, Tree, tool};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a small server has; those that this machine lacks are left out.
const PACKAGES: [&str; 44] = [
    "adduser",
    "apt",
    "base-files",
    "base-passwd",
    "bash",
    "bsdutils",
    "ca-certificates",
    "coreutils",
    "dash",
    "debconf",
    "debianutils",
    "diffutils",
    "dpkg",
    "findutils",
    "grep",
    "gzip",
    "hostname",
    "init-system-helpers",
    "libacl1",
    "libattr1",
    "libbz2-1.0",
    "libc-bin",
    "libc6",
    "libcap2",
    "libcrypt1",
    "liblzma5",
    "libpam-modules",
    "libpam-runtime",
    "libpam0g",
    "libselinux1",
    "libssl3",
    "libtinfo6",
    "libzstd1",
    "login",
    "mount",
    "openssh-client",
    "openssh-server",
    "openssl",
    "passwd",
    "perl-base",
    "sed",
    "sudo",
    "tar",
    "zlib1g",
];

/// The package whose upgrade touches hundreds of files.
pub(super) const BULK: usize = 320;

/// Makes the golden root; of the whole machine that `DRIFTSCAN_BED` names, where it names one (see `tests/bench/bed`).
pub(super) fn golden(lab: &Lab) -> Tree {
    let place = lab.path("roots/golden");
    let tree = if let Some(bed) = std::env::var_os("DRIFTSCAN_BED") {
        tool("cp", &["-a", &format!("{}/root", bed.display()), place.to_str().unwrap()]);
        Tree::empty(place)
    } else {
        let tree = Tree::empty(place);
        let packages = installed();
        assert!(packages.len() > 30, "this machine has hardly any of the packages: {packages:?}");
        copy(&tree, &packages);
        database(&tree, &packages);
        tree
    };
    configuration(&tree);
    install(&tree, &deb(lab, "bulk", "1.0-1", BULK, "first"));
    install(&tree, &deb(lab, "older", "2.0-1", 3, "second"));
    install(&tree, &deb(lab, "kept", "1.0-1", 2, "only"));
    install(&tree, &deb(lab, "leaving", "1.0-1", 4, "only"));
    tree
}

/// What dpkg calls these packages here, `libc6:amd64`.
fn installed() -> Vec<String> {
    let format = "${binary:Package}\\t${db:Status-Abbrev}\\n";
    let output = Command::new("dpkg-query").args(["-W", "-f", format]).args(PACKAGES).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| Some(line.strip_suffix("\tii ")?.to_owned())).collect()
}

fn copy(tree: &Tree, packages: &[String]) {
    let mut list: Vec<String> = Vec::new();
    for package in packages {
        let files = String::from_utf8(tool("dpkg-query", &["-L", package]).stdout).unwrap();
        list.extend(files.lines().filter(|line| line.starts_with('/') && *line != "/.").map(ToOwned::to_owned));
    }
    let bulky = [
        "/usr/share/doc/",
        "/usr/share/man/",
        "/usr/share/locale/",
        "/usr/share/i18n/",
        "/usr/lib/x86_64-linux-gnu/gconv/",
    ];
    list.retain(|path| {
        !bulky.iter().any(|prefix| path.starts_with(prefix)) && Path::new(path).symlink_metadata().is_ok()
    });
    // The packages still say /bin and /lib; the links of a merged /usr come first.
    for link in ["bin", "lib", "lib64", "sbin"] {
        fs::create_dir_all(tree.at(format!("/usr/{link}"))).unwrap();
        std::os::unix::fs::symlink(format!("usr/{link}"), tree.at(format!("/{link}"))).unwrap();
    }
    let merged = |path: &String| {
        let head = path.split('/').nth(1).unwrap_or_default();
        let moved = matches!(head, "bin" | "lib" | "lib64" | "sbin");
        if moved { format!("usr{path}") } else { path.trim_start_matches('/').to_owned() }
    };
    let mut names: Vec<String> = list.iter().map(merged).collect();
    names.sort();
    names.dedup();
    let names_file = tree.path().with_extension("names");
    fs::write(&names_file, names.join("\n")).unwrap();
    let pipe = format!(
        "tar -C / --no-recursion --xattrs -cf - -T '{}' | tar -C '{}' --xattrs --keep-directory-symlink -xpf -",
        names_file.display(),
        tree.path().display()
    );
    tool("sh", &["-c", &pipe]);
}

/// The part of the database that is about these packages.
fn database(tree: &Tree, packages: &[String]) {
    let mut status = String::new();
    for package in packages {
        let paragraph = String::from_utf8(tool("dpkg-query", &["-s", package]).stdout).unwrap();
        writeln!(status, "{}\n", paragraph.trim_end()).unwrap();
        for entry in fs::read_dir("/var/lib/dpkg/info").unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let stem = name.rsplit_once('.').map_or("", |(stem, _)| stem);
            if stem == package || stem == package.split(':').next().unwrap_or_default() {
                tree.write(format!("/var/lib/dpkg/info/{name}"), fs::read(entry.path()).unwrap());
            }
        }
    }
    tree.write("/var/lib/dpkg/status", status);
    tree.write("/var/lib/dpkg/info/format", "1\n");
    for (file, text) in [("available", ""), ("diversions", ""), ("statoverride", ""), ("lock", ""), ("arch", "amd64\n")]
    {
        tree.write(format!("/var/lib/dpkg/{file}"), text);
    }
    for folder in ["updates", "triggers", "parts", "alternatives"] {
        fs::create_dir_all(tree.at(format!("/var/lib/dpkg/{folder}"))).unwrap();
    }
}

/// What a first boot and an administrator's image build leave.
fn configuration(tree: &Tree) {
    let certificates = fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
    let some: String = certificates.split_inclusive("-----END CERTIFICATE-----\n").take(12).collect();
    for (path, text) in [
        (
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\ngames:x:5:60:games:/usr/games:/usr/sbin/nologin\nbackup:x:34:34:backup:/var/backups:/usr/sbin/nologin\nlist:x:38:38:Mailing List Manager:/var/list:/usr/sbin/nologin\nirc:x:39:39:ircd:/run/ircd:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\npostgres:x:101:101:PostgreSQL:/var/lib/postgresql:/bin/bash\nanna:x:1000:1000:Anna,,,:/home/anna:/bin/bash\n",
        ),
        (
            "/etc/group",
            "root:x:0:\ndaemon:x:1:\nadm:x:4:anna\nsudo:x:27:\nbackup:x:34:\nshadow:x:42:\nnogroup:x:65534:\npostgres:x:101:\nanna:x:1000:\n",
        ),
        (
            "/etc/shadow",
            "root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\nbin:*:19000:0:99999:7:::\ngames:*:19000:0:99999:7:::\nanna:!:19000:0:99999:7:::\n",
        ),
        ("/etc/gshadow", "root:*::\nsudo:*::\n"),
        ("/etc/subuid", "anna:100000:65536\n"),
        ("/etc/subgid", "anna:100000:65536\n"),
        ("/etc/hostname", "golden\n"),
        (
            "/etc/hosts",
            "127.0.0.1\tlocalhost\n127.0.1.1\tgolden.example.net golden\n::1\tlocalhost ip6-localhost\n10.0.0.5\trepo.example.net\n",
        ),
        ("/etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
        (
            "/etc/fstab",
            "# made by the installer\nUUID=0f3a6a8e-52e6-4f0b-9d0d-6f6f2d7f1a01 / ext4 errors=remount-ro 0 1\nUUID=0f3a6a8e-52e6-4f0b-9d0d-6f6f2d7f1a02 /srv ext4 nosuid,nodev,noexec 0 2\n",
        ),
        ("/etc/resolv.conf", "# written by dhcp\nsearch example.net\nnameserver 10.0.0.2\n"),
        ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
        ("/etc/sysctl.conf", "# kernel settings\nnet.ipv4.ip_forward = 0\nkernel.randomize_va_space=2\n"),
        ("/etc/crontab", "SHELL=/bin/sh\n17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly\n"),
        ("/etc/cron.d/e2scrub", "30 3 * * 0 root /sbin/e2scrub_all -A\n"),
        (
            "/etc/systemd/system/app.service",
            "[Unit]\nDescription=App\n\n[Service]\nExecStart=/usr/bin/sleep 1d\nUser=nobody\n\n[Install]\nWantedBy=multi-user.target\n",
        ),
        ("/etc/modules", "# none\n"),
        ("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n"),
        ("/etc/environment", ""),
        ("/etc/profile", "export PATH=/usr/local/bin:/usr/bin:/bin\n"),
        ("/etc/default/locale", "LANG=C.UTF-8\n"),
        ("/etc/apt/sources.list", "deb http://deb.debian.org/debian bookworm main\n"),
        ("/etc/apt/trusted.gpg.d/debian.gpg", "a key\n"),
        ("/etc/security/limits.conf", "* soft core 0\n"),
        ("/etc/nginx/nginx.conf", "user www-data;\nworker_processes auto;\nevents { worker_connections 768; }\n"),
        ("/root/.bashrc", "umask 022\n"),
        ("/home/anna/.bashrc", "umask 022\n"),
        ("/home/anna/notes.txt", "people's own\n"),
        ("/var/lib/systemd/random-seed", "golden seed"),
        ("/var/log/syslog", "Nov  1 00:00:00 golden kernel: booted\n"),
        ("/var/log/dpkg.log", ""),
        ("/var/lib/apt/lists/lock", ""),
        ("/var/cache/apt/pkgcache.bin", "cache"),
        ("/var/cache/ldconfig/aux-cache", "cache"),
        ("/var/lib/logrotate/status", "logrotate state -- version 2\n"),
        ("/etc/ld.so.cache", "libraries"),
        ("/etc/passwd-", "a copy\n"),
        ("/etc/adjtime", "0.1 1700000000 0.0\n1700000000\nUTC\n"),
        ("/var/lib/postgresql/PG_VERSION", "15\n"),
        ("/usr/share/doc/app/README", "how to use it\n"),
    ] {
        tree.write(path, text);
    }
    tree.write("/etc/ssl/certs/ca-certificates.crt", some);
    for (path, mode) in [("/etc/shadow", 0o640), ("/etc/gshadow", 0o640), ("/var/lib/systemd/random-seed", 0o600)] {
        tree.chmod(path, mode);
    }
    for folder in [
        "tmp",
        "var/tmp",
        "dev/shm",
        "run",
        "proc",
        "sys",
        "opt",
        "srv",
        "usr/local/bin",
        "usr/local/lib",
        "etc/cron.daily",
        "etc/cron.hourly",
        "etc/sudoers.d",
        "etc/modprobe.d",
        "etc/sysctl.d",
        "etc/profile.d",
        "etc/init.d",
        "var/spool/cron/crontabs",
        "var/spool/cron/atjobs",
        "etc/systemd/system/multi-user.target.wants",
        "etc/alternatives",
        "etc/ssh/sshd_config.d",
        "etc/udev/rules.d",
        "etc/logrotate.d",
        "etc/update-motd.d",
        "var/lib/dhcp",
        "var/cache/man",
        "var/crash",
        "var/spool/anacron",
        "root/.ssh",
        "home/anna/.ssh",
    ] {
        fs::create_dir_all(tree.at(folder)).unwrap();
    }
    for folder in ["/tmp", "/var/tmp", "/dev/shm"] {
        tree.chmod(folder, 0o1777);
    }
    tree.write("/etc/ssh/sshd_config", "# as shipped\nInclude /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\nPasswordAuthentication no\nUsePAM yes\nSubsystem sftp /usr/lib/openssh/sftp-server\n");
    tree.link("/etc/systemd/system/multi-user.target.wants/app.service", "/etc/systemd/system/app.service");
    tree.link("/etc/localtime", "/usr/share/zoneinfo/Etc/UTC");
    tree.link("/etc/alternatives/editor", "/usr/bin/vim.basic");
    host_keys(tree, "golden");
    for path in ["home/anna", "home/anna/.ssh", "home/anna/.bashrc", "home/anna/notes.txt"] {
        tree.chown(path, 1000, 1000);
    }
    tree.chown("/var/lib/postgresql", 101, 101);
}

fn host_keys(tree: &Tree, name: &str) {
    for kind in ["ed25519", "ecdsa"] {
        let file = tree.at(format!("/etc/ssh/ssh_host_{kind}_key"));
        let _ = (fs::remove_file(&file), fs::remove_file(file.with_extension("pub")));
        tool("ssh-keygen", &["-q", "-t", kind, "-N", "", "-C", &format!("root@{name}"), "-f", file.to_str().unwrap()]);
    }
}

/// A package of so many files; `word` is what each of them says.
pub(super) fn deb(lab: &Lab, name: &str, version: &str, files: usize, word: &str) -> PathBuf {
    let folder = lab.path(format!("tmp/{name}_{version}"));
    let _ = fs::remove_dir_all(&folder);
    let tree = Tree::empty(folder.clone());
    for number in 0..files {
        tree.write(format!("/usr/lib/{name}/part-{number}.so"), format!("{name} {number} {word}\n"));
    }
    tree.write(format!("/usr/bin/{name}"), format!("#!/bin/sh\necho {word}\n"));
    tree.chmod(format!("/usr/bin/{name}"), 0o755);
    tree.write(format!("/etc/{name}.conf"), format!("word = {name}\nlevel = 1\n"));
    tree.write("/DEBIAN/conffiles", format!("/etc/{name}.conf\n"));
    let control = format!(
        "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Nobody <nobody@example.net>\nDescription: parts\n"
    );
    tree.write("/DEBIAN/control", control);
    let sums = format!("cd '{}' && find usr -type f -exec md5sum {{}} + > DEBIAN/md5sums", folder.display());
    tool("sh", &["-c", &sums]);
    let file = folder.with_extension("deb");
    tool("dpkg-deb", &["--root-owner-group", "-Znone", "-b", folder.to_str().unwrap(), file.to_str().unwrap()]);
    fs::remove_dir_all(folder).unwrap();
    file
}

/// Lets dpkg itself install it.
pub(super) fn install(tree: &Tree, deb: &Path) {
    dpkg(tree, &["--force-downgrade", "-i", deb.to_str().unwrap()]);
}

/// Runs dpkg on a root.
pub(super) fn dpkg(tree: &Tree, words: &[&str]) {
    let root = format!("--root={}", tree.path().display());
    let mut all = vec![root.as_str(), "--force-bad-path", "--force-not-root", "--no-triggers"];
    all.extend(words);
    tool("dpkg", &all);
    // The triggers would run in a chroot; what they would make is not what is looked at here.
    let status = fs::read_to_string(tree.at("/var/lib/dpkg/status")).unwrap();
    let settled = status.lines().filter(|line| !line.starts_with("Triggers-")).map(|line| {
        let pending = line.starts_with("Status: ").then(|| line.replace("triggers-pending", "installed"));
        pending.unwrap_or_else(|| line.to_owned()) + "\n"
    });
    tree.write("/var/lib/dpkg/status", settled.collect::<String>());
}

/// What the life of an undrifted host changes: who it is, its logs, caches rebuilt, lists refreshed, other times.
pub(super) fn live(tree: &Tree, name: &str, number: u8) {
    tree.write("/etc/hostname", format!("{name}\n"));
    tree.replace("/etc/hosts", "golden.example.net golden", &format!("{name}.example.net {name}"));
    tree.write("/etc/machine-id", format!("{:032x}\n", 0xfeed_beef_0000_u64 + u64::from(number)));
    tree.replace(
        "/etc/fstab",
        "0f3a6a8e-52e6-4f0b-9d0d-6f6f2d7f1a",
        &format!("1f3a6a8e-52e6-4f0b-9d0d-{number:02x}6f2d7f1a"),
    );
    // Another order of what has none, other comments and spacing.
    tree.replace("/etc/resolv.conf", "written by dhcp", "written by dhcp at another time");
    host_keys(tree, name);
    tree.write("/var/lib/systemd/random-seed", format!("seed of {name}"));
    tree.append("/var/log/syslog", &format!("Nov 20 00:00:00 {name} kernel: a line\n"));
    tree.write("/var/log/auth.log", "Nov 20 00:00:00 sshd: a line\n");
    tree.write("/var/log/apt/term.log", "a line\n");
    tree.write("/var/cache/apt/pkgcache.bin", format!("cache of {name}"));
    tree.write("/var/cache/ldconfig/aux-cache", format!("inodes of {name}"));
    tree.write("/var/cache/man/index.db", format!("index of {name}"));
    tree.write("/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease", "refreshed\n");
    tree.write("/var/lib/apt/periodic/update-stamp", "");
    tree.write("/var/lib/logrotate/status", format!("logrotate state -- version 2\n\"/var/log/{name}\" 2026-11-20\n"));
    tree.write("/var/lib/dhcp/dhclient.leases", format!("lease of {name}\n"));
    tree.write("/etc/ld.so.cache", format!("libraries, by {name}"));
    tree.write("/home/anna/.bash_history", "ls\n");
    tree.write("/home/anna/work/draft.txt", "people's own\n");
    tree.write("/tmp/notes", "a temporary file\n");
    tree.write("/var/tmp/download.part", "half of it\n");
    tree.write("/root/.bash_history", "apt update\n");
    tree.write("/etc/passwd-", "an older copy\n");
    tree.write("/var/backups/dpkg.status.0", "rotated\n");
    tree.write("/var/spool/anacron/cron.daily", "20261120\n");
    tree.write("/var/lib/systemd/timers/stamp-apt-daily.timer", "");
    tree.write("/var/crash/app.1000.crash", "a report\n");
    tree.write("/etc/.pwd.lock", "");
    tree.write("/etc/adjtime", "0.0 0 0.0\n0\nUTC\n");
    tool(
        "touch",
        &["-d", "2026-11-20", tree.at("/usr/bin/ls").to_str().unwrap(), tree.at("/etc/nginx").to_str().unwrap()],
    );
}
