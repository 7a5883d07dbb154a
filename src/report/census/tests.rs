//! The document and the table of a census.

use super::{Head, write};
use crate::drift::census::{Census, Population, Unread, take};
use crate::inventory::fold;
use crate::model::{Code, Finding, HostOutcome, Reason, RunId, Severity};
use crate::protocol::Attr;
use crate::report::pair::{self, Pair};
use crate::report::samples::{drifted, finding, host, unverifiable};
use crate::report::table;
use serde_json::Value;

fn head() -> Head {
    let run = RunId::new("20261121T023004Z", [0x7c, 0x1f]);
    Head { run, started: "2026-11-21T02:30:04Z".into(), millis: 4_120 }
}

fn package(number: usize) -> Finding {
    let subject = format!("pkg:lib{number}:amd64");
    finding(Severity::Medium, Code::PackageVersion, &subject, &[(Attr::Version, "1")], &[(Attr::Version, "2")])
}

fn fixed() -> Finding {
    let entry = [(Attr::Kind, "file"), (Attr::Mode, "0755"), (Attr::Owner, "root")];
    finding(Severity::High, Code::FileAdded, "fs:/usr/local/bin/fix.sh", &[], &entry)
}

fn removed() -> Finding {
    finding(Severity::Medium, Code::FileRemoved, "fs:/usr/bin/tar", &[(Attr::Kind, "file"), (Attr::Mode, "0755")], &[])
}

fn hosts() -> Vec<HostOutcome> {
    let named = |name: String| host(&name, "web", "");
    let mut hosts: Vec<HostOutcome> = (1..=6).map(|n| named(format!("web-{n:02}"))).collect();
    hosts.extend((1..=4).map(|n| drifted(named(format!("db-{n:02}")), (0..12).map(package).collect())));
    hosts[3] = drifted(hosts[3].clone(), vec![fixed()]);
    hosts
}

fn counted() -> Census {
    let hosts = hosts();
    let gone = unverifiable(host("web-07", "web", ""), Reason::Unreachable, "connection refused", Some("is it up?"));
    let unread = vec![Unread { host: gone.name, counted: false, reasons: gone.reasons }];
    let system = "debian 12 x86_64".to_owned();
    take(&[Population { system, pivot: "web-01".to_owned(), hosts: &hosts, mirror: None }], unread, 11)
}

fn page(render: impl FnOnce(&table::Options<'_>, &mut Vec<u8>) -> std::io::Result<()>) -> String {
    let folded = |names: &[&str]| fold(names.iter().copied());
    let mut bytes = Vec::new();
    render(&table::Options::new(&folded), &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_table_of_a_census_is_eighty_columns_wide() {
    let text = page(|options, bytes| table::census(&head(), &counted(), options, bytes));
    assert!(text.lines().all(|line| line.len() <= 80 && !line.ends_with(' ')), "{text}");
    insta::assert_snapshot!(text, @r"
    11 hosts in 4.1 s, census 20261121T023004Z-7c1f: 2 clusters, 1 odd host and 1
      not read whole (exit 3)
    Differences are told as seen from web-01, with which all were compared.

    CLUSTERS
    1  6 hosts, debian 12 x86_64
      web-[01-06]
      the kind of web-01
      most typical: web-01
      apart from the others by
        MED   others: lib0 1 -> 2, upgraded                                      6/6
        MED   others: lib10 1 -> 2, upgraded                                     6/6
        MED   others: lib11 1 -> 2, upgraded                                     6/6
        MED   others: lib1 1 -> 2, upgraded                                      6/6
        MED   others: lib2 1 -> 2, upgraded                                      6/6
        ... and 7 more (-v shows them)

    2  4 hosts, debian 12 x86_64
      db-[01-04]
      most typical: db-01
      apart from the others by
        MED   lib0 1 -> 2, upgraded                                              4/4
        MED   lib10 1 -> 2, upgraded                                             4/4
        MED   lib11 1 -> 2, upgraded                                             4/4
        MED   lib1 1 -> 2, upgraded                                              4/4
        MED   lib2 1 -> 2, upgraded                                              4/4
        ... and 7 more (-v shows them)

    ODD
    web-04  600, of cluster 1
        HIGH  /usr/local/bin/fix.sh: added, executable file 0755 root            1/6

    NOT READ WHOLE
    web-07 (left out)
            unreachable: connection refused
            is it up?
    ");
}

#[test]
fn the_document_of_a_census_has_what_it_promises() {
    let mut bytes = Vec::new();
    write(&head(), &counted(), &mut bytes).unwrap();
    assert_eq!(bytes.iter().position(|byte| *byte == b'\n'), Some(bytes.len() - 1));
    let census: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((&census["schema"], &census["version"]), (&Value::from("driftscan.census/v1"), &Value::from(1)));
    let summary = r#"{"clusters":2,"counted":10,"odd":1,"selected":11,"status":3,"strays":0,"unread":1}"#;
    assert_eq!(census["summary"].to_string(), summary);
    assert_eq!((&census["clusters"][1]["number"], &census["odd"][0]["cluster"]), (&Value::from(2), &Value::from(1)));
    let mark = &census["odd"][0]["marks"][0];
    assert_eq!(mark["finding"]["title"], "/usr/local/bin/fix.sh: added, executable file 0755 root");
    assert_eq!((&mark["having"], &mark["of"], &mark["lacks"]), (&Value::from(1), &Value::from(6), &Value::from(false)));
    assert_eq!(census["unread"][0]["reasons"][0]["reason"], "unreachable");
}

#[test]
fn two_hosts_are_told_side_by_side() {
    let second = drifted(host("web-02", "web", ""), vec![fixed(), removed(), package(1)]);
    let pair = Pair { first: host("web-01", "web", ""), second };
    let text = page(|options, bytes| table::pair(&head(), &pair, options, bytes));
    assert!(text.lines().all(|line| line.len() <= 80 && !line.ends_with(' ')), "{text}");
    insta::assert_snapshot!(text, @r"
    web-01 and web-02 in 4.1 s: 3 differences (exit 2)

    ONLY ON web-01
      MED   /usr/bin/tar: executable file 0755

    ONLY ON web-02
      HIGH  /usr/local/bin/fix.sh: executable file 0755 root

    DIFFERS, web-01 -> web-02
      MED   lib1 1 -> 2, upgraded
    ");
    let mut bytes = Vec::new();
    pair::write(&head(), &pair, &mut bytes).unwrap();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    for (side, subject) in
        [("only_first", "fs:/usr/bin/tar"), ("only_second", "fs:/usr/local/bin/fix.sh"), ("differs", "pkg:lib1:amd64")]
    {
        assert_eq!(document[side].as_array().unwrap().len(), 1, "{side}");
        assert_eq!(document[side][0]["subject"], subject);
    }
    assert_eq!((&document["complete"], &document["status"]), (&Value::from(true), &Value::from(2)));
}
