//! What an uploaded file holds: a spec as it is, or inside a zip or a gzipped tar.

use std::io::{Cursor, Read};

/// Most bytes of an uploaded file: 32 MiB, exactly as on every server.
pub const MAX_FILE: usize = 32 << 20;

/// Most bytes of a spec inside an archive. The real server has no such limit and no protection from
/// archives that unpack to more than its memory.
const MAX_UNPACKED: u64 = 256 << 20;

/// The file cannot be read. Servers tell why until 2.14 only.
#[derive(Debug, thiserror::Error)]
#[error("Invalid input error: {0}")]
pub struct UnreadablePackage(String);

/// The spec in an uploaded file: by the suffix of its name first, else by its first bytes.
///
/// # Errors
/// Neither suffix nor bytes say what it is, or the archive is damaged or holds no spec.
pub fn spec_bytes(file_name: &str, bytes: Vec<u8>) -> Result<Vec<u8>, UnreadablePackage> {
    if is_yaml(file_name) || file_name.ends_with(".json") {
        Ok(bytes)
    } else if bytes.starts_with(b"PK") {
        from_zip(&bytes).map_err(|error| UnreadablePackage(error.to_string()))
    } else if bytes.starts_with(&[0x1f, 0x8b]) {
        from_tar(&bytes).map_err(|error| UnreadablePackage(error.to_string()))
    } else {
        Err(UnreadablePackage(
            "Unexpected pipeline file format. Support .zip, .tar.gz, .json or YAML".to_owned(),
        ))
    }
}

/// The member `pipeline.yaml` wherever it stands, else the first member if it is named like YAML.
fn from_zip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(std::io::Error::other)?;
    let chosen = match archive.index_for_name("pipeline.yaml") {
        Some(index) => index,
        None if archive.name_for_index(0).is_some_and(is_yaml) => 0,
        None => return Err(std::io::Error::other("no YAML file in the archive")),
    };
    read_bounded(archive.by_index(chosen).map_err(std::io::Error::other)?)
}

fn from_tar(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let unpacked = read_bounded(flate2::read::GzDecoder::new(bytes))?;
    let mut archive = tar::Archive::new(unpacked.as_slice());
    let mut first = None;
    for entry in archive.entries()? {
        let entry = entry?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if name == "pipeline.yaml" {
            return read_bounded(entry);
        }
        if first.is_none() {
            first = Some(if is_yaml(&name) {
                Some(read_bounded(entry)?)
            } else {
                None
            });
        }
    }
    first
        .flatten()
        .ok_or_else(|| std::io::Error::other("no YAML file in the archive"))
}

fn is_yaml(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

fn read_bounded(source: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(MAX_UNPACKED + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_UNPACKED {
        return Err(std::io::Error::other("the archive unpacks to too much"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn tar_gz(members: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        ));
        for (name, text) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn zip(members: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in members {
            writer
                .start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn the_suffix_decides_before_the_bytes() {
        assert_eq!(spec_bytes("p.yaml", b"PK".to_vec()).unwrap(), b"PK");
        assert_eq!(spec_bytes("p.json", b"{}".to_vec()).unwrap(), b"{}");
        assert!(spec_bytes("p.txt", b"a: 1".to_vec()).is_err());
    }

    #[test]
    fn archives_give_pipeline_yaml_or_their_first_yaml() {
        for pack in [tar_gz, zip] {
            let named = pack(&[("a.yaml", "first"), ("pipeline.yaml", "named")]);
            assert_eq!(spec_bytes("p.bin", named).unwrap(), b"named");
            let first = pack(&[("a.yml", "first"), ("b.yaml", "second")]);
            assert_eq!(spec_bytes("p.bin", first).unwrap(), b"first");
            assert!(spec_bytes("p.bin", pack(&[("a.txt", "no"), ("b.yaml", "second")])).is_err());
            assert!(spec_bytes("p.bin", pack(&[])).is_err());
        }
        assert!(spec_bytes("p.zip", b"PK damaged".to_vec()).is_err());
        assert!(spec_bytes("p.tgz", vec![0x1f, 0x8b, 8]).is_err());
    }
}
