//! A cache on a disk that is full or cannot be written: compiling goes on, and it is said once.

use crate::support::machine::unshared;
use crate::support::{cache, folder, kfp_gitops, run, sample, write};

/// Compiles twice with this done to the folder of results, seen by these commands alone. `None` where the machine
/// cannot do that.
fn twice(prepare: &str) -> Option<[String; 2]> {
    let root = folder(&[("requirements.txt", "kfp==2.17.0\n")]);
    for number in 0..30 {
        let name = format!("p{number}");
        write(
            root.path(),
            &format!("{name}_pipeline.py"),
            &sample::pipeline(&name, "a"),
        );
    }
    // the environment is there already
    assert_eq!(run(kfp_gitops(root.path()).args(["env", "--prepare"])).code, 0);
    let own = folder(&[("results/keep", "")]);
    std::os::unix::fs::symlink(cache().join("kfp-gitops/python"), own.path().join("python")).unwrap();
    let script = format!(
        "{prepare} || exit 222; cd \"$2\"; for i in 1 2; do \"$3\" compile --cache-dir \"$1\" 2>&1 || exit 1; \
         echo; echo between; done"
    );
    let said = run(unshared("--mount", &kfp_gitops(root.path()))
        .args(["sh", "-c", &script, "sh"])
        .args([own.path(), root.path()])
        .arg(env!("CARGO_BIN_EXE_kfp-gitops")));
    if said.code == 222 || said.out.is_empty() {
        eprintln!("skipped: no disk can be mounted here: {}", said.err);
        return None;
    }
    assert_eq!(said.code, 0, "{said:?}");
    let mut runs = said.out.split("\nbetween\n").map(str::to_owned);
    Some([runs.next().unwrap(), runs.next().unwrap()])
}

#[test]
fn on_a_full_disk_what_was_kept_is_whole_and_the_rest_is_compiled() {
    let small = "mount -t tmpfs -o size=256k,mode=0700 none \"$1/results\"";
    for said in twice(small).into_iter().flatten() {
        assert!(
            said.contains("30 compiled") || said.matches("_pipeline.py").count() >= 30,
            "{said}"
        );
        assert_eq!(said.matches("compile cache").count(), 1, "{said}");
        assert!(
            said.contains("the compile cache is not written: ") && said.contains("No space left"),
            "{said}"
        );
    }
}

#[test]
fn one_that_can_only_be_read_is_used_as_far_as_it_goes() {
    let closed = "mount -t tmpfs -o ro,mode=0700 none \"$1/results\"";
    for said in twice(closed).into_iter().flatten() {
        assert_eq!(said.matches("compile cache").count(), 1, "{said}");
        assert!(said.contains("Read-only file system"), "{said}");
    }
}
