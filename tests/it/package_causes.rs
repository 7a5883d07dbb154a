//! Packages as causes: one line for an upgrade, with proof from the host's own database; what does not match stays.

use crate::lab::{Options, Run, Scene, Tree, is_root, program, tool};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds a Debian package of these files; those below `/etc` are configuration.
pub(crate) fn deb(
    dir: &Path,
    name: &str,
    version: &str,
    files: &[(String, String, u32)],
    links: &[(&str, &str)],
) -> PathBuf {
    let top = Tree::empty(dir.join(format!("{name}-{version}")));
    let (mut sums, mut conffiles) = (String::new(), String::new());
    for (path, text, mode) in files {
        top.write(path, text);
        top.chmod(path, *mode);
        let sum = tool("md5sum", &[top.at(path).to_str().unwrap()]).stdout;
        writeln!(sums, "{}  {}", String::from_utf8_lossy(&sum[..32]), path.trim_start_matches('/')).unwrap();
        if path.starts_with("/etc/") {
            writeln!(conffiles, "{path}").unwrap();
        }
    }
    for (path, target) in links {
        top.link(path, target);
    }
    let control =
        format!("Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: A <a@b>\nDescription: {name}\n");
    top.write("/DEBIAN/control", control);
    top.write("/DEBIAN/md5sums", sums);
    top.write("/DEBIAN/conffiles", conffiles);
    let file = dir.join(format!("{name}-{version}.deb"));
    tool("dpkg-deb", &["-b", "--root-owner-group", top.path().to_str().unwrap(), file.to_str().unwrap()]);
    file
}

/// Lets dpkg itself work on a tree.
pub(crate) fn dpkg(root: &Tree, args: &[&str]) {
    let at = format!("--root={}", root.path().display());
    let how = ["--force-depends", "--force-downgrade", "--force-confdef", "--force-confold", "--no-triggers"];
    let mut command = Command::new(program("dpkg"));
    command.arg(at).args(how).args(args).env("LC_ALL", "C");
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    if !is_root() {
        command.arg("--force-not-root");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Three hundred files and a few special ones.
fn app(version: &str) -> Vec<(String, String, u32)> {
    let file = |n: u32| (format!("/usr/share/app/{}/{n}", n % 7), format!("{n} of {version}\n"), 0o644);
    let mut files: Vec<_> = (0..300).map(file).collect();
    files.push(("/usr/bin/app".to_owned(), format!("#!/bin/sh\necho {version}\n"), 0o755));
    files.push((format!("/usr/share/app/only-in-{version}"), "x\n".to_owned(), 0o644));
    files.push(("/etc/app.conf".to_owned(), "port = 80\n".to_owned(), 0o644));
    // As packages that were built before /usr was merged write it.
    files.push(("/lib/app/old".to_owned(), format!("old {version}\n"), 0o644));
    files
}

#[track_caller]
fn class<'a>(run: &'a Run, host: &str, code: &str, path: &str) -> (&'a str, &'a str) {
    let finding = run.finding(host, code, path);
    assert!(finding["cause"].is_null(), "{finding:#}");
    (finding["class"].as_str().unwrap_or_default(), finding["severity"].as_str().unwrap())
}

/// The titles of a host's causes, each with the number of findings that it explains, and how many it leaves.
#[track_caller]
fn causes(run: &Run, host: &str) -> (Vec<(String, u64)>, usize) {
    let causes = run.host(host)["causes"].as_array().into_iter().flatten();
    let causes = causes.map(|c| (c["title"].as_str().unwrap().to_owned(), c["findings"].as_u64().unwrap())).collect();
    let findings = run.host(host)["findings"].as_array().unwrap();
    (causes, findings.iter().filter(|finding| finding["cause"].is_null()).count())
}

/// Changes a program and makes the package database say that it was so.
fn rewrite(host: &Tree) {
    host.change_unseen("/usr/bin/app");
    let sum = tool("md5sum", &[host.at("/usr/bin/app").to_str().unwrap()]).stdout;
    let sums = fs::read_to_string(host.at("/var/lib/dpkg/info/app.md5sums")).unwrap();
    let line = sums.lines().find(|line| line.ends_with("usr/bin/app")).unwrap().to_owned();
    let own = format!("{}  usr/bin/app", String::from_utf8_lossy(&sum[..32]));
    host.replace("/var/lib/dpkg/info/app.md5sums", &line, &own);
}

#[test]
fn dpkg_explains_what_it_proves_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let old = deb(dir.path(), "app", "1.0", &app("1.0"), &[("/usr/share/app/app.so", "app/1.0")]);
    let new = deb(dir.path(), "app", "1.1", &app("1.1"), &[("/usr/share/app/app.so", "app/1.1")]);
    let extra = deb(dir.path(), "extra", "3", &[("/usr/share/extra/a".into(), "a\n".into(), 0o644)], &[]);
    let scene = Scene::with(&Options::default(), |golden| dpkg(golden, &["-i", old.to_str().unwrap()]));
    let install = |host: &Tree, deb: &Path| dpkg(host, &["-i", deb.to_str().unwrap()]);

    scene.host("same");
    install(&scene.host("upgraded"), &new);

    let host = scene.host("tampered");
    install(&host, &new);
    host.change_unseen("/usr/bin/app");
    host.append("/etc/app.conf", "debug = yes\n");

    let host = scene.host("edited");
    host.append("/etc/app.conf", "debug = yes\n");
    host.change_unseen("/usr/share/app/0/7");
    host.change_unseen("/srv/www/robots.txt");
    host.remove("/usr/share/app/1/1");

    rewrite(&scene.host("rewritten"));

    dpkg(&scene.host("removed"), &["--remove", "app"]);
    install(&scene.host("added"), &extra);

    let host = scene.host("unowned");
    host.write("/usr/local/bin/fix.sh", "#!/bin/sh\n");
    host.chmod("/usr/local/bin/fix.sh", 0o755);
    host.write("/etc/house.conf", "a = b\n");
    host.write("/etc/app.conf.dpkg-new", "port = 81\n");

    let host = scene.host("pip");
    let base = "/usr/local/lib/python3.11/dist-packages";
    for n in 0..40 {
        host.write(format!("{base}/requests/part{n}.py"), "pass\n");
    }
    for file in ["METADATA", "RECORD", "WHEEL"] {
        host.write(format!("{base}/requests-2.31.0.dist-info/{file}"), "x\n");
    }
    host.write("/usr/local/lib/node_modules/@angular/cli/package.json", "{}\n");
    host.write("/var/lib/gems/3.1.0/gems/rack-3.0.8/lib/rack.rb", "module Rack; end\n");
    host.write("/var/lib/gems/3.1.0/specifications/rack-3.0.8.gemspec", "x\n");

    let host = scene.host("tree");
    for n in 0..50 {
        host.write(format!("/opt/tool/lib/{n}"), [0; 1000]);
    }
    host.write("/opt/tool/bin/tool", "#!/bin/sh\n");
    host.chmod("/opt/tool/bin/tool", 0o755);
    host.write("/opt/tool/bin/su", "#!/bin/sh\n");
    host.chmod("/opt/tool/bin/su", 0o4755);

    let run = scene.run().exits(2).says("same", "clean");

    let (told, left) = causes(&run, "upgraded");
    assert_eq!(
        told,
        [("app 1.0 -> 1.1, 303 files, all as the vendor shipped them, 1 link not proven, 1 path gone".to_owned(), 308)],
        "{run}"
    );
    assert_eq!(left, 0, "{run}");
    assert_eq!(run.finding("upgraded", "package-version", "pkg:app:amd64")["class"], "upgraded");
    assert_eq!(run.finding("upgraded", "content-changed", "/usr/bin/app")["class"], "as-shipped");

    let (told, left) = causes(&run, "tampered");
    assert!(told[0].0.starts_with("app 1.0 -> 1.1, 302 of 304 files as shipped"), "{told:?}");
    assert_eq!((told.len(), left), (1, 2), "{run}");
    assert_eq!(class(&run, "tampered", "content-changed", "/usr/bin/app"), ("tampered", "critical"));
    assert_eq!(class(&run, "tampered", "content-changed", "/etc/app.conf").0, "edited-config");

    assert_eq!(causes(&run, "edited"), (vec![], 4), "{run}");
    assert_eq!(class(&run, "edited", "content-changed", "/etc/app.conf").0, "edited-config");
    assert_eq!(class(&run, "edited", "content-changed", "/usr/share/app/0/7"), ("tampered", "high"));
    assert_eq!(class(&run, "edited", "content-changed", "/srv/www/robots.txt").0, "silent-change");
    assert_eq!(class(&run, "edited", "file-removed", "/usr/share/app/1/1").0, "tampered");

    assert_eq!(class(&run, "rewritten", "content-changed", "/usr/bin/app"), ("database-rewritten", "high"));

    assert_eq!(
        class(&run, "rewritten", "content-changed", "/var/lib/dpkg/info/app.md5sums"),
        ("database-rewritten", "high")
    );

    let (told, left) = causes(&run, "removed");
    assert_eq!(told.len(), 1, "{run}");
    assert!(told[0].0.starts_with("app removed, 3"), "{told:?}");
    assert_eq!(left, 0, "{run}");
    let (told, left) = causes(&run, "added");
    assert_eq!((told[0].0.as_str(), left), ("extra 3 added, 1 file, as the vendor shipped it", 0), "{run}");

    assert_eq!(class(&run, "unowned", "file-added", "/usr/local/bin/fix.sh").0, "unowned-executable");
    assert_eq!(class(&run, "unowned", "file-added", "/etc/house.conf").0, "unowned");
    assert_eq!(class(&run, "unowned", "file-added", "/etc/app.conf.dpkg-new").0, "unmerged-config");
    let title = &run.finding("unowned", "file-added", "/usr/local/bin/fix.sh")["title"];
    assert_eq!(title, "/usr/local/bin/fix.sh: executable, no package owns it");

    let (told, left) = causes(&run, "pip");
    assert_eq!((told.len(), left), (3, 0), "{run}");
    let titles: Vec<&str> = told.iter().map(|(title, _)| title.as_str()).collect();
    for title in [
        "pip package requests 2.31.0 added, 43 files, no system package owns them",
        "npm package @angular/cli added, 1 file, no system package owns it",
        "gem package rack 3.0.8 added, 2 files, no system package owns them",
    ] {
        assert!(titles.contains(&title), "{titles:?}\n{run}");
    }

    let (told, left) = causes(&run, "tree");
    assert_eq!(told[0].0, "/opt/tool added: 54 entries, 1 executable, 50.1 kB, no package owns them", "{run}");
    assert_eq!((told[0].1, left), (54, 1), "{run}");
    assert_eq!(class(&run, "tree", "file-added", "/opt/tool/bin/su").0, "unowned-executable");
}

/// The name of a host, and what happened to its database.
type Way<'a> = (&'a str, &'a dyn Fn(&Tree));

/// A database that can't be read in a moment proves nothing, and holds nobody up.
#[test]
fn spoiled_sums_explain_nothing() {
    const SUMS: &str = "/var/lib/dpkg/info/nginx.md5sums";
    const LIST: &str = "/var/lib/dpkg/info/nginx.list";
    const FILE: &str = "/usr/share/doc/nginx/copyright";
    let scene = Scene::new();
    let ways: [Way<'_>; 6] = [
        ("pipe", &|host| {
            host.remove(SUMS);
            host.special(SUMS, &["mkfifo"]);
        }),
        ("link", &|host| host.link(SUMS, "/dev/zero")),
        ("huge", &|host| host.sparse(SUMS, 1 << 40)),
        ("garbage", &|host| host.write(SUMS, [0xff; 10_000])),
        ("huge-list", &|host| host.sparse(LIST, 1 << 40)),
        ("no-mtree", &|host| {
            host.write("/var/lib/pacman/local/x-1/desc", "%NAME%\nx\n\n%VERSION%\n1\n\n%ARCH%\nany\n");
            host.write("/var/lib/pacman/local/x-1/files", format!("%FILES%\n{}\n", &FILE[1..]));
            host.write("/var/lib/pacman/local/x-1/mtree", [&b"\x1f\x8b\x08\0\0\0\0\0\0\0"[..], &[0xed; 4000]].concat());
            host.remove(SUMS);
        }),
    ];
    for (name, spoil) in &ways {
        let host = scene.host(name);
        host.replace("/var/lib/dpkg/status", "Version: 1.22.1-9\n", "Version: 1.22.1-10\n");
        host.append(FILE, "more\n");
        spoil(&host);
    }
    let run = scene.run().exits(2);
    for (name, _) in &ways {
        assert_eq!(run.verdict(name), "drifted", "{run}");
        assert!(run.finding(name, "content-changed", FILE)["cause"].is_null(), "{name}\n{run}");
    }
}
