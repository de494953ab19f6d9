//! The body of an upload: one file in a multipart form.
//!
//! Built by hand (one part, three lines) so that every [`super::transport::Transport`] sends the same bytes.

use bytes::{BufMut, Bytes, BytesMut};

/// The form field the upload handlers read (2.0.5 to 2.17.0).
const FIELD: &str = "uploadfile";

/// The handlers decide by the file's suffix before they look at the content; anything but `.yaml`,
/// `.yml` and `.json` is taken for an archive.
const FILE_NAME: &str = "pipeline.yaml";

/// The `Content-Type` header and the body that carry `document`.
#[must_use]
pub fn encode(document: &[u8]) -> (String, Bytes) {
    let boundary = boundary(document);
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{FIELD}\"; filename=\"{FILE_NAME}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let mut body = BytesMut::with_capacity(head.len() + document.len() + tail.len());
    body.put_slice(head.as_bytes());
    body.put_slice(document);
    body.put_slice(tail.as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body.freeze())
}

/// A boundary that does not occur in the document. Deterministic, so that equal uploads are equal bytes.
fn boundary(document: &[u8]) -> String {
    (0_u32..)
        .map(|number| format!("kfp-gitops-{number:08x}"))
        .find(|candidate| !contains(document, candidate.as_bytes()))
        .unwrap_or_default()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_is_never_part_of_the_document() {
        let (content_type, body) = encode(b"a kfp-gitops-00000000 b");
        assert_eq!(content_type, "multipart/form-data; boundary=kfp-gitops-00000001");
        assert!(body.starts_with(b"--kfp-gitops-00000001\r\n"));
        assert!(body.ends_with(b"\r\n--kfp-gitops-00000001--\r\n"));
    }
}
