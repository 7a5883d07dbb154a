//! Builds the probe and hands its path and digest to the crate.
//!
//! A nested cargo in a target directory of its own, so that the outer cargo's lock is not waited for; the sources are
//! copied because `cargo package` leaves out a folder with a `Cargo.toml`, which is why it is called `Cargo.toml.in`.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The probe runs on hosts of this architecture; others come with a port of `probe/src/sys/arch.rs`.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// No position independence (there is no loader to relocate it), no unwinding tables, the short form of SHA-256 for the
/// rare processor without SHA instructions.
const FLAGS: [&str; 4] = [
    "-Crelocation-model=static",
    "-Ctarget-feature=+crt-static",
    "-Cforce-unwind-tables=no",
    "--cfg=sha2_backend_soft=\"compact\"",
];

/// Variables of the outer build that must not leak into the nested one.
const PREFIXES: [&str; 4] = ["CARGO_FEATURE_", "CARGO_CFG_", "CARGO_PKG_", "DEP_"];
const NAMES: [&str; 18] = [
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_LINKER",
    "CARGO_BUILD_TARGET",
    "CARGO_MAKEFLAGS",
    "MAKEFLAGS",
    "TARGET",
    "HOST",
    "OPT_LEVEL",
    "PROFILE",
    "DEBUG",
    "NUM_JOBS",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_RUSTFLAGS",
    "CLIPPY_ARGS",
    "CARGO_MANIFEST_DIR",
];

fn main() {
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(variable("OUT_DIR"));
    let from = manifest.join("probe");
    let sources = out.join("probe-src");
    copy(&from, &sources);
    println!("cargo::rerun-if-changed=build.rs");

    let target = out.join("probe-target");
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .current_dir(&sources)
        .args(["build", "--release", "--locked", "--quiet", "--target", TARGET, "--manifest-path"])
        .arg(sources.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if NAMES.contains(&&*text) || PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
            cargo.env_remove(&name);
        }
    }
    // A path of the builder's machine in the program would give each builder another digest.
    let remap = format!("--remap-path-prefix={}=probe", sources.display());
    let flags: Vec<&str> = FLAGS.into_iter().chain([remap.as_str()]).collect();
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    let status = cargo.status().expect("cargo starts");
    assert!(status.success(), "the probe does not build; its errors stand above");

    let built = target.join(TARGET).join("release/driftscan-probe");
    println!("cargo::rustc-env=DRIFTSCAN_PROBE={}", built.display());
    println!("cargo::rustc-env=DRIFTSCAN_PROBE_PACKED={}", pack(&built, &out).display());
}

/// The probe as most hosts get it: half the bytes on the wire.
fn pack(built: &Path, out: &Path) -> PathBuf {
    let bytes = fs::read(built).expect("the probe was built");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish()).expect("memory takes all that is written");
    let path = out.join("driftscan-probe.gz");
    fs::write(&path, packed).expect("OUT_DIR is writable");
    path
}

fn variable(name: &str) -> OsString {
    env::var_os(name).unwrap_or_else(|| panic!("cargo sets {name}"))
}

/// Copies the folder, writing only what changed, so that the nested cargo rebuilds only then; what is no longer in the
/// folder goes, or a file that became a folder of modules would be there twice.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("OUT_DIR is writable");
    for entry in fs::read_dir(to).expect("OUT_DIR is readable") {
        let path = entry.expect("OUT_DIR is readable").path();
        let name = path.file_name().expect("an entry has a name");
        let name = if name == "Cargo.toml" { "Cargo.toml.in".as_ref() } else { name };
        if from.join(name).is_dir() != path.is_dir() || !from.join(name).exists() {
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
                .expect("OUT_DIR is writable");
        }
    }
    for entry in fs::read_dir(from).expect("the probe's folder is there") {
        let entry = entry.expect("the probe's folder is readable");
        let path = entry.path();
        let name = entry.file_name();
        let name = if name == "Cargo.toml.in" { OsString::from("Cargo.toml") } else { name };
        println!("cargo::rerun-if-changed={}", path.display());
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            let bytes = fs::read(&path).expect("a source is readable");
            let target = to.join(name);
            if fs::read(&target).ok().as_deref() != Some(&bytes[..]) {
                fs::write(target, bytes).expect("OUT_DIR is writable");
            }
        }
    }
}
