//! Is there a Python, and a kfp in it?

use super::Finding;
use crate::compile::Outlook;
use crate::error::Failure;

/// The finding, from what the compile engine itself found.
pub fn check(compiler: &Result<Outlook, Failure>) -> Finding {
    let found = match compiler {
        Ok(found) => found,
        Err(failure) => {
            let cure = failure.hint.clone();
            return Finding::failed(
                "python",
                failure.message.clone(),
                cure.unwrap_or_else(|| "name another interpreter with `--python`".to_owned()),
            );
        }
    };
    let python = format!("Python {} ({})", found.python_version, found.python.display());
    let wanted = &found.kfp_version;
    let asked = format!("kfp {wanted} (from `{}`)", found.kfp_from);
    let said = match &found.installed {
        Some(kfp) if kfp == wanted => format!("{python} with kfp {kfp}"),
        Some(kfp) if found.pinned => {
            format!("{python} with kfp {kfp}; {asked} is asked for and prepared in a private environment")
        }
        Some(kfp) => format!("{python} with kfp {kfp}; nothing pins kfp, one that fits the server is used"),
        None if found.pinned => {
            format!("{python} without kfp: {asked} is prepared in a private environment")
        }
        None => {
            format!("{python} without kfp: one that fits the server is prepared in a private environment")
        }
    };
    let finding = Finding::passed("python", said);
    if found.notes.is_empty() {
        finding
    } else {
        finding.cure(found.notes.join("; "))
    }
}
