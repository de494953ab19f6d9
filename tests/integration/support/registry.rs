//! A running embedded registry, in this process or as `kfp-gitops serve`, with the calls that tests make of it.

use super::{http, kfp_gitops};
use kfp_gitops::kfp::embedded::{EmbeddedOptions, RunningRegistry, start};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

/// Spells text for a query or a path.
pub fn escape(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// The smallest spec that a server takes.
pub fn spec(name: &str) -> Vec<u8> {
    format!("pipelineInfo: {{name: {name}}}\nroot: {{}}\nschemaVersion: 2.1.0\n").into_bytes()
}

/// A client of some endpoint.
pub struct Api {
    pub base: String,
    pub client: reqwest::Client,
}

impl Api {
    pub fn new(url: &str) -> Self {
        Self {
            base: format!("{url}/apis/v2beta1"),
            client: http::client(),
        }
    }

    pub async fn get(&self, path: &str) -> Value {
        let answer = self
            .client
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "GET {path}");
        answer.json().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.client
            .post(format!("{}{path}", self.base))
            .json(body)
            .send()
            .await
            .unwrap()
    }

    /// Makes an empty pipeline and gives its id.
    pub async fn pipeline(&self, name: &str) -> String {
        let answer = self.post("/pipelines", &serde_json::json!({"name": name})).await;
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        answer.json::<Value>().await.unwrap()["pipeline_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Uploads a file; `query` names what and where.
    pub async fn upload(&self, endpoint: &str, query: &str, bytes: Vec<u8>) -> reqwest::Result<Response> {
        let file = reqwest::multipart::Part::bytes(bytes).file_name("p.yaml");
        let form = reqwest::multipart::Form::new().part("uploadfile", file);
        self.client
            .post(format!("{}/pipelines/{endpoint}?{query}", self.base))
            .multipart(form)
            .send()
            .await
    }
}

/// Starts a registry on a free port.
pub async fn running(data: &Path) -> (RunningRegistry, Api) {
    let listen = "127.0.0.1:0".parse().unwrap();
    let registry = start(EmbeddedOptions {
        data: data.to_owned(),
        listen,
    })
    .await
    .unwrap();
    let api = Api::new(&registry.url());
    (registry, api)
}

/// A registry in a process of its own: `kfp-gitops serve`. Killed when dropped.
pub struct Served {
    child: Child,
    pub url: String,
}

impl Served {
    /// Serves `data` on a free port.
    pub fn start(data: &Path) -> Self {
        let mut child = kfp_gitops(data.parent().unwrap())
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        assert!(url.starts_with("http://"), "`serve` printed {url:?}");
        Self {
            child,
            url: url.trim_end().to_owned(),
        }
    }

    /// Ends the process as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
