//! Tells `kfp-gitops version` which commit it is built from: the release workflow says it in
//! `KFP_GITOPS_BUILD_COMMIT`; a release build in a checkout asks git.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=KFP_GITOPS_BUILD_COMMIT");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if release && std::env::var_os("KFP_GITOPS_BUILD_COMMIT").is_none() {
        println!("cargo:rerun-if-changed=.git/HEAD");
        let output = Command::new("git")
            .args(["rev-parse", "--short=12", "HEAD"])
            .output();
        if let Some(output) = output.ok().filter(|output| output.status.success()) {
            let commit = String::from_utf8_lossy(&output.stdout);
            println!("cargo:rustc-env=KFP_GITOPS_BUILD_COMMIT={}", commit.trim());
        }
    }
}
