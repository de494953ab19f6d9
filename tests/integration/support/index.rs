//! A package index of a test's own: wheels made here, and how often each was asked for.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::{Arc, Mutex};

/// Serves the wheels of this module under `/simple/`.
pub struct Index {
    address: SocketAddr,
    wheels: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Index {
    /// An empty one.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let index = Self {
            address: listener.local_addr().unwrap(),
            wheels: Arc::default(),
            asked: Arc::default(),
        };
        let (wheels, asked) = (Arc::clone(&index.wheels), Arc::clone(&index.asked));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = Vec::new();
                let mut buffer = [0; 4096];
                while !head.windows(4).any(|part| part == b"\r\n\r\n") {
                    match stream.read(&mut buffer) {
                        Ok(count @ 1..) => head.extend_from_slice(&buffer[..count]),
                        _ => break,
                    }
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                asked.lock().unwrap().push(path.clone());
                let (status, kind, body) = answer(&wheels.lock().unwrap(), &path);
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                if !head.starts_with("HEAD") {
                    let _ = stream.write_all(&body);
                }
            }
        });
        index
    }

    /// Makes a wheel of one module and puts it there; its SHA-256.
    pub fn add(&self, name: &str, version: &str, code: &str) -> String {
        let (file, bytes) = wheel(name, version, code);
        let hash = sha256(&bytes);
        self.wheels.lock().unwrap().insert(file, bytes);
        hash
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/simple", self.address)
    }

    /// As if nobody had asked yet.
    pub fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }

    /// How many requests named this package.
    #[must_use]
    pub fn asked(&self, name: &str) -> usize {
        let (dash, under) = (name.to_owned(), name.replace('-', "_"));
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|path| path.contains(&dash) || path.contains(&under))
            .count()
    }
}

fn answer(wheels: &BTreeMap<String, Vec<u8>>, path: &str) -> (&'static str, &'static str, Vec<u8>) {
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if let Some(bytes) = wheels.get(last) {
        return ("200 OK", "application/octet-stream", bytes.clone());
    }
    let links: String = wheels
        .keys()
        .filter(|file| file.starts_with(&format!("{}-", last.replace('-', "_"))))
        .map(|file| format!("<a href=\"/files/{file}\">{file}</a>\n"))
        .collect();
    if links.is_empty() {
        ("404 Not Found", "text/plain", Vec::new())
    } else {
        let page = format!("<!DOCTYPE html><html><body>\n{links}</body></html>\n");
        ("200 OK", "text/html", page.into_bytes())
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The name and the bytes of a wheel with one module.
fn wheel(name: &str, version: &str, code: &str) -> (String, Vec<u8>) {
    const MAKE: &str = "import io, sys, zipfile\nname, version, code = sys.argv[1:]\nbuffer = io.BytesIO()\n\
        info = '%s-%s.dist-info/' % (name, version)\nfiles = {name + '.py': code,\n\
        info + 'METADATA': 'Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n' % (name, version),\n\
        info + 'WHEEL': 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'}\n\
        files[info + 'RECORD'] = ''.join('%s,,\\n' % one for one in list(files) + [info + 'RECORD'])\n\
        with zipfile.ZipFile(buffer, 'w') as archive:\n    [archive.writestr(zipfile.ZipInfo(one), files[one]) for one in files]\n\
        sys.stdout.buffer.write(buffer.getvalue())\n";
    let module = name.replace('-', "_");
    let made = Command::new("python3")
        .args(["-I", "-c", MAKE, &module, version, code])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    (format!("{module}-{version}-py3-none-any.whl"), made.stdout)
}
