//! Views of accounts and access: what counts, what does not, and what no file can hide.

use crate::protocol::View;
use crate::protocol::view::{HostFacts, MOST, NotParsed, text};
use proptest::prelude::*;

/// A view's text.
fn read(view: View, file: &str) -> String {
    String::from_utf8(text(view, file.as_bytes(), &HostFacts::default()).unwrap()).unwrap()
}

/// Why a view can't read a file.
fn refused(view: View, file: &str) -> &'static str {
    let NotParsed(why) = text(view, file.as_bytes(), &HostFacts::default()).unwrap_err();
    why
}

fn same(view: View, a: &str, b: &str) {
    assert_eq!(read(view, a), read(view, b), "{a}\n---\n{b}");
}

fn differ(view: View, a: &str, b: &str) {
    assert_ne!(read(view, a), read(view, b), "{a}\n---\n{b}");
}

const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
_apt:x:42:65534::/nonexistent:/usr/sbin/nologin
anna:x:1000:1000:Anna,,,:/home/anna lee:/bin/bash
";

#[test]
fn a_passwd_file_is_its_users_by_name() {
    assert_eq!(
        read(View::Passwd, PASSWD),
        "user:_apt\tuid=42 gid=65534 home=/nonexistent shell=/usr/sbin/nologin password=x gecos=\n\
         user:anna\tuid=1000 gid=1000 home=/home/anna\\x5cx20lee shell=/bin/bash password=x gecos=Anna,,,\n\
         user:daemon\tuid=1 gid=1 home=/usr/sbin shell=/usr/sbin/nologin password=x gecos=daemon\n\
         user:root\tuid=0 gid=0 home=/root shell=/bin/bash password=x gecos=root\n"
    );
    let turned: String = PASSWD.lines().rev().flat_map(|line| [line, "\n\n"]).collect();
    same(View::Passwd, PASSWD, &turned);
}

#[test]
fn the_first_line_of_a_name_and_of_an_id_stays_the_first() {
    let (root, toor) = ("root:x:0:0::/root:/bin/sh\n", "toor:x:00:0::/root:/bin/sh\n");
    differ(View::Passwd, &format!("{root}{toor}"), &format!("{toor}{root}"));
    assert!(
        read(View::Passwd, &format!("{root}{toor}"))
            .contains("user:toor\tuid=0 gid=0 home=/root shell=/bin/sh password=x gecos= also=root\n")
    );
    let (one, two) = ("anna:x:5:5::/a:/bin/sh\n", "anna:x:6:5::/a:/bin/sh\n");
    differ(View::Passwd, &format!("{one}{two}"), &format!("{two}{one}"));
    // Accounts of the network take effect where they stand.
    differ(View::Passwd, &format!("+::::::\n{root}"), &format!("{root}+::::::\n"));
}

#[test]
fn a_password_in_passwd_is_told_by_its_state() {
    let user = |field: &str| read(View::Passwd, &format!("u:{field}:1:1::/:/bin/sh\n"));
    assert!(user("").contains("password=empty"));
    assert!(user("*").contains("password=none"));
    assert!(user("!$6$salt$hash").contains("password=locked"));
    assert!(user("$6$salt$hash").contains("password=set"));
    assert!(!user("$6$salt$hash").contains("hash"));
}

#[test]
fn what_one_c_library_skips_and_another_takes_is_no_comment() {
    same(View::Passwd, "# made by hand\nroot:x:0:0::/:/bin/sh\n", "root:x:0:0::/:/bin/sh\n");
    assert!(read(View::Passwd, "#evil::0:0::/:/bin/sh\n").starts_with("user:#evil\tuid=0"));
    for line in ["evil::0:0", " evil::0:0::/:/bin/sh", "evil::+0:0::/:/bin/sh", "evil::4294967296:0::/:/bin/sh", "evil"]
    {
        let _ = refused(View::Passwd, &format!("{PASSWD}{line}\n"));
    }
}

#[test]
fn members_of_a_group_are_a_set() {
    same(View::Group, "sudo:x:27:bob,anna\n", "sudo:x:027:anna,bob,anna,\n");
    differ(View::Group, "sudo:x:27:bob\n", "sudo:x:27:bob,anna\n");
    assert_eq!(read(View::Group, "sudo:x:27:bob,anna\n"), "group:sudo\tgid=27 password=x members=anna,bob\n");
    assert_eq!(
        read(View::Gshadow, "sudo:!:root:bob,anna\n"),
        "group:sudo\tpassword=locked algorithm=none admins=root members=anna,bob\n"
    );
}

#[test]
fn shadow_tells_states_and_ageing_and_no_hash() {
    const YESCRYPT: &str = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7";
    let text = read(
        View::Shadow,
        &format!("root:*:19800:0:99999:7:::\nanna:{YESCRYPT}:19801:0:90:7:14:20000:\nbob:!{YESCRYPT}:0:0:99999:7:::\n"),
    );
    assert_eq!(
        text,
        "user:anna\tpassword=set algorithm=yescrypt min=0 max=90 warn=7 inactive=14 expire=20000 change=past\n\
         user:bob\tpassword=locked algorithm=yescrypt min=0 max=99999 warn=7 inactive= expire= change=forced\n\
         user:root\tpassword=none algorithm=none min=0 max=99999 warn=7 inactive= expire= change=past\n"
    );
    // Another salt, hash and day of change are no difference.
    same(View::Shadow, "a:$6$x$1:19800:0:9:7:::\n", "a:$6$y$2:19900:0:9:7:::\n");
    for (a, b) in [("$6$x$1", ""), ("!", "*"), ("$6$x$1", "$1$x$1"), ("!", "!$6$x$1"), ("$6$x$1", "!$6$x$1")] {
        differ(View::Shadow, &format!("a:{a}:1:0:9:7:::\n"), &format!("a:{b}:1:0:9:7:::\n"));
    }
    differ(View::Shadow, "a:*:1:0:9:7:::\n", "a:*::0:9:7:::\n");
    let _ = refused(View::Shadow, "a:*:1:0:9\n");
}

#[test]
fn subordinate_ids_are_ranges() {
    assert_eq!(
        read(View::Subid, "bob:165536:65536\nanna:100000:65536\n"),
        "range:anna\tstart=100000 count=65536\nrange:bob\tstart=165536 count=65536\n"
    );
    differ(View::Subid, "anna:100000:65536\n", "anna:0:65536\n");
}

const SUDOERS: &str = "\
# See the man page.
Defaults\tenv_reset
Defaults\tmail_badpass
Defaults\tsecure_path=\"/usr/local/sbin:/usr/bin\"

root\tALL=(ALL:ALL) ALL
%sudo\tALL=(ALL:ALL) ALL
@includedir /etc/sudoers.d
";

#[test]
fn a_sudoers_file_is_its_settings_and_its_rules_in_order() {
    assert_eq!(
        read(View::Sudoers, SUDOERS),
        "defaults env_reset\tenv_reset\ndefaults mail_badpass\tmail_badpass\n\
         defaults secure_path\tsecure_path=\"/usr/local/sbin:/usr/bin\"\n\
         rule root\tALL=(ALL:ALL) ALL\nrule %sudo\tALL=(ALL:ALL) ALL\ninclude\t@includedir /etc/sudoers.d\n"
    );
    same(View::Sudoers, "a , b  ALL = ALL : ALL = /bin/ls\n", "a,b ALL=ALL:ALL=/bin/ls # why\n");
    differ(View::Sudoers, "a ALL=ALL\nb ALL=!ALL\n", "b ALL=!ALL\na ALL=ALL\n");
    same(View::Sudoers, "Defaults a, !b\nDefaults c=1\n", "Defaults \\\n a,\\\n !b\nDefaults c = 1\n");
    // Of what several scopes say of one setting the last that matches counts, and an include stands where it stands.
    let (off, on) = ("Defaults:bob !authenticate\n", "Defaults:ALL authenticate\n");
    differ(View::Sudoers, &format!("{off}{on}"), &format!("{on}{off}"));
    let include = "@includedir /etc/sudoers.d\n";
    differ(View::Sudoers, &format!("{on}{include}"), &format!("{include}{on}"));
    same(View::Sudoers, &format!("{on}a ALL=ALL\n{include}"), &format!("a ALL=ALL\n{on}{include}"));
    differ(View::Sudoers, "Defaults a\nDefaults !a\n", "Defaults !a\nDefaults a\n");
    assert_eq!(
        read(View::Sudoers, "Defaults:bob,anna !authenticate\nUser_Alias ADMINS = bob, anna : OPS = carl\n"),
        "alias User_Alias ADMINS\tbob,anna\nalias User_Alias OPS\tcarl\ndefaults:bob,anna authenticate\t!authenticate\n"
    );
}

#[test]
fn no_rule_of_sudo_hides_in_a_comment() {
    // A comment ends at its line, even where that ends in a backslash.
    assert!(
        read(View::Sudoers, "# harmless \\\nevil ALL=(ALL) NOPASSWD: ALL\n")
            .contains("rule evil\tALL=(ALL) NOPASSWD:ALL\n")
    );
    assert!(read(View::Sudoers, "#1000 ALL=(ALL) ALL\n").contains("rule #1000\t"));
    assert!(read(View::Sudoers, "#-1 ALL=(ALL) ALL\n").contains("rule #-1\t"));
    for directive in ["#include /tmp/x", "#includedir /tmp/x", "@include /tmp/x", "  #includedir\t/tmp/x"] {
        assert!(read(View::Sudoers, directive).starts_with("include\t@include"), "{directive}");
    }
    same(View::Sudoers, "#includes nothing\n", "");
    differ(View::Sudoers, "a ALL=/bin/x \"y # z\"\n", "a ALL=/bin/x \"y # w\"\n");
    differ(View::Sudoers, "a ALL=/bin/x y\\, z\n", "a ALL=/bin/x y\\,z\n");
    differ(View::Sudoers, "a ALL=/bin/x \"y  z\"\n", "a ALL=/bin/x \"y z\"\n");
    let _ = refused(View::Sudoers, "nonsense\n");
    let _ = refused(View::Sudoers, "a ALL=\"x\n");
}

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINs+wD+kMOXyKm8s1vsmoeUb7iYkJDsJ2NaHdWl7x6jB";

#[test]
fn a_key_is_its_fingerprint() {
    // What ssh-keygen -l says of the same key.
    let print = "SHA256:ArPfqM2P3KO6IoCcyDT3JUJXIO9coHVyz+aRR7WF474";
    let text = read(View::AuthorizedKeys, &format!("# keys\n\n{KEY} anna@laptop\n"));
    assert!(text.starts_with(print), "{text}");
    let (key, value) = text.trim_end().split_once('\t').unwrap();
    assert_eq!(key, print);
    assert_eq!(value, "type=ssh-ed25519 comment=anna@laptop");
    let a = format!("from=\"10.0.0.0/8\",Restrict,pty,command=\"echo \\\"a b\\\"\"  {KEY}  anna@laptop \n");
    let b = format!("restrict,command=\"echo \\\"a b\\\"\",pty,from=\"10.0.0.0/8\" {KEY} anna@laptop\n");
    same(View::AuthorizedKeys, &a, &b);
    assert!(
        read(View::AuthorizedKeys, &a).contains("option=command=echo\\x5cx20\"a\\x5cx20b\" option=from=10.0.0.0/8")
    );
    // What `restrict` takes, `pty` gives back, and the other way round it does not.
    differ(View::AuthorizedKeys, &a, &b.replace("restrict,", "").replace("pty,", "pty,restrict,"));
    differ(View::AuthorizedKeys, &a, &a.replace("10.0.0.0/8", "0.0.0.0/0"));
    let (one, two) = (format!("restrict {KEY} a\n"), format!("{KEY} a\n"));
    differ(View::AuthorizedKeys, &format!("{one}{two}"), &format!("{two}{one}"));
    for line in [
        "nonsense",
        "from=\"x ssh-ed25519 AAAA",
        "ssh-ed25519 A*",
        "from=x ssh-ed25519 AAAA",
        "command=\"a\"b\" ssh-ed25519 AAAA",
    ] {
        let _ = refused(View::AuthorizedKeys, line);
    }
}

#[test]
fn the_first_value_of_a_keyword_of_sshd_counts() {
    assert_eq!(
        read(
            View::Sshd,
            "Include /etc/ssh/sshd_config.d/*.conf\n\nKbdInteractiveAuthentication no\nusepam=yes # x\nSubsystem\tsftp  \"/usr/lib/sftp server\"\nAcceptEnv LANG LC_*\nAcceptEnv TERM\n"
        ),
        "acceptenv\tLANG LC_*\nacceptenv\tTERM\ninclude\t/etc/ssh/sshd_config.d/*.conf\nkbdinteractiveauthentication\tno\n\
         subsystem\tsftp /usr/lib/sftp\\x5cx20server\nusepam\tyes # x\n"
    );
    same(View::Sshd, "PermitRootLogin no\nPort 22\n", "  port\t22\npermitrootlogin \"no\"\n#x\nPERMITROOTLOGIN yes\n");
    differ(View::Sshd, "PermitRootLogin yes\nPermitRootLogin no\n", "PermitRootLogin no\nPermitRootLogin yes\n");
    differ(
        View::Sshd,
        "ChallengeResponseAuthentication yes\nKbdInteractiveAuthentication no\n",
        "KbdInteractiveAuthentication no\nChallengeResponseAuthentication yes\n",
    );
    // An unknown keyword counts each time.
    differ(View::Sshd, "NewThing a\n", "NewThing a\nNewThing b\n");
    // What stands before an include can't be changed by it.
    differ(View::Sshd, "Include x\nPermitRootLogin no\n", "PermitRootLogin no\nInclude x\n");
}

#[test]
fn a_block_of_sshd_is_apart() {
    let file = "PermitRootLogin no\nMatch User bob\n PermitRootLogin yes\nMatch all\n X11Forwarding no\n";
    assert_eq!(
        read(View::Sshd, file),
        "permitrootlogin\tno\nmatch User bob: \t\nmatch User bob: permitrootlogin\tyes\nmatch all: \t\nmatch all: x11forwarding\tno\n"
    );
    differ(View::Sshd, file, "PermitRootLogin no\nPermitRootLogin yes\nMatch User bob\nMatch all\n X11Forwarding no\n");
    differ(View::Sshd, "Match user a\nPort 1\nMatch user b\nPort 2\n", "Match user b\nPort 2\nMatch user a\nPort 1\n");
    let _ = refused(View::Sshd, "Banner \"x\n");
}

#[test]
fn modules_of_one_type_keep_their_order() {
    let auth = "auth\t[success=1   default=ignore]\tpam_unix.so nullok\nauth requisite pam_deny.so\n";
    assert_eq!(
        read(
            View::Pam,
            &format!("# local\nACCOUNT required pam_nologin.so # why\n{auth}-session optional pam_systemd.so\n")
        ),
        "account\trequired pam_nologin.so\nauth\t[success=1\\x5cx20default=ignore] pam_unix.so nullok\n\
         auth\trequisite pam_deny.so\nsession\t- optional pam_systemd.so\n"
    );
    differ(View::Pam, "auth a x.so\nauth b y.so\n", "auth b y.so\nauth a x.so\n");
    same(View::Pam, "auth a x.so\naccount b y.so\n", "account b y.so\nauth a x.so\n");
    // A file that is included stands where it stands.
    differ(View::Pam, "@include common-auth\nauth a x.so\n", "auth a x.so\n@include common-auth\n");
    same(View::Pam, "auth required \\\n# note\n\n pam_unix.so\n", "auth required pam_unix.so\n");
    same(View::Pam, "# off \\\nauth required pam_unix.so\n", "auth required pam_unix.so\n");
    assert_eq!(read(View::Pam, "login auth required pam_unix.so\n"), "login auth\trequired pam_unix.so\n");
    for line in ["auth", "auth required", "auth [x pam_unix.so", "nonsense", "auth required x \\"] {
        let _ = refused(View::Pam, line);
    }
}

#[test]
fn a_crontab_is_its_jobs() {
    let system = "SHELL=/bin/sh\n# m h dom mon dow user command\n17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly\n25 6 * * * root  x\n@reboot root y 10%\n";
    assert_eq!(
        read(View::Cron, system),
        "env SHELL\t/bin/sh\njob root cd / && run-parts --report /etc/cron.hourly\t17 * * * *\njob root x\t25 6 * * *\njob root y 10%\t@reboot\n"
    );
    same(View::Cron, "1 * * * * a b\n2 * * * * c\n", " 2 *  * * *\tc\n\n1 * * * * a   b\n");
    same(View::Cron, "A = 'x y'\n", "A=\"x y\"\n");
    // A setting holds for what follows it.
    differ(View::Cron, "@REBOOT a\n", "@reboot a\n");
    differ(View::Cron, "A=1\n1 * * * * a\n", "1 * * * * a\nA=1\n");
    differ(View::Cron, "1 * * * * \"a  b\"\n", "1 * * * * \"a b\"\n");
    differ(View::Cron, "1 * * * * a\n", "1 * * * * a");
    assert_eq!(
        read(View::Cron, "1\t5\tcron.daily\trun-parts --report /etc/cron.daily\n"),
        "job cron.daily run-parts --report /etc/cron.daily\t1 5\n"
    );
    same(View::Cron, "0 0 * JAN mon-fri x\n", "0 0 * jan MON-FRI x\n");
    for line in ["nonsense", "1 2 3", "* * * * *", "@daily", "#!/bin/sh\nexec true"] {
        let _ = refused(View::Cron, line);
    }
}

/// The views of this file, each with a real file.
const SAMPLES: [(View, &str); 10] = [
    (View::Passwd, PASSWD),
    (View::Group, "root:x:0:\nsudo:x:27:anna,bob\n"),
    (View::Shadow, "root:*:19800:0:99999:7:::\nanna:$6$a$b:19800:0:99999:7:14:20000:\n"),
    (View::Gshadow, "root:*::\nsudo:!:anna:bob\n"),
    (View::Subid, "anna:100000:65536\n"),
    (View::Sudoers, SUDOERS),
    (View::AuthorizedKeys, KEY),
    (View::Sshd, "Include x\nPort 22\nAcceptEnv A\nMatch user x\n ForceCommand \"a b\"\n"),
    (View::Pam, "auth [a=1 b=2] x.so y\n@include z\n-session optional w.so\n"),
    (View::Cron, "A=1\n1 2 * * * root x % y\n@reboot z\n"),
];

#[test]
fn a_file_can_not_ask_for_more_time_or_room_than_its_size_explains() {
    // A part of what a view takes at most: quadratic work would still be minutes.
    const SIZE: usize = MOST / 16;
    let long = "a".repeat(SIZE);
    let many = |line: &str| line.repeat(SIZE / line.len());
    let files = [
        (View::Sshd, format!("Match user {long}\n{}", many("a b\n"))),
        (View::Sshd, (0..SIZE / 8).map(|n| format!("k{n:x} v\n")).collect::<Vec<String>>().concat()),
        (View::Sshd, many("Include a\n")),
        (View::Sudoers, format!("Defaults:{long} {}", many("a,"))),
        (View::Sudoers, format!("a ALL={}", many("\\ "))),
        (View::Sudoers, format!("User_Alias {}", many("A:"))),
        (View::Cron, many("A=1\n1 * * * * a\n")),
        (View::Pam, many("@include a\n")),
        (View::Pam, many("auth \\\n")),
        (View::Passwd, many("a::0:0:::\n")),
        (View::AuthorizedKeys, format!("ssh-rsa {long}\n")),
    ];
    for (view, file) in files {
        if let Ok(text) = text(view, file.as_bytes(), &HostFacts::default()) {
            assert!(text.len() <= 4 * MOST + 32 * file.len(), "{view:?}: {}", text.len());
        }
    }
}

/// A real file with some bytes replaced, put in or taken out.
fn mutated() -> impl Strategy<Value = (View, Vec<u8>)> {
    let edit =
        (any::<prop::sample::Index>(), 0..3_usize, prop::sample::select(b"\n\t :=,#\\\"'[]@!*aZ09%+-\0\xff".to_vec()));
    (0..SAMPLES.len(), prop::collection::vec(edit, 0..6)).prop_map(|(at, edits)| {
        let (view, file) = SAMPLES[at];
        let mut bytes = file.as_bytes().to_vec();
        for (index, what, byte) in edits {
            let at = index.index(bytes.len().max(1));
            match what {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at.min(bytes.len()), byte),
            }
        }
        (view, bytes)
    })
}

/// What nobody disputes to be without meaning: the order of lines, blanks at their ends, blank lines.
fn bones(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = bytes.split(|b| *b == b'\n').map(|line| line.trim_ascii().to_vec()).collect();
    lines.retain(|line| !line.is_empty());
    lines.sort();
    lines
}

proptest! {
    #[test]
    fn no_bytes_make_a_view_panic_or_write_what_is_no_text((view, bytes) in mutated()) {
        if let Ok(text) = text(view, &bytes, &HostFacts::default()) {
            prop_assert!(text.is_empty() || text.ends_with(b"\n"));
            for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                prop_assert_eq!(line.split(|b| *b == b'\t').count(), 2);
            }
        }
    }

    #[test]
    fn no_field_of_an_account_is_lost(
        names in prop::collection::vec("[a-z_#\\\\ ,=-]{1,5}", 3),
        fields in prop::collection::vec("[a-z \\\\=/#]{0,4}", 3),
    ) {
        let line = |name: &str, home: &str| format!("{name}:x:7:8:g:{home}:/bin/sh\n");
        let a = line(&names[0], &fields[0]);
        let b = line(&names[1], &fields[1]);
        let read = |file: &str| text(View::Passwd, file.as_bytes(), &HostFacts::default());
        if let (Ok(x), Ok(y)) = (read(&a), read(&b)) {
            prop_assert_eq!(x == y, a == b);
        }
    }

    #[test]
    fn two_tables_that_share_a_text_differ_in_nothing_but_the_order_of_lines(
        (view, a) in mutated(), (other, b) in mutated(),
    ) {
        // Fields of these tables have one spelling, but for zeros, repeated members and hashes.
        let exact = matches!(view, View::Passwd | View::Subid);
        let zeros = |bytes: &[u8]| bytes.windows(2).any(|w| w[0] == b':' && w[1] == b'0') || bytes.contains(&b'#');
        if exact && view == other && !zeros(&a) && !zeros(&b)
            && let (Ok(x), Ok(y)) = (text(view, &a, &HostFacts::default()), text(view, &b, &HostFacts::default()))
            && x == y
        {
            prop_assert_eq!(bones(&a), bones(&b));
        }
    }
}
