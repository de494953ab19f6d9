//! What is said of Python and kfp.

use super::*;

#[test]
fn python_is_told_as_the_engine_found_it() {
    let failure = Failure::usage(Phase::Prepare, "no Python was found on `PATH`");
    let missing = python::check(&Err(failure));
    assert!(missing.is_failed() && missing.cure.unwrap().contains("--python"));
    let said = |installed: Option<&str>, pinned: bool| {
        python::check(&Ok(Outlook {
            installed: installed.map(str::to_owned),
            pinned,
            ..compiler()
        }))
        .seen
    };
    assert_eq!(
        said(Some("2.17.0"), true),
        "Python 3.11.7 (/usr/bin/python3) with kfp 2.17.0"
    );
    assert!(said(Some("2.5.0"), true).contains("kfp 2.17.0 (from `requirements.txt:3`) is asked for"));
    assert!(said(None, true).contains("without kfp: kfp 2.17.0 (from `requirements.txt:3`)"));
    assert!(said(Some("2.5.0"), false).contains("nothing pins kfp"));
}

#[test]
fn a_newer_kfp_than_the_server_is_pointed_out() {
    let server = crate::kfp::Server {
        version: Some(semver::Version::new(2, 5, 0)),
        tag_name: None,
        multi_user: false,
        store: crate::kfp::Store::Database,
        probed: false,
        conditional_uploads: false,
    };
    let check = |version: &str, pinned: bool| {
        let found = Outlook {
            kfp_version: version.to_owned(),
            pinned,
            ..compiler()
        };
        sdk::check(&server, &Ok(found))
    };
    let newer = check("2.17.0", true);
    assert_eq!(
        newer.seen,
        "kfp 2.17.0 (from `requirements.txt:3`) is newer than the server, 2.5.0"
    );
    assert!(newer.cure.unwrap().contains("pin kfp 2.5"));
    assert!(check("2.5.3", true).cure.is_none());
    assert_eq!(check("2.0.0b1", true).verdict, Verdict::Skipped);
    assert!(check("2.17.0", false).seen.contains("no kfp version is pinned"));
}
