//! What an installer has to read and to write, found out from its own configuration.

use super::{Installer, Order};
use crate::compile::environment::Interpreter;
use crate::compile::settings::EngineSettings;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Paths to grant to an installer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::compile) struct Reach {
    /// To read and to run.
    pub read: Vec<PathBuf>,
    /// To write.
    pub write: Vec<PathBuf>,
    /// Why it cannot work in a fence at all.
    pub without: Option<String>,
}

/// Where the system keeps what its own configuration points at.
const SYSTEM: [&str; 3] = [
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/var/lib/ca-certificates",
];

/// In the user's folder.
const OF_USER: [&str; 8] = [
    ".netrc",
    ".pip",
    ".config/pip",
    ".config/uv",
    ".local/share/uv",
    ".local/bin",
    ".cargo/bin",
    ".cache/uv",
];

pub(super) fn of(
    settings: &EngineSettings,
    interpreter: &Interpreter,
    installer: &Installer,
    order: &Order<'_>,
) -> Reach {
    let mut read: BTreeSet<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    read.extend(interpreter.prefixes.iter().cloned());
    read.extend(interpreter.path.iter().cloned());
    read.extend(interpreter.executable.parent().map(Path::to_path_buf));
    read.insert(order.folder.to_path_buf());
    read.extend(settings.wheelhouse.clone());
    let home = settings.variable("HOME").map(PathBuf::from);
    if let Some(home) = &home {
        read.extend(OF_USER.iter().map(|name| home.join(name)));
    }
    for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        if let Some(folder) = settings.variable(name).map(PathBuf::from) {
            read.extend(["pip", "uv"].map(|tool| folder.join(tool)));
        }
    }
    if let Installer::Uv(uv) = installer {
        program(uv, &mut read);
    }
    for (name, value) in &settings.environment {
        let name = name.to_string_lossy();
        let of_index = [
            "PIP_",
            "UV_",
            "SSL_",
            "NETRC",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix));
        if of_index && !name.ends_with("_CACHE_DIR") {
            named(&value.to_string_lossy(), &mut read);
        }
    }
    for file in configuration(settings, home.as_deref(), interpreter) {
        if let Ok(text) = std::fs::read_to_string(&file) {
            named(&text, &mut read);
        }
        read.insert(file);
    }
    // a variable or a configuration that names the root or the user's folder means no single thing in it
    read.retain(|path| path.parent().is_some() && Some(path) != home.as_ref() && path.exists());
    let mut write = vec![order.site(), order.work(), order.tools()];
    if !order.builds {
        write.extend(cache(settings, installer, home.as_deref()));
    }
    write.retain(|path| path.is_dir());
    Reach {
        read: read.into_iter().collect(),
        write,
        without: keyring(settings),
    }
}

/// The program, and where it is a version manager's shim, what that manager manages.
fn program(uv: &Path, read: &mut BTreeSet<PathBuf>) {
    let real = uv.canonicalize().unwrap_or_else(|_| uv.to_path_buf());
    for path in [uv, &real] {
        read.extend(path.parent().map(Path::to_path_buf));
        let in_shims = path
            .parent()
            .is_some_and(|folder| folder.file_name().is_some_and(|name| name == "shims"));
        if in_shims {
            read.extend(path.ancestors().nth(2).map(Path::to_path_buf));
        }
    }
}

/// Existing absolute paths that a text names.
fn named(text: &str, read: &mut BTreeSet<PathBuf>) {
    for part in text.split(|c: char| c.is_whitespace() || "\"'=,[]:;".contains(c)) {
        let part = part.strip_prefix("///").map_or(part, |_| &part[2..]);
        if part.starts_with('/') && part.len() > 1 && !part.starts_with("//") {
            read.insert(PathBuf::from(part));
        }
    }
}

/// Configuration files of both installers.
fn configuration(settings: &EngineSettings, home: Option<&Path>, interpreter: &Interpreter) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = [
        "/etc/pip.conf",
        "/etc/xdg/pip/pip.conf",
        "/etc/uv/uv.toml",
        "/etc/xdg/uv/uv.toml",
    ]
    .iter()
    .map(PathBuf::from)
    .collect();
    files.extend(interpreter.prefixes.iter().map(|prefix| prefix.join("pip.conf")));
    let configurations = settings
        .variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| home.map(|home| home.join(".config")));
    if let Some(folder) = configurations {
        files.push(folder.join("pip/pip.conf"));
        files.push(folder.join("uv/uv.toml"));
    }
    files.extend(home.map(|home| home.join(".pip/pip.conf")));
    for name in ["PIP_CONFIG_FILE", "UV_CONFIG_FILE"] {
        files.extend(settings.variable(name).map(PathBuf::from));
    }
    files.retain(|path| path.is_file());
    files
}

/// The installer's cache, made where it is not there yet: a rule needs something to stand on.
fn cache(settings: &EngineSettings, installer: &Installer, home: Option<&Path>) -> Option<PathBuf> {
    let (own, name) = match installer {
        Installer::Uv(_) => ("UV_CACHE_DIR", "uv"),
        Installer::Pip => ("PIP_CACHE_DIR", "pip"),
    };
    let folder = settings
        .variable(own)
        .map(PathBuf::from)
        .or_else(|| {
            settings
                .variable("XDG_CACHE_HOME")
                .map(|folder| Path::new(folder).join(name))
        })
        .or_else(|| home.map(|home| home.join(".cache").join(name)))?;
    if !folder.is_absolute() {
        return None;
    }
    // without one, both go on without a cache
    let _ = std::fs::create_dir_all(&folder);
    Some(folder)
}

/// Keyrings are other programs, with sockets and files of their own.
fn keyring(settings: &EngineSettings) -> Option<String> {
    ["PIP_KEYRING_PROVIDER", "UV_KEYRING_PROVIDER"]
        .iter()
        .find_map(|name| {
            let value = settings.variable(name)?.to_string_lossy().into_owned();
            let asks = !value.is_empty() && value != "disabled" && value != "auto";
            asks.then(|| format!("the installer asks a keyring (`{name}`) and ran without the sandbox"))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_configuration() {
        let mut read = BTreeSet::new();
        named(
            "[global]\ncert = /etc/ssl/x.pem\nfind-links =\n    file:///srv/wheels\n    /opt/w\nindex-url = https://u:p@x/y",
            &mut read,
        );
        let read: Vec<_> = read
            .iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        assert_eq!(read, ["/etc/ssl/x.pem", "/opt/w", "/srv/wheels"]);
    }

    #[test]
    fn a_shim_needs_its_manager() {
        let folder = tempfile::tempdir().unwrap();
        let uv = folder.path().join("manager/shims/uv");
        std::fs::create_dir_all(uv.parent().unwrap()).unwrap();
        std::fs::write(&uv, "").unwrap();
        let mut read = BTreeSet::new();
        program(&uv, &mut read);
        assert!(read.contains(&folder.path().join("manager")), "{read:?}");
    }
}
