//! Does the compiler fit the server?

use super::Finding;
use crate::kfp::model::Server;
use semver::Version;

/// The finding.
pub fn check(server: &Server, kfp: Option<&Version>) -> Finding {
    let Some(kfp) = kfp else {
        return Finding::skipped(
            "versions",
            "no kfp version is pinned; one that fits the server is chosen",
        );
    };
    let Some(version) = &server.version else {
        return Finding::skipped("versions", "the server's version is not known");
    };
    if (kfp.major, kfp.minor) > (version.major, version.minor) {
        return Finding::passed(
            "versions",
            format!("kfp {kfp} is newer than the server, {version}"),
        )
        .cure(format!(
            "pin kfp {}.{}: what a newer one adds to a spec is refused by this server, or dropped in silence",
            version.major, version.minor
        ));
    }
    Finding::passed(
        "versions",
        format!("kfp {kfp} is not newer than the server, {version}"),
    )
}
