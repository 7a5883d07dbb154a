//! The texts of the golden root: accounts, configuration, packages and programs of a small Debian web server.
//!
//! *Invariant:* constants only.

pub(super) const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
anna:x:4200:4200:Anna,,,:/home/anna:/bin/bash
";

pub(super) const GROUP: &str = "root:x:0:
daemon:x:1:
adm:x:4:anna
mail:x:8:
sudo:x:27:anna
www-data:x:33:
shadow:x:42:
crontab:x:101:
nogroup:x:65534:
anna:x:4200:
";

pub(super) const OS_RELEASE: &str = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"
NAME=\"Debian GNU/Linux\"
VERSION_ID=\"12\"
VERSION=\"12 (bookworm)\"
VERSION_CODENAME=bookworm
ID=debian
HOME_URL=\"https://www.debian.org/\"
";

pub(super) const NGINX: &str = "user www-data;
worker_processes auto;
events { worker_connections 768; }
http {
    include /etc/nginx/mime.types;
    include /etc/nginx/conf.d/*.conf;
    include /etc/nginx/sites-enabled/*;
}
";

pub(super) const PACKAGES: [(&str, &str); 32] = [
    ("adduser", "3.134"),
    ("apt", "2.6.1"),
    ("base-files", "12.4+deb12u12"),
    ("bash", "5.2.15-2+b7"),
    ("ca-certificates", "20230311+deb12u1"),
    ("coreutils", "9.1-1"),
    ("cron", "3.0pl1-162"),
    ("curl", "7.88.1-10+deb12u12"),
    ("dash", "0.5.12-2"),
    ("dpkg", "1.21.22"),
    ("e2fsprogs", "1.47.0-2"),
    ("findutils", "4.9.0-4"),
    ("grep", "3.8-5"),
    ("gzip", "1.12-1"),
    ("hostname", "3.23+nmu1"),
    ("iproute2", "6.1.0-3"),
    ("libc6", "2.36-9+deb12u10"),
    ("libssl3", "3.0.17-1~deb12u2"),
    ("login", "1:4.13+dfsg1-1+b1"),
    ("mawk", "1.3.4.20200120-3.1"),
    ("nginx", "1.22.1-9"),
    ("openssh-server", "1:9.2p1-2+deb12u7"),
    ("openssl", "3.0.17-1~deb12u2"),
    ("passwd", "1:4.13+dfsg1-1+b1"),
    ("perl-base", "5.36.0-7+deb12u2"),
    ("procps", "2:4.0.2-3"),
    ("rsyslog", "8.2302.0-1"),
    ("sed", "4.9-1"),
    ("sudo", "1.9.13p3-1+deb12u2"),
    ("systemd", "252.38-1~deb12u1"),
    ("tar", "1.34+dfsg-1.2+deb12u1"),
    ("zlib1g", "1:1.2.13.dfsg-1"),
];

pub(super) const PROGRAMS: [&str; 44] = [
    "usr/bin/apt",
    "usr/bin/bash",
    "usr/bin/cat",
    "usr/bin/chmod",
    "usr/bin/chown",
    "usr/bin/cp",
    "usr/bin/curl",
    "usr/bin/cut",
    "usr/bin/dash",
    "usr/bin/dd",
    "usr/bin/dpkg",
    "usr/bin/find",
    "usr/bin/grep",
    "usr/bin/gzip",
    "usr/bin/head",
    "usr/bin/hostname",
    "usr/bin/id",
    "usr/bin/ls",
    "usr/bin/mawk",
    "usr/bin/mkdir",
    "usr/bin/mv",
    "usr/bin/openssl",
    "usr/bin/passwd",
    "usr/bin/perl",
    "usr/bin/ping",
    "usr/bin/ps",
    "usr/bin/rm",
    "usr/bin/sed",
    "usr/bin/sort",
    "usr/bin/su",
    "usr/bin/sudo",
    "usr/bin/tail",
    "usr/bin/tar",
    "usr/bin/vim",
    "usr/lib/nginx/modules/ngx_stream.so",
    "usr/lib/x86_64-linux-gnu/libc.so.6",
    "usr/lib/x86_64-linux-gnu/libcrypto.so.3",
    "usr/lib/x86_64-linux-gnu/libssl.so.3",
    "usr/lib/x86_64-linux-gnu/libz.so.1.2.13",
    "usr/sbin/cron",
    "usr/sbin/nginx",
    "usr/sbin/rsyslogd",
    "usr/sbin/sshd",
    "usr/sbin/useradd",
];
