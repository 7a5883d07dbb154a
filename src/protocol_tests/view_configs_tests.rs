//! Views of the system's configuration: what counts and what does not, on files as distributions have them.
//!
//! *Invariant:* every sameness that is tested here has its difference tested beside it.

use crate::protocol::view::{self, Form, HostFacts, View};
use proptest::collection::vec;
use proptest::prelude::*;

const OURS: [View; 11] = [
    View::Ini,
    View::Sysctl,
    View::Resolv,
    View::Sources,
    View::Certificates,
    View::Lines,
    View::LineSet,
    View::Alternatives,
    View::Stanzas,
    View::Modules,
    View::Assignments,
];

fn text(view: View, file: &str) -> String {
    let text = view::text(view, file.as_bytes(), &HostFacts::default());
    String::from_utf8(text.unwrap_or_else(|refused| panic!("{refused:?}: {file}"))).unwrap()
}

fn same(view: View, a: &str, b: &str) {
    assert_eq!(text(view, a), text(view, b), "these mean the same:\n{a}\n---\n{b}");
}

fn other(view: View, a: &str, b: &str) {
    assert_ne!(text(view, a), text(view, b), "these mean different things:\n{a}\n---\n{b}");
}

fn refused(view: View, file: &str) {
    let value = view::value(view, file.as_bytes(), &HostFacts::default()).unwrap();
    assert_eq!(value.form, Form::Bytes, "this is not to be read as {}:\n{file:.200}", view.word());
}

const UNIT: &str = "\
# SPDX-License-Identifier: LGPL-2.1-or-later
[Unit]
Description=A high performance web server
After=network-online.target remote-fs.target

[Service]
Type=forking
ExecStartPre=/usr/sbin/nginx -t -q -g 'daemon on; master_process on;'
ExecStart=/usr/sbin/nginx -g 'daemon on; master_process on;'
ExecStop=-/sbin/start-stop-daemon --quiet --stop \\
  --retry QUIT/5 --pidfile /run/nginx.pid

[Install]
WantedBy=multi-user.target
";

#[test]
fn a_unit_is_told_by_section_and_key() {
    insta::assert_snapshot!(text(View::Ini, UNIT), @r"
    [Install] WantedBy	multi-user.target
    [Service] ExecStart	/usr/sbin/nginx -g 'daemon on; master_process on;'
    [Service] ExecStartPre	/usr/sbin/nginx -t -q -g 'daemon on; master_process on;'
    [Service] ExecStop	-/sbin/start-stop-daemon --quiet --stop  --retry QUIT/5 --pidfile /run/nginx.pid
    [Service] Type	forking
    [Unit] After	network-online.target remote-fs.target
    [Unit] Description	A high performance web server
    ");
    let shuffled =
        "[Install]\nWantedBy = multi-user.target\n; by hand\n[Service]\nType=forking\nExecStart=/a\n[Unit]\nAfter=b\n";
    same(
        View::Ini,
        shuffled,
        "[Unit]\n  After=b\n\n[Service]\nExecStart=/a\nType=forking\n[Install]\nWantedBy=multi-user.target",
    );
}

#[test]
fn units_keep_what_order_means() {
    // Several commands run one after the other.
    other(View::Ini, "[Service]\nExecStart=/a\nExecStart=/b\n", "[Service]\nExecStart=/b\nExecStart=/a\n");
    // An empty one drops those before it, and in a drop-in also those of the unit.
    same(View::Ini, "[Service]\nExecStart=/a\nExecStart=\nExecStart=/b\n", "[Service]\nExecStart=\nExecStart=/b\n");
    other(View::Ini, "[Service]\nExecStart=\nExecStart=/b\n", "[Service]\nExecStart=/b\n");
    // Dependencies can't be reset.
    other(View::Ini, "[Unit]\nAfter=a\nAfter=\nAfter=b\n", "[Unit]\nAfter=\nAfter=b\n");
    // One empty OnCalendar drops every other trigger too, so that places count.
    other(View::Ini, "[Timer]\nOnBootSec=1\nOnCalendar=\n", "[Timer]\nOnCalendar=\nOnBootSec=1\n");
    other(View::Ini, "[Socket]\nListenStream=1\nListenDatagram=2\n", "[Socket]\nListenDatagram=2\nListenStream=1\n");
    // Two routes are not one with two gateways.
    other(View::Ini, "[Route]\nGateway=a\n[Route]\nMetric=1\n", "[Route]\nGateway=a\nMetric=1\n");
    other(View::Ini, "[Service]\nexecstart=/a\n", "[Service]\nExecStart=/a\n");
    other(View::Ini, "[Service]\nExecStart=/a \\\n/b\n", "[Service]\nExecStart=/a \\\\\n/b\n");
    // A comment within a joined line is skipped, and what looks like one after it is not part of it.
    same(View::Ini, "[Service]\nExecStart=/a \\\n# no\n/b\n", "[Service]\nExecStart=/a \\\n/b\n");
    refused(View::Ini, "[Service\nExecStart=/a\n");
    refused(View::Ini, "[Service]\nA=\0\n");
}

#[test]
fn lists_of_other_programs_keep_order_and_indentation() {
    let repo = "[base]\nname=Rocky Linux $releasever\nbaseurl=http://a/\n  http://b/\ngpgcheck=1\n";
    insta::assert_snapshot!(text(View::Ini, repo), @r"
    [base] name	Rocky Linux $releasever
    [base] baseurl	http://a/\x0ahttp://b/
    [base] gpgcheck	1
    ");
    same(View::Ini, repo, &repo.replace("gpgcheck=1", "# checked\ngpgcheck = 1"));
    // Indented, it belongs to the line before and checks nothing.
    other(View::Ini, repo, &repo.replace("gpgcheck=1", " gpgcheck=1"));
    // The first repository of pacman wins.
    other(View::Ini, "[core]\nServer=a\n[extra]\nServer=b\n", "[extra]\nServer=b\n[core]\nServer=a\n");
    other(View::Ini, "[options]\nColor\n", "[options]\nColor=\n");
    other(View::Ini, "[a]\nx=1\n[b]\n", "[a]\nx=1\n");
    other(View::Ini, "x=1\n", "[a]\nx=1\n");
}

#[test]
fn the_last_sysctl_of_a_name_counts() {
    insta::assert_snapshot!(text(View::Sysctl, "\
# hardening
kernel.randomize_va_space=2
 net/ipv4/tcp_rmem =	4096  87380   6291456
-kernel.kptr_restrict = 1
net/ipv4/conf/eth0.100/rp_filter = 1
kernel.kptr_restrict = 2
"), @r"
    kernel.kptr_restrict	2
    kernel.randomize_va_space	2
    net.ipv4.conf.eth0/100.rp_filter	1
    net.ipv4.tcp_rmem	4096 87380 6291456
    ");
    same(View::Sysctl, "a.b=1\nc.d=2\n", "; x\nc/d = 2\na.b = 3\na.b = 1\n");
    same(View::Sysctl, "net.ipv4.conf.eth0/100.rp_filter=1", "net/ipv4/conf/eth0.100/rp_filter=1");
    other(View::Sysctl, "a.b=1\na.b=2\n", "a.b=2\na.b=1\n");
    // One of the two sets the other to zero: the later one counts.
    other(View::Sysctl, "vm.dirty_bytes=1\nvm.dirty_ratio=2\n", "vm.dirty_ratio=2\nvm.dirty_bytes=1\n");
    other(View::Sysctl, "net.ipv4.conf.*.rp_filter=2\n-net.ipv4.conf.all.rp_filter\n", "net.ipv4.conf.*.rp_filter=2\n");
    refused(View::Sysctl, "kernel.randomize_va_space 0\n");
}

#[test]
fn resolvers_are_asked_in_their_order() {
    let file = "# by hand\ndomain example.net\nsearch  example.net	corp.example.net\nnameserver 10.0.0.2 # first\nnameserver 10.0.0.3\noptions timeout:1 rotate\noptions timeout:2\n";
    insta::assert_snapshot!(text(View::Resolv, file), @r"
    domain	example.net
    search	example.net corp.example.net
    nameserver	10.0.0.2
    nameserver	10.0.0.3
    options rotate	
    options timeout	2
    ");
    same(
        View::Resolv,
        "options rotate ndots:2\nnameserver 1.1.1.1\n",
        "nameserver   1.1.1.1\n\noptions ndots:2\noptions rotate\n",
    );
    other(View::Resolv, "nameserver 10.0.0.2\nnameserver 10.0.0.3\n", "nameserver 10.0.0.3\nnameserver 10.0.0.2\n");
    // The C library does not see an indented keyword.
    other(View::Resolv, "nameserver 10.0.0.2\n", " nameserver 10.0.0.2\n");
}

#[test]
fn sources_of_apt_are_told_alike_in_both_forms() {
    let line = "deb [ signed-by=/usr/share/keyrings/d.gpg arch=amd64 ] http://deb.debian.org/debian/ bookworm main  contrib # mirror\ndeb-src http://deb.debian.org/debian bookworm main\n";
    insta::assert_snapshot!(text(View::Sources, line), @r"
    deb http://deb.debian.org/debian bookworm	[arch=amd64 signed-by=/usr/share/keyrings/d.gpg] contrib main
    deb-src http://deb.debian.org/debian bookworm	main
    ");
    same(
        View::Sources,
        line,
        "#deb http://evil/ x main\ndeb [arch=amd64 signed-by=/usr/share/keyrings/d.gpg] http://deb.debian.org/debian bookworm contrib main\n\ndeb-src\thttp://deb.debian.org/debian/ bookworm main\n",
    );
    other(View::Sources, line, &line.replace("signed-by=/usr/share/keyrings/d.gpg", "trusted=yes"));
    insta::assert_snapshot!(text(View::Sources, "\
# Modernised
Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
# a comment within
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://security.debian.org/
Suites: bookworm-security
Components: main
Enabled: no
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBGPL0BUBEADmW5NdOOHwPIJlgPu6JDcKw/NZJPR8lsD3K87ZM18gzyQZJD+w
 -----END PGP PUBLIC KEY BLOCK-----
"), @r"
    deb http://deb.debian.org/debian bookworm	[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] main
    deb http://deb.debian.org/debian bookworm-updates	[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] main
    deb http://security.debian.org bookworm-security	[enabled=no signed-by=sha256:5f3e431caf843a06a57712bc5f9195d3cf9bef53093b202ba2da71d487cbf8f6] main
    ");
    insta::assert_snapshot!(text(View::Sources, "deb cdrom:[Debian GNU/Linux 12 _Bookworm_]/ bookworm main\n"), @"deb cdrom:[Debian GNU/Linux 12 _Bookworm_] bookworm	main");
    refused(View::Sources, "deb http://deb.debian.org/debian\n");
    refused(View::Sources, "deb [arch=amd64 http://deb.debian.org/debian bookworm main\n");
    refused(View::Sources, "Types: deb\nTypes: deb-src\nURIs: http://a\nSuites: b\n");
    refused(View::Sources, &format!("Types: deb\nURIs: {}\nSuites: {}\n", "http://a ".repeat(100), "x ".repeat(100)));
}

#[test]
fn sources_of_other_systems() {
    insta::assert_snapshot!(text(View::Sources, "#/media/cdrom/apks\nhttps://dl-cdn.alpinelinux.org/alpine/v3.20/main\n@edge https://dl-cdn.alpinelinux.org/alpine/edge/main\n"), @r"
    https://dl-cdn.alpinelinux.org/alpine/v3.20/main	
    https://dl-cdn.alpinelinux.org/alpine/edge/main	@edge
    ");
    assert_eq!(text(View::Sources, "[base]\nbaseurl=http://a\n"), "[base] baseurl\thttp://a\n");
    assert_eq!(text(View::Sources, "## Arch\nServer = https://a/$repo\n"), "Server\thttps://a/$repo\n");
    assert_eq!(text(View::Sources, "# nothing\n"), "");
    refused(View::Sources, "not a repository at all\n");
}

/// Two certificates made with openssl, P-256.
const ONE: &str = include_str!("view_configs_tests/one.pem");
const TWO: &str = include_str!("view_configs_tests/two.pem");
/// What `openssl x509 -fingerprint -sha256` says of the first.
const FINGERPRINT: &str = include_str!("view_configs_tests/one.sha256");

#[test]
fn a_bundle_is_a_set_of_certificates() {
    let bundle = format!("# One\n{ONE}\n{TWO}");
    let first = format!("certificate SHA256:{}\tDrift Test Root One\n", FINGERPRINT.trim());
    assert_eq!(text(View::Certificates, ONE), first);
    assert!(text(View::Certificates, &bundle).contains(&first));
    same(View::Certificates, &bundle, &format!("{TWO}# Two\n{ONE}{TWO}"));
    same(View::Certificates, ONE, &ONE.replace('\n', "\r\n"));
    other(View::Certificates, ONE, TWO);
    other(View::Certificates, ONE, &bundle);
}

#[test]
fn what_is_no_certificate_is_never_told_as_one() {
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
    refused(View::Certificates, key);
    refused(View::Certificates, &format!("{ONE}{key}"));
    refused(View::Certificates, &format!("{key}{ONE}"));
    refused(View::Certificates, "");
    refused(View::Certificates, &ONE.replace("-----END", "----- END"));
    refused(View::Certificates, &format!(" {ONE}"));
    refused(View::Certificates, &ONE.replacen("MII", "M-I", 1));
    refused(View::Certificates, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
}

#[test]
fn lines_without_comments_and_spacing() {
    let limits = "# domain type item value\n*\thard    core\t0\n\n@dev -  nofile 4096\n";
    insta::assert_snapshot!(text(View::Lines, limits), @r"
    line	* hard core 0
    line	@dev - nofile 4096
    ");
    same(View::Lines, limits, "*  hard core 0\n   # why\n@dev - nofile 4096");
    other(View::Lines, "a\nb\n", "b\na\n");
    same(View::LineSet, "a\nb\n", "b\na\n");
    other(View::LineSet, "a\nb\n", "b\nb\na\n");
    other(View::Lines, "x 'a  b'\n", "x 'a b'\n");
    other(View::Lines, "#include /etc/x\n", "\n");
    // After a backslash, a line that looks like a comment is part of the one before.
    other(View::Lines, "a \\\n# b\n", "a \\\n");
    other(View::Lines, "a\\\nb\n", "a\nb\n");
}

const EDITOR: &str = "\
auto
/usr/bin/editor
editor.1.gz
/usr/share/man/man1/editor.1.gz

/bin/nano
40
/usr/share/man/man1/nano.1.gz
/usr/bin/vim.basic
30


";

#[test]
fn alternatives_are_a_set_of_choices() {
    insta::assert_snapshot!(text(View::Alternatives, EDITOR), @r"
    choice /bin/nano	40
    choice /bin/nano editor.1.gz	/usr/share/man/man1/nano.1.gz
    choice /usr/bin/vim.basic	30
    follower editor.1.gz	/usr/share/man/man1/editor.1.gz
    link	/usr/bin/editor
    mode	auto
    ");
    let turned = "auto\n/usr/bin/editor\neditor.1.gz\n/usr/share/man/man1/editor.1.gz\n\n/usr/bin/vim.basic\n30\n\n/bin/nano\n40\n/usr/share/man/man1/nano.1.gz\n\n";
    same(View::Alternatives, EDITOR, turned);
    other(View::Alternatives, EDITOR, &EDITOR.replace("auto", "manual"));
    refused(View::Alternatives, "sometimes\n/usr/bin/editor\n\n");
    refused(View::Alternatives, "auto\n/usr/bin/editor\neditor.1.gz\n");
    refused(View::Alternatives, &format!("{EDITOR}more\n"));
}

#[test]
fn stanzas_are_a_set() {
    let file = "Package: libc6\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: zlib1g\nArchitecture: amd64\nAuto-Installed: 1\n";
    insta::assert_snapshot!(text(View::Stanzas, file), @r"
    libc6:amd64 Auto-Installed	1
    zlib1g:amd64 Auto-Installed	1
    ");
    same(
        View::Stanzas,
        file,
        "\nPackage: zlib1g\nAuto-Installed: 1\nArchitecture: amd64\n\n\nPackage: libc6\nArchitecture: amd64\nAuto-Installed:  1\n\n",
    );
    other(View::Stanzas, file, &file.replacen("Auto-Installed: 1\n", "", 1));
    refused(View::Stanzas, "no field here\n");
    refused(View::Stanzas, " starts in the middle\n");
}

#[test]
fn of_adjtime_the_clock_alone_counts() {
    same(View::Adjtime, "0.0 0 0.0\n0\nUTC\n", "-0.000012 1714000000 0.000000\n1714000000\nUTC\n");
    same(View::Adjtime, "0.0 0 0.0\n0\n", "0.0 0 0.0\n0\nUTC\n");
    other(View::Adjtime, "0.0 0 0.0\n0\nUTC\n", "0.0 0 0.0\n0\nLOCAL\n");
    refused(View::Adjtime, "0.0 0 0.0\n0\nMARS\n");
    refused(View::Adjtime, "0.0 0 0.0\n0\nUTC\nmore\n");
    refused(View::Adjtime, "hello\n");
}

#[test]
fn modules_by_what_is_said_of_each() {
    insta::assert_snapshot!(text(View::Modules, "\
# CIS
install cramfs /bin/false
blacklist usb-storage
options nf-conntrack hashsize=4096 \\
   acct=1
alias net-pf-10 off
"), @r"
    alias net-pf-10	off
    blacklist usb_storage	
    install cramfs	/bin/false
    options nf_conntrack	hashsize=4096 acct=1
    ");
    same(View::Modules, "blacklist a\nblacklist b-c\n", "blacklist b_c\n# x\n\nblacklist   a\n");
    other(View::Modules, "options a x=1\noptions a x=2\n", "options a x=2\noptions a x=1\n");
    // Modules are loaded in their order.
    other(View::Modules, "loop\nnbd\n", "nbd\nloop\n");
    other(View::Modules, "loop\n", "blacklist loop\n");
    same(View::Modules, "loop max_loop=64\n; no\n", "loop  max_loop=64\n");
}

#[test]
fn assignments_as_shells_read_them() {
    insta::assert_snapshot!(text(View::Assignments, "\
# locale
LANG=\"en_US.UTF-8\"
LC_TIME='C'
export EDITOR=vim
GRUB_CMDLINE_LINUX_DEFAULT='quiet splash'
"), @r#"
    GRUB_CMDLINE_LINUX_DEFAULT	"quiet splash"
    LANG	en_US.UTF-8
    LC_TIME	C
    export EDITOR	vim
    "#);
    same(View::Assignments, "A=1\nB='x y'\n", "# b\nB=\"x y\"\n\nA=\"1\"\n");
    // A shell would start a program, read a variable, or see nothing assigned.
    other(View::Assignments, "A=\"b c\"\n", "A=b c\n");
    other(View::Assignments, "A='$B'\n", "A=\"$B\"\n");
    other(View::Assignments, "A=b\n", "A =b\n");
    other(View::Assignments, "A=b\n", "A b\n");
    other(View::Assignments, "B=1\nA=$B\n", "A=$B\nB=1\n");
    other(View::Assignments, "A=1\nA=2\n", "A=2\nA=1\n");
    other(View::Assignments, "A=1\n", "export A=1\n");
    // Other programs don't mind blanks.
    same(View::Assignments, "minlen = 14\ndcredit=-1\n", "dcredit = -1\nminlen=14\n");
    refused(View::Assignments, "A=\"one\ntwo\"\n");
    refused(View::Assignments, "A=one\\\ntwo\n");
}

#[test]
fn lists_of_words_by_their_first_one() {
    insta::assert_snapshot!(text(View::Assignments, "passwd:         files systemd\nhosts:\tfiles dns\n# x\n"), @r"
    passwd: 	files systemd
    hosts: 	files dns
    ");
    same(View::Assignments, "UMASK\t\t022\n", "# octal\nUMASK 022");
    other(View::Assignments, "UMASK 022\n", "UMASK 000\n");
}

#[test]
fn many_sections_or_resets_take_no_time() {
    let many = "[A]\n".repeat(100_000);
    refused(View::Ini, &many);
    let resets = format!("[Service]\n{}", "ExecStart=/a\nExecStart=\n".repeat(100_000));
    assert_eq!(text(View::Ini, &resets), "[Service] ExecStart\t\n");
    let joined = format!("[Service]\nExecStart={}\n", "\\\n".repeat(500_000));
    let _ = view::text(View::Ini, joined.as_bytes(), &HostFacts::default());
}

/// Bytes that look like configuration now and then.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"\n".to_vec()),
        2 => proptest::sample::select(vec![
            &b"[Service]"[..], b"[a]", b"[", b"]", b"=", b":", b"\\", b"#", b";", b" ", b"\t", b"\"", b"'", b"deb ", b"Types: deb",
            b"URIs: a", b"Suites: b", b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n", b"MIIB", b"auto\n/a\n",
            b"nameserver ", b"options ", b"install ", b"ExecStart=", b"kernel.x=", b"export A=", b"\r", b"http://x",
        ]).prop_map(<[u8]>::to_vec),
        3 => vec(any::<u8>(), 0..6),
        2 => "[a-zA-Z0-9_./=-]{1,8}".prop_map(String::into_bytes),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_break_a_view(bytes in file()) {
        for view in OURS.into_iter().chain([View::Adjtime]) {
            if let Ok(text) = view::text(view, &bytes, &HostFacts::default()) {
                for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                    prop_assert_eq!(line.split(|b| *b == b'\t').count(), 2);
                    prop_assert!(line.iter().all(|b| *b == b'\t' || *b >= b' '));
                }
            }
        }
    }

    #[test]
    fn comments_and_blank_lines_say_nothing(rows in vec("[A-Za-z]{1,6}=[a-z0-9]{1,6}", 1..8), at in 0_usize..8) {
        let plain = rows.join("\n");
        let mut more = rows.clone();
        more.insert(at.min(rows.len()), "# a comment\n".to_owned());
        let more = more.join("\n");
        for view in [View::Ini, View::Sysctl, View::Lines, View::LineSet, View::Assignments] {
            prop_assert_eq!(text(view, &plain), text(view, &more));
        }
    }

    #[test]
    fn a_changed_value_is_a_changed_text(rows in vec("[A-Za-z]{1,6}=[a-z0-9]{1,6}", 1..8), at in 0_usize..8) {
        // The last assignment counts for every view; an earlier one of its name need not.
        let at = at.min(rows.len() - 1);
        let key = rows[at].split('=').next().unwrap().to_owned();
        prop_assume!(rows[at + 1..].iter().all(|row| row.split('=').next() != Some(&key)));
        let mut changed = rows.clone();
        changed[at].push('X');
        for view in [View::Ini, View::Sysctl, View::Lines, View::LineSet, View::Assignments] {
            prop_assert_ne!(text(view, &rows.join("\n")), text(view, &changed.join("\n")));
        }
    }
}

#[test]
fn no_file_makes_a_text_that_is_far_larger_than_itself() {
    let list = |head: &str, count: usize| (0..count).map(|n| format!(" {head}{n}")).collect::<Vec<_>>().concat();
    let (long, stanza) = ("x".repeat(500_000), "Types: deb\nSuites: a\n");
    let files = [
        (View::Sources, format!("{stanza}URIs:{}\nComponents:{}\n", list("u:", 1_000), list("", 70_000))),
        (View::Sources, format!("{stanza}URIs:{}\nX: {long}\n", list("u:", 1_000))),
        (View::Ini, format!("[{long}]\n{}", "a=b\n".repeat(100_000))),
        (View::Ini, format!("[A{long}]\n{}", "a=b\n".repeat(100_000))),
        (View::Stanzas, format!("Package: {long}\n{}", "a: b\n".repeat(100_000))),
        (View::Alternatives, format!("auto\n/x\n{}\n/{long}\n1\n{}", "a\n/b\n".repeat(50_000), "c\n".repeat(50_000))),
        (View::Passwd, format!("{long}:x:1:1::/:\n{}", "a:x:1:1::/:\n".repeat(50_000))),
        (View::Sudoers, format!("Defaults:{long} {}\n", "a,".repeat(100_000))),
        (View::HostText, "\n".repeat(1_000_000)),
        (View::Assignments, "a\n".repeat(2_000_000)),
    ];
    for (view, file) in files {
        let begun = std::time::Instant::now();
        refused(view, &file);
        let took = begun.elapsed();
        assert!(took.as_secs() < 3, "{}: {took:?}", view.word());
    }
    // Just as large a file that is honest is read.
    let honest = format!("{stanza}URIs: u://a u://b\nComponents:{}\n", list("", 70_000));
    assert_eq!(view::value(View::Sources, honest.as_bytes(), &HostFacts::default()).unwrap().form, Form::Parsed);
}
