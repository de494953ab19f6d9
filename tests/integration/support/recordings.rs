//! The recorded exchanges with real servers, read and replayed.
//!
//! `tests/recordings/kfp/README.md` says how they were made. A recording holds no uploaded bytes, only their
//! number and the file they were made from, so [`uploaded_bytes`] makes them again.

use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// All exchanges with one server, in the order they were made.
#[derive(Debug, Deserialize)]
pub struct Recording {
    pub exchanges: Vec<Exchange>,
}

/// One request as sent and its answer as received.
#[derive(Clone, Debug, Deserialize)]
pub struct Exchange {
    pub name: String,
    pub request: Request,
    pub response: Response,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    pub method: String,
    /// As sent, escapes included.
    pub path: String,
    /// As sent, escapes included.
    pub query: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub json: Option<Value>,
    pub multipart: Option<Part>,
}

/// The one file of a multipart request.
#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    pub field: String,
    pub filename: String,
    pub bytes: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Response {
    /// Absent where the server never answered.
    pub status: Option<u16>,
    pub content_type: Option<String>,
    pub json: Option<Value>,
    pub text: Option<String>,
}

/// The folder of the recordings.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/kfp")
}

/// A file beside the recordings.
pub fn file(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Recording {
    /// The recording of a server, such as `2.17.0`, with every `same_as` replaced by what it stands for.
    pub fn load(server: &str) -> Self {
        let mut recording: Self = serde_json::from_slice(&file(&format!("{server}.json"))).unwrap();
        let mut specs = HashMap::new();
        for exchange in &mut recording.exchanges {
            let Some(answer) = &mut exchange.response.json else {
                continue;
            };
            resolve(answer, &specs);
            if let Some(spec) = answer
                .get("pipeline_spec")
                .or_else(|| answer["pipeline_versions"][0].get("pipeline_spec"))
            {
                specs.entry(exchange.name.clone()).or_insert_with(|| spec.clone());
            }
        }
        recording
    }

    /// The exchange of that name.
    pub fn exchange(&self, name: &str) -> &Exchange {
        let found = self.exchanges.iter().find(|exchange| exchange.name == name);
        found.unwrap_or_else(|| panic!("no exchange `{name}`"))
    }
}

fn resolve(value: &mut Value, specs: &HashMap<String, Value>) {
    if let Some(name) = value.get("same_as").and_then(Value::as_str) {
        *value = specs
            .get(name)
            .unwrap_or_else(|| panic!("`{name}` has no spec"))
            .clone();
        return;
    }
    match value {
        Value::Object(map) => map.values_mut().for_each(|value| resolve(value, specs)),
        Value::Array(list) => list.iter_mut().for_each(|value| resolve(value, specs)),
        _ => {}
    }
}

impl Exchange {
    /// Sends the request to `base`, such as `http://127.0.0.1:8888`.
    pub async fn send(&self, client: &reqwest::Client, base: &str) -> reqwest::Response {
        let request = &self.request;
        let query = request
            .query
            .as_ref()
            .map_or_else(String::new, |query| format!("?{query}"));
        let url = reqwest::Url::parse(&format!("{base}{}{query}", request.path)).unwrap();
        assert_eq!(
            url.path(),
            request.path,
            "{}: the client changed the path",
            self.name
        );
        let mut call = client.request(request.method.parse().unwrap(), url);
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        if let Some(json) = &request.json {
            call = call.header("content-type", "application/json").body(spaced(json));
        }
        if let Some(part) = &request.multipart {
            let bytes = uploaded_bytes(&self.name, part);
            let file = reqwest::multipart::Part::bytes(bytes).file_name(part.filename.clone());
            call = call.multipart(reqwest::multipart::Form::new().part(part.field.clone(), file));
        }
        call.send()
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// JSON as the recorder's client wrote it, with a space after every comma and colon: error messages count
/// columns in it. Members keep their order only in the file, so the ones that matter are put first.
fn spaced(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut names: Vec<_> = map.keys().collect();
            names.sort_by_key(|name| (*name != "name", *name != "display_name", *name));
            let members: Vec<_> = names
                .iter()
                .map(|name| format!("{}: {}", Value::from(name.as_str()), spaced(&map[*name])))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// The bytes that the recorder sent in that exchange, or ones that the server treats the same.
pub fn uploaded_bytes(exchange: &str, part: &Part) -> Vec<u8> {
    let good = file("evaluation.yaml");
    let text = || String::from_utf8(good.clone()).unwrap();
    let bytes = match exchange {
        "version_upload_not_a_pipeline" => b"hello: world\n".to_vec(),
        "version_upload_scalar" => b"text\n".to_vec(),
        "version_upload_empty_file" => Vec::new(),
        "version_upload_broken_yaml" => b"a: [1, 2\nb: }".to_vec(),
        "version_upload_unknown_ir_field" => (text() + "newField: true\n").into_bytes(),
        "version_upload_wrong_schema_version" => text()
            .replace("schemaVersion: 2.1.0", "schemaVersion: 2.9.0")
            .into_bytes(),
        "version_upload_bad_pipeline_info_name" => text()
            .replace("  name: evaluation-pipeline\n", "  name: Bad Name\n")
            .into_bytes(),
        "version_upload_two_documents" => file("evaluation-on-gpu.yaml"),
        "version_upload_33_mib" => {
            let mut bytes = (text() + "\n# ").into_bytes();
            bytes.resize(part.bytes, b'x');
            bytes
        }
        // The recorder's own bytes of these four are not known, only what came of them.
        "version_upload_v1_workflow" => return V1_WORKFLOW.as_bytes().to_vec(),
        "version_upload_json" => return as_json(&text()),
        "version_upload_zip" => return zipped(&good),
        "version_upload_tar_gz" => return tarred(&good),
        _ => good,
    };
    assert_eq!(bytes.len(), part.bytes, "{exchange}: not what the recorder sent");
    bytes
}

const V1_WORKFLOW: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata:\n  generateName: h-\nspec:\n  \
                           entrypoint: a\n  templates:\n  - name: a\n    container:\n      image: busybox\n      command: [echo]\n";

/// The spec as JSON, where the default that the YAML loses is still text.
fn as_json(yaml: &str) -> Vec<u8> {
    let mut spec: Value = serde_yaml::from_str(yaml).unwrap();
    spec["root"]["inputDefinitions"]["parameters"]["note"]["defaultValue"] = "1e3".into();
    serde_json::to_vec(&spec).unwrap()
}

fn zipped(spec: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer
        .start_file("pipeline.yaml", zip::write::SimpleFileOptions::default())
        .unwrap();
    writer.write_all(spec).unwrap();
    writer.finish().unwrap().into_inner()
}

fn tarred(spec: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::default(),
    ));
    let mut header = tar::Header::new_gnu();
    header.set_size(spec.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, "pipeline.yaml", spec).unwrap();
    builder.into_inner().unwrap().finish().unwrap()
}

/// A JSON value in the form in which two answers are compared: numbers as doubles, and in texts the parts
/// that no two answers of the real server share (addresses, Go's deliberate change of spaces) or that name
/// the recorder's own database.
pub fn comparable(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::String(text) => comparable_text(text).into(),
        Value::Array(list) => list.iter().map(comparable).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), comparable(value)))
            .collect(),
        other => other.clone(),
    }
}

fn comparable_text(text: &str) -> String {
    let mut words = String::new();
    let text = text.replace('\u{a0}', " ");
    let mut rest = text.as_str();
    while let Some(start) = rest.find("0x") {
        words.push_str(&rest[..start]);
        words.push_str("0x…");
        rest = rest[start + 2..].trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    words.push_str(rest);
    // The database's name in messages is the recorder's.
    for database in ["ml2170mu", "ml2170", "ml2161", "ml2160", "ml250", "ml205"] {
        words = words.replace(&format!("`{database}`"), "`mlpipeline`");
    }
    words
}
