//! Views that put a host's own values back: equal for every host of a template, and fooled by no file and no name.

use crate::protocol::view::{Form, HostFacts, MOST, View, text, value};
use proptest::prelude::*;

/// A host of this name.
fn own(hostname: &str) -> HostFacts {
    let n = hostname.len();
    HostFacts {
        hostname: hostname.as_bytes().to_vec(),
        domain: b"example.org".to_vec(),
        machine_id: format!("{n:032x}").replace('0', "a").into_bytes(),
        addresses: vec![
            format!("10.0.0.{n}").into_bytes(),
            format!("2001:0db8:0000:0000:0000:0000:0000:{n:04x}").into_bytes(),
        ],
        disks: vec![format!("1a2b-{n:04x}").into_bytes(), format!("6a0c5d4e-0000-4000-8000-{n:012x}").into_bytes()],
        macs: vec![format!("52:54:00:00:00:{n:02x}").into_bytes()],
        instance: format!("i-0123456789{n:04}").into_bytes(),
    }
}

/// The text of a view, printable.
fn seen(view: View, bytes: &str, own: &HostFacts) -> String {
    String::from_utf8(text(view, bytes.as_bytes(), own).unwrap()).unwrap().replace('\u{1}', "|")
}

/// Puts a host's facts into a text: the template of what each host has for itself.
fn made_for(template: &str, own: &HostFacts) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    template
        .replace("{name}", &text(&own.hostname))
        .replace("{fqdn}", &format!("{}.{}", text(&own.hostname), text(&own.domain)))
        .replace("{ip}", &text(&own.addresses[0]))
        .replace("{disk}", &text(&own.disks[1]))
        .replace("{fat}", &text(&own.disks[0]).to_uppercase())
        .replace("{mac}", &text(&own.macs[0]).to_uppercase())
        .replace("{id}", &text(&own.machine_id))
        .replace("{instance}", &text(&own.instance))
        .replace("{six}", &format!("2001:db8::{:x}", own.hostname.len()))
}

const TEMPLATES: [(View, &str); 9] = [
    (View::MachineId, "{id}\n"),
    (View::Hostname, "# set at first boot\n{name}\n"),
    (View::Hostname, "{fqdn}\n"),
    (View::Hosts, "127.0.0.1 localhost\n127.0.1.1\t{fqdn} {name}\n{ip} {fqdn} # own\n{six} {name}\n10.9.9.9 db\n"),
    (View::Fstab, "UUID={disk} / ext4 errors=remount-ro 0 1\n/dev/disk/by-uuid/{fat} /boot/efi vfat umask=0077 0 1\n"),
    (View::Fstab, "root UUID=\"{disk}\" none luks,discard,header=UUID={fat}\n"),
    (View::OwnId, "## made\nInitiatorName=iqn.1993-08.org.debian:01:{id}\n"),
    (
        View::HostText,
        "host {fqdn}:22 # {name}.\nlisten {ip}:80; [{six}]:443 mac={mac}\nroot=UUID={disk} id={id} {instance}",
    ),
    (View::HostText, "{name}"),
];

#[test]
fn two_hosts_of_one_template_give_one_text() {
    let (golden, host) = (own("golden-1"), own("web-frankfurt-12"));
    for (view, template) in TEMPLATES {
        let (a, b) = (made_for(template, &golden), made_for(template, &host));
        assert_ne!(a, b, "{template}");
        assert_eq!(seen(view, &a, &golden), seen(view, &b, &host), "{template}");
        assert_eq!(value(view, a.as_bytes(), &golden).unwrap().form, Form::Parsed);
        // The golden machine's values on another host are what they are: somebody else's.
        if view != View::OwnId {
            assert_ne!(seen(view, &a, &golden), seen(view, &a, &host), "{template}");
        }
    }
}

#[test]
fn what_is_not_the_hosts_own_is_kept() {
    let own = own("web-1");
    assert_eq!(
        seen(View::Hosts, "10.9.9.9  db db.local\n127.0.1.1 web-1.example.org web-1\n", &own),
        "10.9.9.9\tdb db.local\n127.0.1.1\t|fqdn| |hostname|\n"
    );
    assert_eq!(
        seen(
            View::Fstab,
            "UUID=11111111-0000-4000-8000-3f2a1b0c9d8e /srv xfs noatime,nodev\ntmpfs /dev/shm tmpfs defaults 0 0",
            &own
        ),
        "/srv\tUUID=11111111-0000-4000-8000-3f2a1b0c9d8e xfs nodev,noatime\n/dev/shm\ttmpfs tmpfs\n"
            .replace("nodev,noatime", "noatime,nodev")
    );
    assert_eq!(seen(View::HostText, "a web-1 b\n", &own), "line\ta |hostname| b\nline\t\n");
    assert_eq!(seen(View::Hostname, "web-2\n", &own), "name\tweb-2\n");
    assert_eq!(seen(View::MachineId, "", &own), "machine-id\t|machine-id|\n");
    assert_eq!(seen(View::MachineId, "uninitialized\n", &own), "machine-id\t|machine-id|\n");
    let other = seen(View::MachineId, "0123456789abcdef0123456789abcdef\n", &own);
    assert!(other.contains("another") && !other.contains("0123"), "{other}");
}

#[test]
fn f53_a_placeholder_that_a_file_holds_is_no_placeholder() {
    let own = own("web-1");
    let honest = seen(View::HostText, "allow web-1\n", &own);
    assert_eq!(honest, "line\tallow |hostname|\nline\t\n");
    for typed in
        ["allow \u{1}hostname\u{1}\n", "allow |hostname|\n", "allow \\x01hostname\\x01\n", "allow {hostname}\n"]
    {
        let text = text(View::HostText, typed.as_bytes(), &own).unwrap();
        assert!(!text.contains(&1), "{typed:?}");
        assert_ne!(value(View::HostText, typed.as_bytes(), &own), value(View::HostText, b"allow web-1\n", &own));
    }
    for (view, honest, typed) in [
        (View::Hosts, "127.0.1.1 web-1\n", "127.0.1.1 \u{1}hostname\u{1}\n"),
        (View::Hostname, "web-1\n", "\u{1}hostname\u{1}\n"),
        (View::Fstab, "UUID=6a0c5d4e-0000-4000-8000-000000000005 / ext4\n", "UUID=\u{1}disk\u{1} / ext4\n"),
        (View::OwnId, "InitiatorName=iqn.a:0123456789ab\n", "InitiatorName=iqn.a:\u{1}made\u{1}\n"),
        (View::OwnId, "InitiatorName=iqn.a:0123456789ab\n", "InitiatorName=iqn.a:made\n"),
    ] {
        assert_eq!(value(view, honest.as_bytes(), &own).unwrap().form, Form::Parsed);
        assert_ne!(value(view, honest.as_bytes(), &own), value(view, typed.as_bytes(), &own), "{typed:?}");
    }
}

#[test]
fn f53_a_host_named_a_or_web_changes_no_text_that_speaks_of_something_else() {
    let text = "a web server, www-data, /a/web, a.b, web.conf, user=web\n";
    let golden = own("golden-1");
    for name in ["a", "web", "db", "root", "localhost", "Web"] {
        assert_eq!(seen(View::HostText, text, &own(name)), seen(View::HostText, text, &golden), "{name}");
    }
    // In fields that are names, and with its domain, such a name counts.
    assert_eq!(seen(View::Hosts, "127.0.1.1 a\n", &own("a")), "127.0.1.1\t|hostname|\n");
    assert_eq!(seen(View::HostText, "a.example.org", &own("a")), "line\t|fqdn|\n");
}

#[test]
fn f53_only_whole_tokens_are_put_back() {
    let own = own("web-1");
    for text in
        ["web-10", "myweb-1", "web-1-old", "web-1.evil.org", "x.web-1", "web-1_b", "10.0.0.50", "110.0.0.5", "web-1é"]
    {
        assert_eq!(seen(View::HostText, text, &own), format!("line\t{text}\n"));
    }
    for text in
        ["web-1", "WEB-1", "(web-1)", "web-1,", "web-1.", "web-1:/srv", "root@web-1", "10.0.0.5/24", "10.0.0.5:22"]
    {
        assert!(seen(View::HostText, text, &own).contains('|'), "{text}");
    }
}

#[test]
fn f53_a_host_without_facts_puts_nothing_back() {
    let none = HostFacts::default();
    for (view, text) in
        [(View::HostText, "a . : .. \n\n-"), (View::Hosts, "127.0.0.1 . localhost.\n"), (View::Hostname, ".\n")]
    {
        assert!(!seen(view, text, &none).contains('|'), "{text}");
    }
}

/// `ssh-keygen -t ed25519` and `-t rsa -b 2048`, made for this test alone.
const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEVxxHa8c4rJOoVAXLBlWuXlvsSZDQx/9b6TFWvhTtm+ root@web-1\n";

#[test]
fn a_host_key_is_told_by_its_form_alone() {
    let own = own("web-1");
    assert_eq!(seen(View::HostKey, ED25519, &own), "public\tssh-ed25519\n");
    assert_eq!(
        seen(View::HostKey, &ED25519.replace("web-1", "golden"), &own),
        "public\tssh-ed25519\ncomment\troot@golden\n"
    );
    let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    assert_eq!(seen(View::HostKey, private, &own), "private\tOPENSSH PRIVATE KEY\n");
    let more = format!("{private}command=\"evil\"\n");
    for broken in [&ED25519.replace("ssh-ed25519 ", "ssh-rsa "), "hello\n", &ED25519[..40], &more] {
        assert!(text(View::HostKey, broken.as_bytes(), &own).is_err(), "{broken}");
    }
    // A key of 1024 bits is another one than a key of 2048.
    let rsa = |bytes: usize| {
        let string = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
        let modulus = [&[0][..], &vec![0xc1; bytes]].concat();
        let blob = [string(b"ssh-rsa"), string(&[1, 0, 1]), string(&modulus)].concat();
        format!("ssh-rsa {}", base64(&blob))
    };
    assert_eq!(seen(View::HostKey, &rsa(256), &own), "public\tssh-rsa 2048\n");
    assert_eq!(seen(View::HostKey, &rsa(128), &own), "public\tssh-rsa 1024\n");
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[test]
fn the_order_of_hosts_counts_where_a_name_has_two_addresses() {
    let none = HostFacts::default();
    let same = |a, b| value(View::Hosts, a, &none) == value(View::Hosts, b, &none);
    assert!(same(b"10.0.0.1 a\n10.0.0.2 b\n", b"# new\n10.0.0.2   b # x\n10.0.0.1 a\n"));
    assert!(same(b"127.0.0.1 localhost\n::1 localhost\n", b"::1 localhost\n127.0.0.1 localhost\n"));
    assert!(!same(b"10.0.0.1 bank\n10.0.0.2 bank\n", b"10.0.0.2 bank\n10.0.0.1 bank\n"));
    assert!(!same(b"10.0.0.1 a b\n", b"10.0.0.1 b a\n"));
    assert!(!same(b"10.0.0.1 bank\n10.0.0.2 BANK\n", b"10.0.0.2 BANK\n10.0.0.1 bank\n"));
}

#[test]
fn the_order_of_hosts_counts_where_an_address_has_two_lines() {
    let none = HostFacts::default();
    let same = |a: &str, b: &str| value(View::Hosts, a.as_bytes(), &none) == value(View::Hosts, b.as_bytes(), &none);
    for [a, b] in [
        ["10.0.0.1 a", "10.0.0.1 b"],
        ["fe80::A a", "FE80::a b"],
        ["::1 a", "0:0:0:0:0:0:0:1 b"],
        // glibc gives the second one where an IPv4 address is asked for.
        ["10.0.0.1 a", "::ffff:10.0.0.2 a"],
        ["10.0.0.1 a", "::ffff:a00:2 a"],
    ] {
        assert!(!same(&format!("{a}\n{b}\n"), &format!("{b}\n{a}\n")), "{a}, {b}");
    }
    assert!(same("::1 a\n::2 b\n", "::2 b\n::1 a\n"));
}

#[test]
fn options_of_a_mount_are_sorted_only_where_none_decides_over_another() {
    let none = HostFacts::default();
    let text = |options: &str| seen(View::Fstab, &format!("/dev/sdb1 /srv ext4 {options} 0 2\n"), &none);
    for (a, b) in [("nodev,noatime", "noatime,nodev"), ("nosuid,size=1g,ro", "ro,size=1g,nosuid")] {
        assert_eq!(text(a), text(b));
    }
    for (a, b) in [
        ("exec,user", "user,exec"),
        ("users,suid", "suid,users"),
        ("owner,dev", "dev,owner"),
        ("group,dev", "dev,group"),
        ("defaults,noexec", "noexec,defaults"),
        ("exec,noexec", "noexec,exec"),
        ("ro,rw", "rw,ro"),
        ("sync,async", "async,sync"),
        ("relatime,noatime", "noatime,relatime"),
        ("size=1g,size=2g", "size=2g,size=1g"),
    ] {
        assert_ne!(text(a), text(b), "{a}");
    }
}

#[test]
fn two_mounts_of_one_disk_are_not_two_of_two() {
    let own = own("web-1");
    let table = |a: &str, b: &str| {
        seen(View::Fstab, &made_for(&format!("UUID={a} / ext4\n/dev/disk/by-uuid/{b} /data ext4\n"), &own), &own)
    };
    assert_eq!(table("{disk}", "{fat}"), "/\tUUID=|disk| ext4\n/data\t/dev/disk/by-uuid/|disk|#2 ext4\n");
    assert_ne!(table("{disk}", "{fat}"), table("{disk}", "{disk}"));
    // No text of a file passes for the second.
    assert!(!table("{disk}", "{disk}#2").contains("|disk|#2"));
}

#[test]
fn what_does_not_parse_is_compared_by_its_bytes() {
    let own = own("web-1");
    for (view, bytes) in [
        (View::MachineId, &b"ABCDEF0123456789ABCDEF0123456789\n"[..]),
        (View::MachineId, b"0123456789abcdef0123456789abcdef\n\n"),
        (View::Hosts, b"10.0.0.1\n"),
        (View::Hosts, b"localhost 127.0.0.1\n"),
        (View::Fstab, b"lonely\n"),
        (View::OwnId, b"hello there\n"),
    ] {
        assert_eq!(value(view, bytes, &own).unwrap().form, Form::Bytes, "{}", bytes.escape_ascii());
    }
    assert_eq!(value(View::HostText, &vec![b'x'; MOST + 1], &own).unwrap().form, Form::Bytes);
}

proptest! {
    #[test]
    fn no_bytes_make_a_view_panic_and_only_facts_make_placeholders(bytes: Vec<u8>, name in "[a-z][a-z0-9-]{0,8}") {
        let facts = own(&name);
        for view in [View::Fstab, View::Hosts, View::MachineId, View::Hostname, View::HostKey, View::OwnId, View::HostText] {
            if let Ok(text) = text(view, &bytes, &HostFacts::default()) && !matches!(view, View::OwnId | View::MachineId) {
                prop_assert!(!text.contains(&1));
            }
            let _ = value(view, &bytes, &facts);
        }
    }

    #[test]
    fn texts_that_differ_differ_by_more_than_a_hosts_own_values(a in "[ -~\n]{0,40}", b in "[ -~\n]{0,40}") {
        let facts = own("web-1");
        // Without any of the host's own values in it a text is itself.
        prop_assume!(!a.contains("eb-1") && !b.contains("eb-1") && a != b);
        prop_assert_ne!(value(View::HostText, a.as_bytes(), &facts), value(View::HostText, b.as_bytes(), &facts));
    }
}
