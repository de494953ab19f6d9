//! What the Python half says: headers as JSON lines, each followed by the bytes it announces.

use super::{Hello, MAGIC, Raw};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::ChildStdout;
use tokio::time::timeout;

/// A header longer than this is no header.
const HEADER_BYTES: usize = 4 << 20;

#[derive(Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
enum Header {
    Hello(Hello),
    Broken {
        message: String,
        missing: Option<String>,
    },
    Apart {
        file: String,
    },
    Start {
        id: usize,
    },
    Result {
        id: usize,
        n: usize,
    },
    Printed {
        id: usize,
        n: usize,
    },
    End {
        id: usize,
        status: i32,
        reason: Option<String>,
        dropped: u64,
        seconds: f64,
    },
    Done,
}

/// Removes what a file wrote into every descriptor it found, before the driver's own answer. Against malice it
/// helps nothing: a file can always lie about itself.
fn strip_noise(result: &mut Vec<u8>, nonce: &str) {
    let mark = format!("\n{nonce}\n");
    match result
        .windows(mark.len())
        .position(|window| window == mark.as_bytes())
    {
        Some(at) => drop(result.drain(..at + mark.len())),
        None => result.clear(),
    }
}

/// Why there is no more to hear.
pub(super) enum Ended {
    Broken(String, Option<String>),
    Apart(String),
    Early(Option<Hello>, Vec<usize>),
    /// It said nothing in time; whether its interpreter came up.
    Late(bool),
}

/// Hears the worker to its end.
pub(super) async fn listen(
    output: ChildStdout,
    nonce: &str,
    start: Duration,
    room: &mut u64,
    each: &mut (dyn FnMut(usize, Raw, &Hello) + Send),
) -> Result<Hello, Ended> {
    let mut reader = BufReader::with_capacity(64 << 10, output);
    let mut hello = None;
    let mut open: BTreeMap<usize, Raw> = BTreeMap::new();
    let mut line = Vec::new();
    let mut begun = false;
    let started = Instant::now();
    loop {
        line.clear();
        let mut limited = (&mut reader).take(HEADER_BYTES as u64);
        let reading = limited.read_until(b'\n', &mut line);
        // from its greeting on the worker sees to it that no file takes too long
        let read = if hello.is_some() {
            reading.await
        } else {
            match timeout(start.saturating_sub(started.elapsed()), reading).await {
                Ok(read) => read,
                Err(_) => return Err(Ended::Late(begun)),
            }
        };
        if !matches!(read, Ok(1..)) || !line.ends_with(b"\n") {
            return Err(Ended::Early(hello, open.into_keys().collect()));
        }
        if !begun {
            begun = line.trim_ascii() == MAGIC.as_bytes();
            continue;
        }
        let Ok(header) = serde_json::from_slice::<Header>(&line) else {
            return Err(Ended::Early(hello, open.into_keys().collect()));
        };
        let (id, n, to_result) = match header {
            Header::Hello(found) => {
                hello = Some(found);
                continue;
            }
            Header::Broken { message, missing } => return Err(Ended::Broken(message, missing)),
            Header::Apart { file } => return Err(Ended::Apart(file)),
            Header::Start { id } => {
                open.insert(id, Raw::default());
                continue;
            }
            Header::End {
                id,
                status,
                reason,
                dropped,
                seconds,
            } => {
                let mut raw = open.remove(&id).unwrap_or_default();
                let taken = raw.result.len() as u64;
                strip_noise(&mut raw.result, nonce);
                let too_much = raw.reason.take();
                let raw = Raw {
                    status,
                    reason: reason.or(too_much),
                    dropped,
                    seconds,
                    ..raw
                };
                if raw.reason.is_some() {
                    // nothing is kept of it
                    *room += taken;
                }
                // files are started after the greeting only
                if let Some(hello) = &hello {
                    each(id, raw, hello);
                }
                continue;
            }
            Header::Done => {
                return hello.ok_or_else(|| Ended::Early(None, Vec::new()));
            }
            Header::Result { id, n } => (id, n, true),
            Header::Printed { id, n } => (id, n, false),
        };
        let mut unknown = Vec::new();
        let buffer = match open.get_mut(&id) {
            Some(raw) if to_result => {
                if raw.reason.is_none() && n as u64 <= *room {
                    *room -= n as u64;
                    &mut raw.result
                } else {
                    // read on, so that the others' results come through, and kept no more
                    *room += raw.result.len() as u64;
                    raw.result = Vec::new();
                    raw.reason = Some("results-too-large".to_owned());
                    &mut unknown
                }
            }
            Some(raw) => &mut raw.printed,
            None => &mut unknown,
        };
        match (&mut reader).take(n as u64).read_to_end(buffer).await {
            Ok(count) if count == n => {}
            _ => return Err(Ended::Early(hello, open.into_keys().collect())),
        }
    }
}
