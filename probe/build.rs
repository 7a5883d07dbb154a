//! Links the probe without libc, start files or anything that would need a loader.

use std::env;
use std::path::Path;

fn main() {
    let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo sets the folder of the manifest");
    let script = Path::new(&folder).join("probe.ld");
    let script = format!("-Wl,-T,{}", script.display());
    for argument in [
        "-nostartfiles",
        "-nostdlib",
        "-static",
        "-no-pie",
        "-Wl,-z,norelro,--build-id=none,--no-eh-frame-hdr",
        &script,
    ] {
        println!("cargo::rustc-link-arg={argument}");
    }
    println!("cargo::rerun-if-changed=probe.ld");
}
