//! Tests of the hosts file, beside it for its length.
//!
//! *Invariant:* every rule of the grammar is shown once taken and once refused.
#![expect(clippy::unwrap_used, reason = "a test may")]

use proptest::prelude::*;

use super::*;
use crate::inventory::canonical;
use crate::inventory::host::Reach;

fn fleet(file: &str) -> Fleet {
    match parse("hosts.txt", file.as_bytes()) {
        Ok(fleet) => fleet,
        Err(mistakes) => panic!("{file:?}: {mistakes:?}"),
    }
}

fn lines(file: &str) -> String {
    canonical(&fleet(file).hosts).lines().skip(1).map(|line| line.replace('\t', " ") + "\n").collect()
}

fn mistakes(file: &[u8]) -> String {
    let mistakes = parse("hosts.txt", file).unwrap_err();
    mistakes.iter().map(|mistake| mistake.to_string() + "\n").collect()
}

fn warnings(file: &str) -> String {
    fleet(file).warnings.iter().map(|warning| warning.to_string() + "\n").collect()
}

/// The example of the design.
const EXAMPLE: &str = "
# One host a line: [user@]host[:port] key=value ...   A [group] line sets
# defaults for the lines below it; a host's own words win. [*] is every group.
[*]     user=driftscan  sudo=yes  probe=installed  jump=bastion.example.net

[web]   template=web  owner=web-team
web-[01-03].example.net  zone=eu-west-1a
web-[04-06].example.net  zone=eu-west-1b

[api]   template=api  owner=payments
api-[01-02].example.net
api-03.example.net:2222

[db]    template=db   owner=dba  quorum=pg  pin=stateful
db-[01-02].example.net

[edge]  template=edge@2026.11.3  jump=none
[2001:db8::17]:22  name=edge-01  # brackets with a colon: an IPv6 address
";

#[test]
fn the_example_of_the_design() {
    let fleet = fleet(EXAMPLE);
    assert_eq!(fleet.hosts.len(), 12);
    assert_eq!(fleet.groups, ["web", "api", "db", "edge"]);
    assert_eq!(fleet.warnings, []);
    let edge = fleet.hosts.last().unwrap();
    assert_eq!(edge.place.to_string(), "hosts.txt:18");
    let user = Some("driftscan".to_owned());
    assert_eq!(edge.reach, Reach::Ssh { host: "2001:db8::17".into(), port: Some(22), user });
    assert_eq!(edge.template.as_ref().unwrap().to_string(), "edge@2026.11.3");
    assert_eq!(edge.jump, Some(Vec::new()));
}

#[test]
fn a_byte_order_mark_and_crlf_change_nothing() {
    let windows = format!("\u{feff}{}", EXAMPLE.replace('\n', "\r\n"));
    assert_eq!(lines(&windows), lines(EXAMPLE));
    assert_eq!(lines("a\t x=1   y=2\t# c"), lines("a x=1 y=2"));
}

#[test]
fn own_words_win_over_the_group_and_the_group_over_all() {
    insta::assert_snapshot!(lines("early\n[web] sudo=no zone=g\na\nroot@b sudo=yes zone=h\n[*] sudo=yes user=u zone=s\nlate group=web\n"), @"
    name a group web ssh a user u sudo no tag zone is g
    name b group web ssh b user root sudo yes tag zone is h
    name early group  ssh early user u sudo yes tag zone is s
    name late group web ssh late user u sudo yes tag zone is s
    ");
}

#[test]
fn a_group_that_comes_again_has_the_words_then_written() {
    let file = "[web] template=web sudo=yes\na\n[db]\nb\n[web] sudo=no\nc\n[idle]\n";
    insta::assert_snapshot!(lines(file), @"
    name a group web ssh a template web sudo yes
    name b group db ssh b
    name c group web ssh c sudo no
    ");
    insta::assert_snapshot!(warnings(file), @"
    hosts.txt:5: [web] comes again without template= of line 1, which does not count below
    hosts.txt:7: [idle] has no hosts
    ");
}

#[test]
fn brackets_are_an_address_a_group_or_a_node_set() {
    assert_eq!(lines("[::1]:22"), "name [::1]:22 group  ssh ::1 port 22\n");
    assert_eq!(lines("u@[::1]"), "name ::1 group  ssh ::1 user u\n");
    assert_eq!(lines("[01-02].example.net"), lines("01.example.net\n02.example.net"));
    assert_eq!(fleet("[g]\na").groups, ["g"]);
}

#[test]
fn duplicates_are_warned_and_count_once() {
    let file = "web-[01-04]\nweb-[02-03]\nWEB-01\nweb-04 sudo=yes\n[::1]:22\n[0::1]:22\na-[1,1]\n";
    assert_eq!(fleet(file).hosts.len(), 6);
    insta::assert_snapshot!(warnings(file), @"
    hosts.txt:2: `web-[02-03]` stands already on line 1, and counts once
    hosts.txt:3: `WEB-01` is `web-01`, which stands on line 1, and counts once
    hosts.txt:4: `web-04` stands already on line 1, and counts once, with the words written there
    hosts.txt:6: `[0::1]:22` is `[::1]:22`, which stands on line 5, and counts once
    hosts.txt:7: `a-1` stands already on this line, and counts once
    ");
}

#[test]
fn one_name_for_two_addresses_is_a_mistake() {
    insta::assert_snapshot!(mistakes(b"web-[01-02]\nroot@web-[01-02]\n10.0.0.1 name=a\n10.0.0.2 name=a\nb\nb root=/mnt\n"), @"
    hosts.txt:2: the name `web-[01-02]` stands already on line 1, for another address, port, user or root
      help: give it a name of its own, such as name=web-[01-02]-2
    hosts.txt:4: the name `a` stands already on line 3, for another address, port, user or root
      help: give it a name of its own, such as name=a-2
    hosts.txt:6: the name `b` stands already on line 5, for another address, port, user or root
      help: give it a name of its own, such as name=b-2
    ");
    assert_eq!(fleet("b\nb root=/mnt name=b-image\n").hosts.len(), 2);
}

#[test]
fn a_key_in_an_address_of_terraform_has_its_quotes() {
    for address in ["aws_instance.web[\"a\"]", "module.m[\"a\"].aws_instance.web[\"b-1\"]", "aws_instance.web[0]"] {
        let host = fleet(&format!("a tf={address}\n")).hosts.remove(0);
        assert_eq!(host.tags, vec![("tf".to_owned(), address.to_owned())], "{address}");
    }
    for line in
        ["a tf=\"x\"", "a tf=x[\"a\"", "a tf=x[\"a b\"]", "a tf=x['a']", "a[\"1\"] x=y", "[\"web\"]", "a x=[\"\"\"]"]
    {
        assert!(mistakes(line.as_bytes()).contains("quotes nothing here"), "{line}");
    }
}

#[test]
fn f40_an_empty_file_is_a_mistake() {
    for file in ["", "\n", "# nothing\n", "[web] template=web\n", "\u{feff}"] {
        assert!(mistakes(file.as_bytes()).contains("names no host"), "{file:?}");
    }
    insta::assert_snapshot!(mistakes(b""), @"
    hosts.txt: the file names no host
      help: write one host a line, such as: web-01.example.net template=web
    ");
}

#[test]
fn f40_all_mistakes_are_said_at_once() {
    let file = b"host; rm -rf\n-oProxyCommand=id\nok-1\nweb[1-10000000]\na@b sudo=maybe user=c \"x\"\na@b sudo=maybe user=c\n[we b]\n\
        [web:vars]\n[open\n!gone\n2001:db8::1\nsudo=yes\nweb-[01, 02]\nnul\0\nbad \xff\nx name=y-[1-2]\nlocal\n$(id)@x:99999\n[*] a=1\n[*] b=1\n\
        web-01 web-02\n[g] name=x\n";
    insta::assert_snapshot!(mistakes(file), @r#"
    hosts.txt:1: host `host;` holds `;`, which is not allowed there
      help: write a name or an address, such as web-01.example.net or [2001:db8::17]:22
    hosts.txt:1: `rm -rf` is no key=value word
      help: write one host a line, then words such as template=web
    hosts.txt:2: host `-oProxyCommand=id` starts with a dash, so a command could take it for an option
      help: write a name or an address, such as web-01.example.net or [2001:db8::17]:22
    hosts.txt:4: `web[1-10000000]` names 10000000 hosts; 100000 is the most
      help: narrow the range, such as web-[1-500]
    hosts.txt:5: a quote (") quotes nothing here
      help: write values without quotes and without blanks, such as owner=web-team
    hosts.txt:6: the user is written twice, `a@` and `user=c`
      help: keep a@ or user=c
    hosts.txt:6: sudo=`maybe` is neither yes nor no
      help: write sudo=yes or sudo=no
    hosts.txt:7: group `we b` holds a blank, which is not allowed there
      help: write letters, digits and . _ -, such as web in [web] or group=web
    hosts.txt:8: [web:vars] is Ansible's; a group has no sections here
      help: write the defaults on the group's line, such as [web] template=web sudo=yes
    hosts.txt:9: `[open` has a bracket that is not closed
      help: write [web] template=web
    hosts.txt:10: `!gone` excludes a host, which the file can not
      help: remove the line, or type --limit '!web-03'
    hosts.txt:11: `2001:db8::1` does not say where an IPv6 address ends and a port starts
      help: write [2001:db8::1] or [2001:db8::1]:22
    hosts.txt:12: `sudo=yes` stands where the host should
      help: write the host first, or put the words on a group's line, such as [web] template=web
    hosts.txt:13: `web-[01,`: a bracket is opened and not closed
      help: close it, without spaces inside, such as web-[01-20,25]
    hosts.txt:13: `02]` is no key=value word
      help: write one host a line, then words such as template=web
    hosts.txt:14: byte 4 of the line is NUL
      help: look at it with: sed -n 14p FILE | cat -A
    hosts.txt:15: byte 5 of the line is not UTF-8
      help: look at it with: sed -n 15p FILE | cat -A
    hosts.txt:16: name=`y-[1-2]` counts 2 where the hosts count 1
      help: write as many names as hosts, such as 10.0.0.[1-3] name=web-[1-3]
    hosts.txt:17: `local` is the target for this machine without SSH, not a host to dial
      help: type `driftscan local`, or write localhost to dial this machine
    hosts.txt:18: user `$(id)` holds `$`, which is not allowed there
      help: write a plain login, such as deploy@web-01, or set User for this host in ~/.ssh/config
    hosts.txt:20: [*] stands already on line 19
      help: write all its words on one line
    hosts.txt:21: `web-02` is no key=value word
      help: write one host a line, then words such as template=web
    hosts.txt:22: name= belongs to a host, not to a group line
      help: write web-01 name=x
    "#);
}

#[test]
fn the_cap_holds_for_the_file() {
    assert_eq!(fleet("web-[1-99999]\nlast\n").hosts.len(), 100_000);
    insta::assert_snapshot!(mistakes(b"web-[1-99999]\nlast\nmore\n[0-9][0-99999]\n"), @"
    hosts.txt:3: the file names more than 100000 hosts from here on
      help: split the fleet into several files, one --fleet FILE a run
    ");
    let wide = format!("{}[0-999999999999999999]\n", "[0-9]".repeat(60));
    assert!(mistakes(wide.as_bytes()).contains("far too many"));
}

#[test]
fn other_encodings_are_said() {
    assert!(mistakes(b"\xff\xfea\0").contains("UTF-16"));
    assert!(mistakes(&[b'a'; 5000]).contains("more than 4096"));
    assert!(mistakes("web-01\u{a0}sudo=yes\n".as_bytes()).contains("U+00A0"));
    assert!(mistakes(b"a\rb\n").contains("U+000D"));
}

fn plain(text: &str) -> bool {
    !text.starts_with('-') && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:@%/~+,=-[]".contains(&b))
}

proptest! {
    #[test]
    fn any_bytes_are_a_fleet_or_mistakes(bytes: Vec<u8>) {
        if let Err(mistakes) = parse("hosts.txt", &bytes) {
            prop_assert!(!mistakes.is_empty());
        }
    }

    #[test]
    fn what_is_taken_is_plain_and_unique(file in r"([-a-c1-3\[\]@:.,;=*#!$ ]|\n|\r|sudo=yes|name=|root=/|group=|identity=|jump=|\[web\]){0,40}") {
        match parse("hosts.txt", file.as_bytes()) {
            Ok(fleet) => {
                prop_assert!(!fleet.hosts.is_empty());
                let mut names = HashSet::new();
                for host in &fleet.hosts {
                    prop_assert!(names.insert(&host.name) && plain(&host.name) && plain(&host.group));
                    let Reach::Ssh { host: dialled, user, .. } = &host.reach else { panic!("a file dials") };
                    prop_assert!(plain(dialled) && user.as_deref().is_none_or(plain));
                    prop_assert!(host.root.as_deref().is_none_or(plain));
                    prop_assert!(host.identity.as_ref().is_none_or(|path| plain(path.to_str().unwrap())));
                }
            }
            Err(mistakes) => {
                for mistake in &mistakes {
                    prop_assert!(!mistake.text.contains(char::is_control) && !mistake.remedy.is_empty());
                }
                prop_assert!(mistakes.is_sorted_by_key(|mistake| mistake.place.line));
            }
        }
    }
}
