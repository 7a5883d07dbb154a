//! What `known_hosts` files say, line by line.
//!
//! *Invariant:* no file is touched; keys are made of plain bytes.

#![expect(clippy::unwrap_used, reason = "a test may")]

use proptest::prelude::*;

use super::*;

fn key(kind: &str, seed: u8) -> Vec<u8> {
    let mut blob = u32::try_from(kind.len()).unwrap().to_be_bytes().to_vec();
    blob.extend_from_slice(kind.as_bytes());
    blob.extend_from_slice(&[0, 0, 0, 32]);
    blob.extend_from_slice(&[seed; 32]);
    blob
}

fn ed(seed: u8) -> Vec<u8> {
    key("ssh-ed25519", seed)
}

fn line(hosts: &str, blob: &[u8]) -> String {
    format!("{hosts} {} {} a comment\n", kind_of(blob).unwrap(), STANDARD.encode(blob))
}

fn files(content: &str) -> Vec<Arc<KnownHostsFile>> {
    vec![Arc::new(KnownHostsFile::parse(Path::new("known_hosts"), content.as_bytes()))]
}

fn name(host: &str) -> HostName {
    HostName::new(host, 22)
}

fn line_of(trust: &Trust) -> Option<usize> {
    match trust {
        Trust::Known(key) | Trust::Revoked(key) | Trust::AuthorityOnly(key) => Some(key.line),
        Trust::Changed(keys) => keys.first().map(|key| key.line),
        Trust::Unknown => None,
    }
}

#[test]
fn plain_names_lists_and_ports() {
    let known = files(&(line("web-01,10.0.0.1", &ed(1)) + &line("[web-02]:2222", &ed(2)) + &line("web-03", &ed(3))));
    assert!(matches!(ask(&known, &name("WEB-01"), &ed(1)), Trust::Known(_)));
    assert!(matches!(ask(&known, &name("10.0.0.1"), &ed(1)), Trust::Known(_)));
    assert!(matches!(ask(&known, &name("web-01"), &ed(9)), Trust::Changed(_)));
    assert!(matches!(ask(&known, &HostName::new("web-02", 2222), &ed(2)), Trust::Known(_)));
    assert_eq!(ask(&known, &name("web-02"), &ed(2)), Trust::Unknown);
    // A line without a port vouches for every port, and contradicts none.
    assert!(matches!(ask(&known, &HostName::new("web-03", 2222), &ed(3)), Trust::Known(_)));
    assert_eq!(ask(&known, &HostName::new("web-03", 2222), &ed(9)), Trust::Unknown);
}

#[test]
fn patterns_and_negation() {
    let known = files(&line("*.example.org,!db-*.example.org", &ed(1)));
    assert!(matches!(ask(&known, &name("web.example.org"), &ed(1)), Trust::Known(_)));
    assert_eq!(ask(&known, &name("db-1.example.org"), &ed(1)), Trust::Unknown);
}

#[test]
fn a_revoked_key_is_refused_even_where_another_line_matches() {
    let known = files(&(line("web-01", &ed(1)) + "@revoked " + &line("*", &ed(1))));
    let trust = ask(&known, &name("web-01"), &ed(1));
    assert!(matches!(trust, Trust::Revoked(_)));
    assert_eq!(line_of(&trust), Some(2));
    // Another key of the same host is not touched by it.
    assert!(matches!(ask(&known, &name("web-01"), &ed(2)), Trust::Changed(_)));
}

#[test]
fn a_revoked_line_of_another_host_says_nothing() {
    let known = files(&(line("web-01", &ed(1)) + "@revoked " + &line("web-02", &ed(1))));
    assert!(matches!(ask(&known, &name("web-01"), &ed(1)), Trust::Known(_)));
}

#[test]
fn an_authority_alone_verifies_nothing() {
    let known = files(&("@cert-authority ".to_owned() + &line("*.example.org", &ed(7))));
    let host = name("web.example.org");
    assert!(matches!(ask(&known, &host, &ed(1)), Trust::AuthorityOnly(_)));
    // Not even the authority's own key is a host's key.
    assert!(matches!(ask(&known, &host, &ed(7)), Trust::AuthorityOnly(_)));
    let both = files(&("@cert-authority ".to_owned() + &line("*", &ed(7)) + &line("web.example.org", &ed(1))));
    assert!(matches!(ask(&both, &host, &ed(1)), Trust::Known(_)));
}

#[test]
fn a_new_type_of_a_known_host_is_a_changed_key() {
    let known = files(&line("web-01", &ed(1)));
    assert!(matches!(ask(&known, &name("web-01"), &key("ssh-rsa", 1)), Trust::Changed(_)));
}

#[test]
fn one_bad_line_takes_no_other_with_it() {
    let content = "garbage\n".to_owned() + &line("web-01", &ed(1)) + "\u{fffd}\u{0} x y\r\n" + &line("web-02", &ed(2));
    let known = files(&content);
    assert!(matches!(ask(&known, &name("web-01"), &ed(1)), Trust::Known(_)));
    assert_eq!(line_of(&ask(&known, &name("web-02"), &ed(2))), Some(4));
    assert_eq!(
        known[0].warnings,
        [
            "known_hosts:1: no key type; the line is skipped",
            "known_hosts:3: the key is not base64; the line is skipped"
        ]
    );
}

#[test]
fn carriage_returns_do_no_harm() {
    let content = line("web-01", &ed(1)).replace(" a comment\n", "\r\n");
    assert!(matches!(ask(&files(&content), &name("web-01"), &ed(1)), Trust::Known(_)));
}

#[test]
fn an_alias_takes_no_port() {
    assert_eq!(HostName::alias("Golden").as_str(), "golden");
    assert_eq!(HostName::new("Web", 2222).as_str(), "[web]:2222");
    assert_eq!(HostName::new("2001:db8::1", 22).as_str(), "2001:db8::1");
}

#[test]
fn the_types_of_the_port_come_before_those_of_the_host() {
    let content =
        line("web", &key("ssh-rsa", 1)) + &line("[web]:2222", &ed(1)) + "@revoked " + &line("*", &key("x", 1));
    assert_eq!(kinds(&files(&content), &HostName::new("web", 2222)), ["ssh-ed25519", "ssh-rsa"]);
    assert!(kinds(&files(&content), &name("other")).is_empty());
}

#[test]
fn every_file_is_asked_and_the_second_may_revoke() {
    let mut known = files(&line("web", &ed(1)));
    known.extend(files(&("@revoked ".to_owned() + &line("web", &ed(1)))));
    assert!(matches!(ask(&known, &name("web"), &ed(1)), Trust::Revoked(_)));
}

#[test]
fn fingerprints_are_those_of_ssh_keygen() {
    // ssh-keygen -lf of this key says the same.
    let blob = STANDARD.decode("AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f").unwrap();
    assert_eq!(kind_of(&blob), Some("ssh-ed25519"));
    assert_eq!(fingerprint(&blob), "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA");
}

proptest! {
    #[test]
    fn a_line_that_was_written_is_known(host in "[a-z][a-z0-9.-]{0,20}", port in 1_u16.., seed: u8) {
        let name = HostName::new(&host, port);
        let written = new_line(&name, &ed(seed), None).unwrap();
        prop_assert!(matches!(ask(&files(&written), &name, &ed(seed)), Trust::Known(_)));
        prop_assert!(matches!(ask(&files(&written), &name, &ed(seed ^ 1)), Trust::Changed(_)));
    }

    #[test]
    fn no_line_about_a_host_is_passed_over(
        lines in proptest::collection::vec("[!]?([a-cA-C]{1,2}|[ab][*?]|\\[[ab*]\\]:22)(,[!]?[a-c]{1,2}|,\\[a\\]:22){0,2}", 1..6),
        host in "[a-cA-C]{1,2}",
        port in prop_oneof![Just(22_u16), Just(2222)],
    ) {
        let known = files(&lines.iter().map(|hosts| line(hosts, &ed(1))).collect::<String>());
        let name = HostName::new(&host, port);
        let about: Vec<usize> = known[0].lines.iter().filter(|line| mentions(line, &name)).map(|line| line.number).collect();
        let found: Vec<usize> =
            known[0].candidates(&name).filter(|line| mentions(line, &name)).map(|line| line.number).collect();
        prop_assert_eq!(about, found);
    }

    #[test]
    fn no_file_makes_it_panic(content: Vec<u8>, blob: Vec<u8>) {
        let known = [Arc::new(KnownHostsFile::parse(Path::new("k"), &content))];
        let _ = ask(&known, &name("web"), &blob);
    }
}
