use super::*;
use crate::error::Class;

const ABOUT: About<'_> = About {
    installer: "uv",
    project: true,
    wheelhouse: None,
    python: "3.11",
};

#[test]
fn the_same_message_means_something_else_elsewhere() {
    let text =
        "ERROR: Could not find a version that satisfies the requirement certifi==1 (from versions: none)";
    let pinned = About {
        project: false,
        ..ABOUT
    };
    assert!(meaning(text, pinned).message.contains("cannot be reached"));
    let changed = "error: Hash mismatch for `x==1`";
    assert!(!meaning(changed, pinned).hint.unwrap().contains("requirements"));
    assert!(
        meaning(changed, ABOUT)
            .hint
            .unwrap()
            .contains("correct the hash in the requirements")
    );
    let folder = About {
        wheelhouse: Some(Path::new("/wheels")),
        ..pinned
    };
    let failure = meaning(text, folder);
    assert!(
        failure.message.contains("`/wheels` does not have `certifi==1`"),
        "{failure}"
    );
}

/// Messages as uv 0.13 and pip 23 print them.
#[test]
fn failures_are_told_apart() {
    let cases = [
        (
            "error: Request failed after 3 retries in 6.5s\n  cause: Failed to fetch: http://127.0.0.1:9/simple/kfp/\n  cause: Connection refused (os error 111)",
            Class::Infrastructure,
            "cannot be reached",
        ),
        (
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('…: Failed to establish a new connection: [Errno 111] Connection refused')': /simple/pandas/\nERROR: Could not find a version that satisfies the requirement pandas==99 (from versions: none)",
            Class::Infrastructure,
            "cannot be reached",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            Class::Failed,
            "pinned",
        ),
        (
            "ERROR: Hashes are required in --require-hashes mode, but they are missing from some requirements.",
            Class::Failed,
            "have hashes and others have none",
        ),
        (
            "error: No solution found when resolving dependencies\n  cause: Because kfp==2.17.0 depends on protobuf>=6.31.1,<7.0 and you require kfp==2.17.0, we can conclude that you require protobuf>=6.31.1,<7.0.\n         And because you require protobuf<4, we can conclude that your requirements are unsatisfiable.",
            Class::Failed,
            "`kfp==2.17.0` needs `protobuf>=6.31.1,<7.0`, but the project requires `protobuf<4`",
        ),
        (
            "ERROR: Cannot install kfp==2.17.0 and protobuf<4 because these package versions have conflicting dependencies.\n\nThe conflict is caused by:\n    The user requested protobuf<4\n    kfp 2.17.0 depends on protobuf<7.0 and >=6.31.1\n\nTo fix this",
            Class::Failed,
            "`kfp==2.17.0` needs `protobuf<7.0 and >=6.31.1`, but the project requires `protobuf<4`",
        ),
        (
            "The conflict is caused by:\n    a 1.0 depends on c<2\n    b 3.0 depends on c>=2\n",
            Class::Failed,
            "`a==1.0` needs `c<2`, but `b==3.0` needs `c>=2`",
        ),
        (
            "  cause: Because docopt==0.6.2 has no usable wheels and you require docopt==0.6.2, we can",
            Class::Failed,
            "no wheel of `docopt==0.6.2`",
        ),
        (
            "  cause: Because tensorflow==1.15.0 has no wheels with a matching Python ABI tag (e.g., `cp311`) and you",
            Class::Failed,
            "no wheel of `tensorflow==1.15.0`",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement docopt==0.6.2 (from versions: none)\nERROR: No matching distribution found for docopt==0.6.2",
            Class::Failed,
            "no wheel of `docopt==0.6.2`",
        ),
        (
            "ERROR: Could not find a version that satisfies the requirement kfp==2.99 (from versions: 2.0.1, 2.1)\nERROR: No matching distribution found for kfp==2.99",
            Class::Failed,
            "does not have `kfp==2.99`",
        ),
        (
            "  cause: Because no-such-package was not found in the package registry and you require no-such-package, we",
            Class::Failed,
            "does not have `no-such-package`",
        ),
        (
            "OSError: [Errno 28] No space left on device",
            Class::Infrastructure,
            "disk is full",
        ),
        ("boom", Class::Infrastructure, "could not install"),
    ];
    for (text, class, part) in cases {
        let failure = meaning(text, ABOUT);
        assert_eq!(failure.class, class, "{text}");
        assert!(failure.message.contains(part), "{text}: {failure}");
        assert!(failure.hint.is_some(), "{text}");
    }
}

#[test]
fn long_messages_are_shortened_and_hold_no_passwords() {
    let text = (0..100).map(|n| format!("line {n}\n")).collect::<String>();
    let short = shortened(&text);
    assert_eq!(short.lines().count(), 12);
    assert!(short.ends_with("line 99"));
    assert_eq!(
        without_credentials("a https://user:pa@ss@host/x@y 'http://h/' b://t@"),
        "a https://****@host/x@y 'http://h/' b://****@"
    );
}
