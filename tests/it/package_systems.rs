//! Package systems besides dpkg, with databases made by the real tools; fault F29.

use crate::lab::{Lab, Scene, Tree, is_root, program, tool};
use rustix::fs::{FlockOperation, fcntl_lock};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const RPM: &str = "/var/lib/rpm";
const APK: &str = "/lib/apk/db/installed";
const PACMAN: &str = "/var/lib/pacman";

/// Runs a tool whose arguments are paths and texts.
#[track_caller]
fn run(name: &str, args: &[&str]) -> String {
    String::from_utf8_lossy(&tool(name, args).stdout).into_owned()
}

/// Builds an rpm without files: `NAME-VERSION-RELEASE`, with an epoch where one is given.
fn rpm_package(dir: &Path, name: &str, version: &str, epoch: Option<u32>, summary: &str) -> PathBuf {
    let top = dir.join("rpmbuild");
    fs::create_dir_all(&top).unwrap();
    let spec = top.join(format!("{name}.spec"));
    let (version, release) = version.split_once('-').unwrap();
    let epoch = epoch.map(|epoch| format!("Epoch: {epoch}\n")).unwrap_or_default();
    let text = format!(
        "Name: {name}\nVersion: {version}\nRelease: {release}\n{epoch}License: MIT\nBuildArch: noarch\nSummary: {summary}\n\
         %description\n{}\n%files\n",
        "A long text, so that the header takes more than one page of a database.\n".repeat(80)
    );
    fs::write(&spec, text).unwrap();
    let file = top.join(format!("{name}-{version}-{release}.rpm"));
    let define = format!("_topdir {}", top.display());
    let named = "_build_name_fmt ../%%{NAME}-%%{VERSION}-%%{RELEASE}.rpm";
    run("rpmbuild", &["-bb", "--quiet", "--define", &define, "--define", named, spec.to_str().unwrap()]);
    file
}

/// A summary that goes on with the sections of packages beside the first.
fn many(count: usize) -> String {
    let section =
        |n| format!("\n%package -n part-{n}\nSummary: a part\n%description -n part-{n}\nA part.\n%files -n part-{n}\n");
    (0..count).fold("many parts".to_owned(), |all, n| all + &section(n))
}

/// A database with these packages, at its place in a root.
fn rpm_install(root: &Tree, folder: &str, packages: &[PathBuf]) {
    let folder = root.at(folder);
    fs::create_dir_all(&folder).unwrap();
    let own = ["--dbpath", folder.to_str().unwrap()];
    run("rpmdb", &[&own[..], &["--initdb"]].concat());
    if !packages.is_empty() {
        let files = packages.iter().map(|file| file.to_str().unwrap());
        let how = ["-i", "--force-debian", "--justdb", "--nodeps", "--oldpackage", "--replacepkgs", "--nosignature"];
        run("rpm", &own.into_iter().chain(how).chain(files).collect::<Vec<_>>());
    }
}

/// What rpm itself says is installed, as the records' texts.
fn rpm_says(folder: &Path) -> BTreeSet<String> {
    let format = "pkg:rpm:%{NAME}:%{ARCH} %{EVR} %{SHA256HEADER}\n";
    run("rpm", &["--dbpath", folder.to_str().unwrap(), "-qa", "--qf", format]).lines().map(ToOwned::to_owned).collect()
}

/// What a capture has of a package system.
fn captured(lab: &Lab, root: &Tree, system: &str) -> BTreeSet<String> {
    let label = format!("captured@{}", lab.path("baselines/captured").read_dir().map_or(0, Iterator::count) + 1);
    lab.capture(&label, root);
    let text = fs::read_to_string(lab.baseline("captured", label.split_once('@').unwrap().1)).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let told = records.filter_map(|record| {
        let subject = record["subject"].as_str()?.strip_prefix("pkg:")?.strip_prefix(system)?.to_owned();
        let of = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        Some(format!("pkg:{system}{subject} {} {}", of("version"), of("build")).trim_end().to_owned())
    });
    told.collect()
}

/// Three packages, one with an epoch.
fn three(dir: &Path) -> Vec<PathBuf> {
    vec![
        rpm_package(dir, "tiny", "1.0-1", None, "tiny"),
        rpm_package(dir, "bash", "5.2.15-2.el9", None, "a shell"),
        rpm_package(dir, "with-epoch", "2.0~rc1-3", Some(7), "an epoch"),
    ]
}

#[test]
fn rpm_as_rpm_itself_tells_in_each_form_of_its_database() {
    let lab = Lab::new();
    let mut packages = three(&lab.path(""));
    // Built by one run: every one of them is another header.
    rpm_package(&lab.path(""), "many", "1-1", None, &many(60));
    let built = fs::read_dir(lab.path("rpmbuild")).unwrap().map(|entry| entry.unwrap().path());
    packages.extend(built.filter(|file| file.to_str().unwrap().contains("/part-")));
    assert_eq!(packages.len(), 63);
    let golden = lab.golden_root();
    let roots: Vec<Tree> = ["sqlite", "ndb", "berkeley"].map(|name| lab.clone_root(&golden, name)).into();
    rpm_install(&roots[0], RPM, &packages);
    let headers = headers(&roots[0].at(RPM));
    // As SUSE and Fedora have it: another place, and a link at the old one.
    own_form(&headers, &roots[1].at("/usr/lib/sysimage/rpm/Packages.db"));
    roots[1].link(RPM, "../../usr/lib/sysimage/rpm");
    berkeley(&lab, &headers, &roots[2]);
    let told = rpm_says(&roots[0].at(RPM));
    assert_eq!(told.len(), packages.len());
    assert!(told.iter().any(|line| line.starts_with("pkg:rpm:with-epoch:noarch 7:2.0~rc1-3 ")), "{told:?}");
    for root in roots {
        assert_eq!(captured(&lab, &root, "rpm"), told, "{}", root.path().display());
    }
}

/// The headers of a database, as rpm exports them, without the mark in front of each.
fn headers(database: &Path) -> Vec<Vec<u8>> {
    let all = tool("rpmdb", &["--dbpath", database.to_str().unwrap(), "--exportdb"]).stdout;
    let (mut rest, mut found) = (&all[..], Vec::new());
    while !rest.is_empty() {
        let field = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().unwrap()) as usize;
        let end = 16 + 16 * field(8) + field(12);
        found.push(rest[8..end].to_vec());
        rest = &rest[end..];
    }
    found
}

/// A Berkeley DB with these headers: rpm of today can't write one, Berkeley DB's own loader can.
fn berkeley(lab: &Lab, headers: &[Vec<u8>], to: &Tree) {
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |all, byte| all + &format!("{byte:02x}"));
    let mut text = "VERSION=3\nformat=bytevalue\ntype=hash\nh_nelem=4\nHEADER=END\n 00000000\n 2a000000\n".to_owned();
    for (number, header) in (1u32..).zip(headers) {
        text.extend([" ", &hex(&number.to_le_bytes()), "\n ", &hex(header), "\n"]);
    }
    text += "DATA=END\n";
    fs::write(lab.path("dump"), text).unwrap();
    fs::create_dir_all(to.at(RPM)).unwrap();
    let (dump, file) = (lab.path("dump"), to.at(RPM).join("Packages"));
    run("db5.3_load", &["-f", dump.to_str().unwrap(), file.to_str().unwrap()]);
}

/// rpm's own form with these headers, by hand: Debian's rpm is built without it. One slot in the middle was given up.
fn own_form(headers: &[Vec<u8>], file: &Path) {
    let word = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let mut slots = [&b"RpmP"[..], &word(0), &word(7), &word(1), &word(headers.len() + 1), &[0; 12]].concat();
    let mut blobs = Vec::new();
    for (number, header) in (1..).zip(headers) {
        let block = 256 + blobs.len() / 16;
        let tail = [&[0; 4][..], &word(header.len()), b"BlbE"].concat();
        let mut blob = [&b"BlbS"[..], &word(number), &word(7), &word(header.len()), header].concat();
        blob.resize((blob.len() + tail.len()).next_multiple_of(16) - tail.len(), 0);
        blob.extend(tail);
        if number == 2 {
            slots.extend([&b"Slot"[..], &[0; 12]].concat());
        }
        slots.extend([&b"Slot"[..], &word(number), &word(block), &word(blob.len() / 16)].concat());
        blobs.extend(blob);
    }
    while slots.len() < 4096 {
        slots.extend([&b"Slot"[..], &[0; 12]].concat());
    }
    slots.extend(blobs);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, slots).unwrap();
}

/// The newest packages may stand in the database's log alone, and a transaction that was cut off stands there too.
#[test]
fn rpm_with_what_only_the_log_has() {
    let lab = Lab::new();
    let root = lab.golden_root();
    rpm_install(&root, RPM, &three(&lab.path("")));
    let (live, copy) = (root.at(RPM), lab.path("copy"));
    let file = live.join("rpmdb.sqlite");
    let take = format!(".shell cp -a {} {}", live.display(), copy.display());
    let script = [
        "PRAGMA wal_autocheckpoint=0;",
        "DELETE FROM Packages WHERE hnum=1;",
        // Enough to spill pages of a transaction that is not finished when the copy is taken.
        "PRAGMA cache_size=2; BEGIN; DELETE FROM Packages; CREATE TABLE filler(b);",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<200) INSERT INTO filler SELECT zeroblob(4000) FROM n;",
        &take,
    ];
    run("sqlite3", &[&[file.to_str().unwrap()], &script[..]].concat());
    assert!(fs::metadata(copy.join("rpmdb.sqlite-wal")).unwrap().len() > 100_000, "the log has something");
    root.remove(RPM);
    tool("cp", &["-a", copy.to_str().unwrap(), live.to_str().unwrap()]);
    let read = captured(&lab, &root, "rpm");
    assert_eq!(read, rpm_says(&copy));
    assert_eq!(read.len(), 2);
}

#[test]
fn rpm_hosts_over_ssh() {
    let dir = tempfile::tempdir().unwrap();
    let packages = three(dir.path());
    let kernel = |version: &str| rpm_package(dir.path(), "kernel", version, None, "of the kernel");
    let kernels = [kernel("5.14.0-9"), kernel("5.14.0-10"), kernel("5.14.0-11")];
    let all = [&packages[..], &kernels[..2]].concat();
    let scene = Scene::with(&crate::lab::Options::default(), |golden| rpm_install(golden, RPM, &all));
    // What rpm does to its shared memory and log when it lists is no drift.
    let host = scene.host("web-01");
    run("rpm", &["--dbpath", host.at(RPM).to_str().unwrap(), "-qa"]);
    host.write("/var/lib/rpm/.rpm.lock", "");
    // The same packages, installed in another order.
    let host = scene.host("web-02");
    host.remove(RPM);
    rpm_install(&host, RPM, &all.iter().rev().cloned().collect::<Vec<_>>());
    let host = scene.host("web-03");
    host.remove(RPM);
    let rebuilt = rpm_package(&dir.path().join("again"), "tiny", "1.0-1", None, "rebuilt");
    let older = rpm_package(dir.path(), "bash", "5.2.9-1.el9", None, "a shell");
    rpm_install(&host, RPM, &[rebuilt, older, kernels[1].clone(), kernels[2].clone()]);
    for _ in 0..2 {
        let run = scene.run().exits(2).says("web-01", "clean").says("web-02", "clean");
        let run = run.drifted(
            "web-03",
            &[
                ("package-version", "pkg:rpm:tiny:noarch"),
                ("package-version", "pkg:rpm:bash:noarch"),
                ("package-version", "pkg:rpm:kernel:noarch"),
                ("package-removed", "pkg:rpm:with-epoch:noarch"),
            ],
        );
        let direction = |name: &str| {
            run.finding("web-03", "package-version", &format!("pkg:rpm:{name}:noarch"))["direction"].clone()
        };
        assert_eq!([direction("tiny"), direction("bash"), direction("kernel")], ["rebuilt", "downgraded", "upgraded"]);
        let kernel = run.finding("web-03", "package-version", "pkg:rpm:kernel:noarch");
        assert_eq!(kernel["before"]["version"], "5.14.0-10 5.14.0-9");
        assert_eq!(kernel["after"]["version"], "5.14.0-10 5.14.0-11");
        assert!(run.stdout.contains("5.2.15-2.el9 -> 5.2.9-1.el9, downgraded"), "{run}");
        assert_eq!(run.host("web-01")["coverage"]["package_systems"], serde_json::json!(["dpkg", "rpm"]));
        assert_eq!(run.host("web-01")["coverage"]["packages"], 32 + 4);
    }
}

/// The name of a host, and what happened to its database.
type Way<'a> = (&'a str, &'a dyn Fn(&Tree));

/// Runs a scan of hosts whose database was spoiled, each in another way. None is clean, each says why, and none has
/// packages that are gone; where the file became a link or a pipe, that is drift beside it.
fn spoiled(scene: &Scene, ways: &[Way<'_>], system: &str) {
    for (name, spoil) in ways {
        spoil(&scene.host(name));
    }
    scene.host("sound");
    let run = scene.run().says("sound", "clean");
    for (name, _) in ways {
        let findings = run.findings(name);
        let verdict = if findings.is_empty() { "unverifiable" } else { "drifted" };
        assert_eq!(run.verdict(name), verdict, "{name}\n{run}");
        assert!(findings.iter().all(|(code, _)| !code.starts_with("package-")), "{name}\n{run}");
        assert!(findings.is_empty() || ["link", "fifo", "old", "journal"].contains(name), "{name}\n{run}");
        let text = run.host(name)["reasons"].to_string();
        assert!(text.contains(&format!("database of {system}")), "{name}: {text}\n{run}");
    }
}

fn cut(host: &Tree, file: &str, keep: f64) {
    let file = File::options().write(true).open(host.at(file)).unwrap();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a part of a small file"
    )]
    let len = (file.metadata().unwrap().len() as f64 * keep) as u64;
    file.set_len(len).unwrap();
}

/// Turns every byte of a stretch of a file.
fn garble(host: &Tree, file: &str, range: std::ops::Range<usize>) {
    let mut bytes = fs::read(host.at(file)).unwrap();
    let len = bytes.len();
    bytes[range.start.min(len)..range.end.min(len)].iter_mut().for_each(|byte| *byte ^= 0xa5);
    fs::write(host.at(file), bytes).unwrap();
}

#[test]
fn f29_a_spoiled_database_of_rpm_is_unverifiable() {
    const FILE: &str = "/var/lib/rpm/rpmdb.sqlite";
    let dir = tempfile::tempdir().unwrap();
    let packages = three(dir.path());
    let scene = Scene::with(&crate::lab::Options::default(), |golden| rpm_install(golden, RPM, &packages));
    spoiled(
        &scene,
        &[
            ("empty", &|host| host.write(FILE, "")),
            ("cut", &|host| cut(host, FILE, 0.5)),
            ("head", &|host| garble(host, FILE, 0..16)),
            ("first-page", &|host| garble(host, FILE, 100..4096)),
            ("all-pages", &|host| garble(host, FILE, 4096..usize::MAX)),
            ("garbage", &|host| host.write(FILE, vec![0x5a; 100_000])),
            ("sparse", &|host| host.sparse(FILE, 100 << 20)),
            ("link", &|host| host.link(FILE, "/etc/passwd")),
            ("fifo", &|host| {
                host.remove(FILE);
                host.special(FILE, &["mkfifo"]);
            }),
            ("journal", &|host| host.write("/var/lib/rpm/rpmdb.sqlite-journal", "cut off")),
        ],
        "rpm",
    );
}

#[test]
fn f29_a_spoiled_database_of_rpms_other_forms_is_unverifiable() {
    const OWN: &str = "/var/lib/rpm/Packages.db";
    let dir = tempfile::tempdir().unwrap();
    let packages = three(dir.path());
    let scene = Scene::with(&crate::lab::Options::default(), |golden| {
        rpm_install(golden, RPM, &packages);
        let headers = headers(&golden.at(RPM));
        golden.remove(RPM);
        own_form(&headers, &golden.at(OWN));
    });
    let old = "/var/lib/rpm/Packages";
    spoiled(
        &scene,
        &[
            ("empty", &|host| host.write(OWN, "")),
            ("cut", &|host| cut(host, OWN, 0.7)),
            ("slots", &|host| garble(host, OWN, 40..4096)),
            ("headers", &|host| garble(host, OWN, 4096..usize::MAX)),
            ("old", &|host| {
                host.remove(OWN);
                host.write(old, [0u8; 8192]);
            }),
        ],
        "rpm",
    );
}

#[test]
fn f29_a_removed_or_emptied_database_is_not_no_packages() {
    let dir = tempfile::tempdir().unwrap();
    let packages = three(dir.path());
    let scene = Scene::with(&crate::lab::Options::default(), |golden| rpm_install(golden, RPM, &packages));
    scene.host("removed").remove("/var/lib/rpm/rpmdb.sqlite");
    let emptied = scene.host("emptied");
    emptied.remove(RPM);
    rpm_install(&emptied, RPM, &[]);
    let run = scene.run();
    for name in ["removed", "emptied"] {
        assert!(run.reasons(name).contains("packages"), "{name}\n{run}");
        assert!(!run.findings(name).iter().any(|(code, _)| *code == "package-removed"), "{name}\n{run}");
    }
}

#[test]
fn f29_a_locked_database_is_unverifiable() {
    let dir = tempfile::tempdir().unwrap();
    let packages = three(dir.path());
    let scene = Scene::with(&crate::lab::Options::default(), |golden| {
        rpm_install(golden, RPM, &packages);
        golden.write("/var/lib/dpkg/lock-frontend", "");
    });
    let lock = |path: PathBuf| {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path).unwrap();
        fcntl_lock(&file, FlockOperation::LockExclusive).unwrap();
        file
    };
    let held = [
        lock(scene.host("apt").at("/var/lib/dpkg/lock-frontend")),
        lock(scene.host("rpm").at("/var/lib/rpm/.rpm.lock")),
    ];
    scene.host("free");
    let run =
        scene.run().exits(3).unverifiable("apt", "packages").unverifiable("rpm", "packages").says("free", "clean");
    assert!(run.host("apt")["reasons"].to_string().contains("the package database of dpkg is locked"), "{run}");
    drop(held);
    scene.run().succeeds();
}

#[test]
fn f29_half_installed_is_unverifiable() {
    const STATUS: &str = "/var/lib/dpkg/status";
    let scene = Scene::new();
    let state = |state: &'static str| {
        move |host: &Tree| {
            host.replace(
                STATUS,
                "Package: curl\nStatus: install ok installed",
                &format!("Package: curl\nStatus: install {state}"),
            );
        }
    };
    spoiled(
        &scene,
        &[
            ("half-installed", &state("reinstreq half-installed")),
            ("unpacked", &state("ok unpacked")),
            ("triggers", &state("ok triggers-pending")),
            ("cut", &|host| cut(host, STATUS, 0.4)),
            ("twice", &|host| {
                let whole = fs::read_to_string(host.at(STATUS)).unwrap();
                host.write(STATUS, whole.clone() + &whole);
            }),
            ("colon", &|host| host.replace(STATUS, "Package: curl\n", "Package: rpm:curl\n")),
            ("nul", &|host| host.replace(STATUS, "Package: curl\n", "Package: cu\0rl\n")),
            ("large", &|host| {
                host.append(STATUS, &format!("Package: large\nDescription: {}\n\n", " x\n".repeat(23 << 20)));
            }),
        ],
        "dpkg",
    );
}

/// What apk-tools 3.0 wrote for a package of one file, and two more in the form of its predecessors.
const INSTALLED: &str = "C:Q1X9E3tJCptg8DcWk1gB25FQpKLYE=
P:tiny
V:1.2-r0
A:x86_64
S:254
I:3
T:t
U:
L:MIT
o:tiny
f:S
F:usr
F:usr/bin
R:tool
Z:Q1mOpuTyFvL7S2n/+bOkSELDhobKY=

C:Q1JV2MJFSUSmjxHVTJB0pCzlRlFtM=
P:musl
V:1.2.5-r9
A:x86_64
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755

C:Q1pF1Zm0l8s2WUkk5D3WZV1o0o2y4=
P:busybox
V:1.37.0_rc1-r12
A:x86_64

";

#[test]
fn apk_hosts() {
    let scene = Scene::with(&crate::lab::Options::default(), |golden| golden.write(APK, INSTALLED));
    assert!(
        captured(&scene.lab, &scene.golden, "apk")
            .contains("pkg:apk:musl:x86_64 1.2.5-r9 Q1JV2MJFSUSmjxHVTJB0pCzlRlFtM=")
    );
    let host = scene.host("web-01");
    host.write("/lib/apk/db/lock", "");
    let order: Vec<&str> = INSTALLED.split_inclusive("\n\n").collect();
    host.write(APK, order.iter().rev().copied().collect::<String>());
    let host = scene.host("web-02");
    host.replace(APK, "V:1.37.0_rc1-r12", "V:1.37.0-r0");
    host.replace(APK, "C:Q1X9E3", "C:Q1X9E4");
    host.replace(APK, "P:musl", "P:muscle");
    let run = scene.run().exits(2).says("web-01", "clean").drifted(
        "web-02",
        &[
            ("package-version", "pkg:apk:busybox:x86_64"),
            ("package-version", "pkg:apk:tiny:x86_64"),
            ("package-removed", "pkg:apk:musl:x86_64"),
            ("package-added", "pkg:apk:muscle:x86_64"),
        ],
    );
    assert_eq!(run.finding("web-02", "package-version", "pkg:apk:busybox:x86_64")["direction"], "upgraded");
    assert_eq!(run.finding("web-02", "package-version", "pkg:apk:tiny:x86_64")["direction"], "rebuilt");
}

#[test]
fn f29_a_spoiled_database_of_apk_is_unverifiable() {
    let scene = Scene::with(&crate::lab::Options::default(), |golden| golden.write(APK, INSTALLED));
    spoiled(
        &scene,
        &[
            ("cut", &|host| cut(host, APK, 0.55)),
            ("run-together", &|host| host.replace(APK, "=\n\nC:Q1J", "=\nC:Q1J")),
            ("twice", &|host| host.append(APK, INSTALLED)),
            ("nameless", &|host| host.replace(APK, "P:musl\n", "")),
            ("garbage", &|host| host.write(APK, [0xffu8; 4096])),
            ("link", &|host| host.link(APK, "/etc/passwd")),
        ],
        "apk",
    );
}

/// Installs packages with the real pacman: hand-made archives of a description alone.
fn pacman_install(root: &Tree, dir: &Path, packages: &[(&str, &str, &str)]) {
    let config = dir.join("pacman.conf");
    fs::write(&config, "[options]\nSigLevel = Never\nArchitecture = x86_64\n").unwrap();
    fs::create_dir_all(root.at(PACMAN)).unwrap();
    let mut files = Vec::new();
    for (name, version, built) in packages {
        let made = dir.join(format!("{name}-{version}"));
        fs::create_dir_all(&made).unwrap();
        let text = format!(
            "pkgname = {name}\npkgver = {version}\npkgdesc = made by hand\nbuilddate = {built}\nsize = 0\narch = x86_64\n"
        );
        fs::write(made.join(".PKGINFO"), text).unwrap();
        let file = dir.join(format!("{name}-{version}-x86_64.pkg.tar"));
        run("tar", &["-cf", file.to_str().unwrap(), "-C", made.to_str().unwrap(), ".PKGINFO"]);
        files.push(file.to_str().unwrap().to_owned());
    }
    let (own, database) = (root.path().to_str().unwrap(), root.at(PACMAN));
    let mut args =
        vec!["-U", "--noconfirm", "--nodeps", "--nodeps", "--root", own, "--dbpath", database.to_str().unwrap()];
    let (cache, log) = (dir.join("cache"), dir.join("log"));
    args.extend([
        "--config",
        config.to_str().unwrap(),
        "--cachedir",
        cache.to_str().unwrap(),
        "--logfile",
        log.to_str().unwrap(),
    ]);
    args.extend(files.iter().map(String::as_str));
    // pacman insists on being root; what it believes is enough.
    let pacman = program("pacman");
    let mut command = if is_root() { Command::new(pacman) } else { Command::new(program("fakeroot")) };
    if !is_root() {
        command.arg(program("pacman"));
    }
    let output = command.args(args).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn pacman_hosts() {
    let dir = tempfile::tempdir().unwrap();
    let tools =
        [("tiny", "1.0-1", "1700000000"), ("linux", "6.9.arch1-1", "1700000001"), ("glibc", "1:2.40-1", "1700000002")];
    let scene = Scene::with(&crate::lab::Options::default(), |golden| pacman_install(golden, dir.path(), &tools));
    let told = captured(&scene.lab, &scene.golden, "pacman");
    assert_eq!(
        told.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "pkg:pacman:glibc:x86_64 1:2.40-1 1700000002",
            "pkg:pacman:linux:x86_64 6.9.arch1-1 1700000001",
            "pkg:pacman:tiny:x86_64 1.0-1 1700000000"
        ]
    );
    scene.host("web-01");
    pacman_install(&scene.host("web-02"), dir.path(), &[("linux", "6.10.arch1-1", "1710000000")]);
    let run = scene.run().exits(2).says("web-01", "clean");
    assert_eq!(run.finding("web-02", "package-version", "pkg:pacman:linux:x86_64")["direction"], "upgraded");
}

#[test]
fn f29_a_spoiled_database_of_pacman_is_unverifiable() {
    const DESC: &str = "/var/lib/pacman/local/tiny-1.0-1/desc";
    let dir = tempfile::tempdir().unwrap();
    let tools = [("tiny", "1.0-1", "1700000000"), ("glibc", "1:2.40-1", "1700000002")];
    let scene = Scene::with(&crate::lab::Options::default(), |golden| pacman_install(golden, dir.path(), &tools));
    spoiled(
        &scene,
        &[
            ("locked", &|host| host.write("/var/lib/pacman/db.lck", "")),
            ("cut", &|host| cut(host, DESC, 0.2)),
            ("garbage", &|host| host.write(DESC, [7u8; 5000])),
            ("another", &|host| host.replace(DESC, "tiny\n", "tinier\n")),
            ("link", &|host| host.link(DESC, "../glibc-1:2.40-1/desc")),
        ],
        "pacman",
    );
}

#[test]
fn tools_of_another_distribution_bring_nothing() {
    let scene = Scene::with(&crate::lab::Options::default(), |golden| {
        rpm_install(golden, RPM, &[]);
        golden.write("/var/lib/pacman/local/ALPM_DB_VERSION", "9\n");
        golden.write(APK, "");
    });
    scene.host("web-01");
    let run = scene.run().succeeds().says("web-01", "clean");
    assert_eq!(run.host("web-01")["coverage"]["package_systems"], serde_json::json!(["dpkg"]));
}

#[test]
fn names_that_several_systems_have_stay_apart() {
    let dir = tempfile::tempdir().unwrap();
    let curl = rpm_package(dir.path(), "curl", "9-1", None, "another curl");
    let scene = Scene::with(&crate::lab::Options::default(), |golden| {
        rpm_install(golden, RPM, &[curl]);
        golden.write(APK, "C:Q1\nP:curl\nV:8-r0\nA:amd64\n\n");
    });
    scene.host("web-01").replace(APK, "V:8-r0", "V:7-r0");
    let run = scene.run().exits(2).drifted("web-01", &[("package-version", "pkg:apk:curl:amd64")]);
    assert_eq!(run.host("web-01")["coverage"]["package_systems"], serde_json::json!(["dpkg", "rpm", "apk"]));
}

#[test]
fn snaps_and_flatpaks_are_listed() {
    let scene = Scene::with(&crate::lab::Options::default(), |golden| {
        golden.write("/var/lib/snapd/snaps/core22_1122.snap", "an image");
        golden.write("/var/lib/snapd/snaps/core22_1033.snap", "an image");
        golden.write("/var/lib/snapd/snaps/partial/x", "");
        let app = "/var/lib/flatpak/app/org.example.App";
        golden.write(format!("{app}/x86_64/stable/{}/files/x", "0f".repeat(32)), "");
        golden.link(&format!("{app}/x86_64/stable/active"), &"0f".repeat(32));
        golden.link(&format!("{app}/current"), "x86_64/stable");
    });
    assert_eq!(
        captured(&scene.lab, &scene.golden, "snap").into_iter().collect::<Vec<_>>(),
        ["pkg:snap:core22: 1033 1122"]
    );
    let flatpaks = captured(&scene.lab, &scene.golden, "flatpak");
    assert!(
        flatpaks.contains(&format!("pkg:flatpak:app/org.example.App/stable:x86_64 {}", "0f".repeat(32))),
        "{flatpaks:?}"
    );
    scene.host("web-01");
    let host = scene.host("web-02");
    host.write("/var/lib/snapd/snaps/core22_1380.snap", "an image");
    host.remove("/var/lib/snapd/snaps/core22_1033.snap");
    let gone = scene.host("web-03");
    gone.remove("/var/lib/snapd");
    let run = scene.run().exits(2).says("web-01", "clean").says("web-02", "drifted").says("web-03", "drifted");
    assert_eq!(run.finding("web-02", "package-version", "pkg:snap:core22:")["direction"], "upgraded");
    run.finding("web-03", "package-removed", "pkg:snap:core22:");
}

#[test]
fn packages_that_change_during_the_scan_are_told() {
    let scene = Scene::with(&crate::lab::Options::default(), |golden| golden.sparse("/usr/lib/large.bin", 256 << 20));
    let host = scene.host("web-01");
    let running = scene.scan(&[]).spawn();
    // The first look is over when the walk is under way; the second comes after the large file.
    while crate::lab::probes(scene.sshd.pid()).len() < 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    let status = fs::read_to_string(host.at("/var/lib/dpkg/status")).unwrap();
    host.write("/var/lib/dpkg/status.new", status.replace("Version: 1.22.1-9\n", "Version: 1.22.1-10\n"));
    fs::rename(host.at("/var/lib/dpkg/status.new"), host.at("/var/lib/dpkg/status")).unwrap();
    let run = running.wait();
    assert!(run.reasons("web-01").contains("packages"), "{run}");
    assert!(run.host("web-01")["reasons"].to_string().contains("packages changed while the host was read"), "{run}");
    assert_ne!(run.verdict("web-01"), "clean", "{run}");
}
