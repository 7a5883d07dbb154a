//! Proofs of files by the databases of rpm, pacman and apk, made by the real tools where there are any.

use crate::lab::{Options, Run, Scene, Tree, is_root, program, tool};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

const RPM: &str = "/var/lib/rpm";
const APK: &str = "/lib/apk/db/installed";

/// Builds and installs an rpm of forty files, a link, a configuration file, a ghost, and a file that is not to be
/// verified; the database is rpm's own work, the files are laid out beside it.
fn rpm(root: &Tree, dir: &Path, version: &str) {
    let top = dir.join(format!("rpm-{version}"));
    fs::create_dir_all(&top).unwrap();
    let spec = top.join("app.spec");
    let text = format!(
        "Name: rapp\nVersion: {version}\nRelease: 1\nLicense: MIT\nBuildArch: noarch\nSummary: app\n%description\nAn app.\n\
         %install\nmkdir -p %{{buildroot}}/usr/share/rapp/sub %{{buildroot}}/etc\n\
         for n in $(seq 40); do echo $n of {version} > %{{buildroot}}/usr/share/rapp/$n; done\n\
         echo made for {version} > %{{buildroot}}/usr/share/rapp/sub/unverified\n\
         echo setting > %{{buildroot}}/etc/rapp.conf\ntouch %{{buildroot}}/etc/rapp.ghost\n\
         ln -s rapp/{version} %{{buildroot}}/usr/share/rapp.link\n\
         %files\n/usr/share/rapp\n%verify(not filedigest) /usr/share/rapp/sub/unverified\n/usr/share/rapp.link\n\
         %config /etc/rapp.conf\n%ghost /etc/rapp.ghost\n"
    );
    fs::write(&spec, text).unwrap();
    let define = format!("_topdir {}", top.display());
    let named = "_build_name_fmt ../%%{NAME}.rpm";
    tool("rpmbuild", &["-bb", "--quiet", "--define", &define, "--define", named, spec.to_str().unwrap()]);
    let database = root.at(RPM);
    fs::create_dir_all(&database).unwrap();
    let path = database.to_str().unwrap();
    tool("rpmdb", &["--dbpath", path, "--initdb"]);
    let file = top.join("rapp.rpm");
    let how = ["-U", "--force-debian", "--justdb", "--nodeps", "--nosignature", file.to_str().unwrap()];
    tool("rpm", &[&["--dbpath", path], &how[..]].concat());
    let unpack =
        format!("rpm2archive {0} && tar -xzf {0}.tgz -C {1} --no-same-owner", file.display(), root.path().display());
    tool("sh", &["-c", &unpack]);
    root.write("/etc/rapp.ghost", "state\n");
}

/// The same with pacman, which lays the files out itself.
fn pacman(root: &Tree, dir: &Path, version: &str) {
    let made = Tree::empty(dir.join(format!("pacman-{version}")));
    for n in 0..200 {
        made.write(format!("/usr/share/papp/{n}"), format!("{n} of {version}\n"));
    }
    made.write("/etc/papp.conf", "setting\n");
    made.link("/usr/share/papp.link", &format!("papp/{version}"));
    let mut tree = "#mtree\n/set type=file uid=0 gid=0 mode=644\n".to_owned();
    let files = tool("find", &[made.path().to_str().unwrap(), "-type", "f", "-exec", "sha256sum", "{}", "+"]).stdout;
    for line in String::from_utf8(files).unwrap().lines() {
        let (sum, file) = line.split_once("  ").unwrap();
        let file = Path::new(file).strip_prefix(made.path()).unwrap();
        writeln!(tree, "./{} time=1700000000.0 size=9 sha256digest={sum}", file.display()).unwrap();
    }
    writeln!(tree, "./usr/share/papp.link time=1700000000.0 mode=777 type=link link=papp/{version}").unwrap();
    made.write("/.MTREE.txt", tree);
    let packed = format!("cd {} && gzip -9n < .MTREE.txt > .MTREE && rm .MTREE.txt", made.path().display());
    tool("sh", &["-c", &packed]);
    made.write(
        "/.PKGINFO",
        format!("pkgname = papp\npkgver = {version}-1\npkgdesc = app\nbuilddate = 1700000000\nsize = 0\narch = x86_64\nbackup = etc/papp.conf\n"),
    );
    let file = dir.join(format!("papp-{version}-1-x86_64.pkg.tar"));
    let names = [".PKGINFO", ".MTREE", "usr", "etc"];
    tool("tar", &[&["-cf", file.to_str().unwrap(), "-C", made.path().to_str().unwrap()], &names[..]].concat());
    let config = dir.join("pacman.conf");
    fs::write(&config, "[options]\nSigLevel = Never\nArchitecture = x86_64\n").unwrap();
    let database = root.at("/var/lib/pacman");
    fs::create_dir_all(&database).unwrap();
    let mut command = if is_root() { Command::new(program("pacman")) } else { Command::new(program("fakeroot")) };
    if !is_root() {
        command.arg(program("pacman"));
    }
    command.args(["-U", "--noconfirm", "--nodeps", "--nodeps", "--overwrite", "*", "--root"]).arg(root.path());
    command.arg("--dbpath").arg(database).arg("--config").arg(config).arg("--cachedir").arg(dir.join("cache"));
    let output = command.arg("--logfile").arg(dir.join("log")).arg(file).env("LC_ALL", "C").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The same with apk's database as text: `apk-v2(5)`.
fn apk(root: &Tree, version: &str) {
    let mut text = format!("C:Q1X9E3tJCptg8DcWk1gB25FQpKLYE=\nP:aapp\nV:{version}-r0\nA:x86_64\nL:MIT\nF:etc\n");
    let sum = |bytes: &str| {
        let by = format!("printf '{bytes}' | openssl dgst -sha1 -binary | base64");
        String::from_utf8(tool("sh", &["-c", &by]).stdout).unwrap().trim().to_owned()
    };
    write!(text, "R:aapp.conf\nZ:Q1{}\nF:usr\nF:usr/share\nR:aapp.link\n", sum("setting\n")).unwrap();
    write!(text, "a:0:0:777\nZ:Q1{}\nF:usr/share/aapp\n", sum(&format!("aapp/{version}"))).unwrap();
    root.write("/etc/aapp.conf", "setting\n");
    for n in 0..20 {
        let content = format!("{n} of {version}\n");
        write!(text, "R:{n}\na:0:0:644\nZ:Q1{}\n", sum(&content)).unwrap();
        root.write(format!("/usr/share/aapp/{n}"), content);
    }
    root.link("/usr/share/aapp.link", &format!("aapp/{version}"));
    text.push('\n');
    root.write(APK, text);
}

#[track_caller]
fn class(run: &Run, host: &str, path: &str) -> String {
    let finding = run.finding(host, "content-changed", path);
    assert!(finding["cause"].is_null(), "{finding:#}");
    finding["class"].as_str().unwrap_or_default().to_owned()
}

#[track_caller]
fn titles(run: &Run, host: &str) -> Vec<String> {
    let causes = run.host(host)["causes"].as_array().into_iter().flatten();
    let mut titles: Vec<String> = causes.map(|cause| cause["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    titles
}

#[test]
fn rpm_pacman_and_apk_prove_their_files() {
    let dir = tempfile::tempdir().unwrap();
    let install = |root: &Tree, version: &str| {
        rpm(root, dir.path(), version);
        pacman(root, dir.path(), version);
        apk(root, version);
    };
    let scene = Scene::with(&Options::default(), |golden| install(golden, "1.0"));
    install(&scene.host("upgraded"), "2.0");
    let host = scene.host("tampered");
    install(&host, "2.0");
    for app in ["rapp", "papp", "aapp"] {
        host.change_unseen(&format!("/usr/share/{app}/7"));
        host.link(&format!("/usr/share/{app}.link"), "/tmp/elsewhere");
    }
    let host = scene.host("edited");
    for app in ["rapp", "papp", "aapp"] {
        host.append(&format!("/etc/{app}.conf"), "edited\n");
        host.change_unseen(&format!("/usr/share/{app}/8"));
    }
    host.append("/etc/rapp.ghost", "state\n");
    host.append("/usr/share/rapp/sub/unverified", "more\n");
    let run = scene.run().exits(2);

    let shipped = |name: &str, files| format!("{name} 1.0-{} -> 2.0-{}, {files}", end(name), end(name));
    let mut all = [("rapp", "41"), ("papp", "201"), ("aapp", "21")]
        .map(|(name, n)| shipped(name, format!("{n} files, all as the vendor shipped them")));
    all[0] = shipped("rapp", "41 of 42 files as shipped".to_owned());
    all.sort();
    assert_eq!(titles(&run, "upgraded"), all, "{run}");
    let left: Vec<_> =
        run.host("upgraded")["findings"].as_array().unwrap().iter().filter(|f| f["cause"].is_null()).collect();
    assert_eq!(left.len(), 1, "{left:#?}");
    assert_eq!(left[0]["path"], "/usr/share/rapp/sub/unverified");

    for (app, n, of) in [("rapp", 39, 42), ("papp", 199, 201), ("aapp", 19, 21)] {
        assert_eq!(class(&run, "tampered", &format!("/usr/share/{app}/7")), "tampered");
        let link = run.finding("tampered", "target-changed", &format!("/usr/share/{app}.link"));
        assert_eq!(link["class"], "tampered", "{link:#}");
        let told = shipped(app, format!("{n} of {of} files as shipped"));
        assert!(titles(&run, "tampered").contains(&told), "{told}: {:?}", titles(&run, "tampered"));
        assert_eq!(class(&run, "edited", &format!("/etc/{app}.conf")), "edited-config");
        assert_eq!(class(&run, "edited", &format!("/usr/share/{app}/8")), "tampered");
    }
    assert_eq!(class(&run, "edited", "/etc/rapp.ghost"), "");
    assert_eq!(class(&run, "edited", "/usr/share/rapp/sub/unverified"), "");
}

fn end(name: &str) -> &'static str {
    if name == "aapp" { "r0" } else { "1" }
}
