//! Does the compiler fit the server?

use super::Finding;
use crate::compile::Outlook;
use crate::error::Failure;
use crate::kfp::model::Server;
use semver::Version;

/// The finding.
pub fn check(server: &Server, compiler: &Result<Outlook, Failure>) -> Finding {
    let Ok(found) = compiler else {
        return Finding::skipped("versions", "it is not known which kfp would compile");
    };
    if !found.pinned {
        return Finding::skipped(
            "versions",
            "no kfp version is pinned; one that fits the server is chosen",
        );
    }
    let shown = format!("kfp {} (from `{}`)", found.kfp_version, found.kfp_from);
    let Ok(kfp) = Version::parse(&found.kfp_version) else {
        return Finding::skipped(
            "versions",
            format!("{shown} is no release to compare with a server"),
        );
    };
    let Some(version) = &server.version else {
        return Finding::skipped("versions", "the server's version is not known");
    };
    if (kfp.major, kfp.minor) > (version.major, version.minor) {
        return Finding::passed(
            "versions",
            format!("{shown} is newer than the server, {version}"),
        )
        .cure(format!(
            "pin kfp {}.{}: what a newer one adds to a spec is refused by this server, or dropped in silence",
            version.major, version.minor
        ));
    }
    Finding::passed(
        "versions",
        format!("{shown} is not newer than the server, {version}"),
    )
}
