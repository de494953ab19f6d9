//! A headless browser, spoken to over its debugging protocol: a page is opened from a file, keys
//! are pressed, and everything that it says on the console or asks of the network is kept.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the browser may take for one answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running browser with one tab.
pub struct Browser {
    child: Child,
    socket: TcpStream,
    folder: tempfile::TempDir,
    next: u64,
    complaints: Vec<String>,
    _alone: MutexGuard<'static, ()>,
}

fn program() -> Option<PathBuf> {
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|path| path.is_file())
}

/// One browser at a time: two on two cores only wait for each other.
static ALONE: Mutex<()> = Mutex::new(());

impl Browser {
    /// Starts one; `None`, said aloud, where there is none.
    pub fn start() -> Option<Self> {
        // A test that failed beside this one is no reason for this one to fail.
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(program) = program() else {
            let required = std::env::var("KFP_GITOPS_TEST_BROWSER").is_ok_and(|value| value == "required");
            assert!(
                !required,
                "no Chromium on the PATH, and KFP_GITOPS_TEST_BROWSER=required"
            );
            // Past the capture of what tests print: what was skipped is said, pass or fail.
            let _ = writeln!(std::io::stderr(), "skipped: no Chromium on the PATH");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let profile = folder.path().join("profile");
        let child = Command::new(program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--remote-debugging-port=0",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-dev-shm-usage",
                "--disable-backgrounding-occluded-windows",
                "--disable-renderer-backgrounding",
                "--disable-background-timer-throttling",
            ])
            .args(["--window-size=1280,900", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let port = loop {
            let said = std::fs::read_to_string(profile.join("DevToolsActivePort")).unwrap_or_default();
            if let Some(port) = said.lines().next().and_then(|line| line.parse::<u16>().ok())
                && said.lines().count() > 1
            {
                break port;
            }
            assert!(started.elapsed() < PATIENCE, "the browser did not start");
            std::thread::sleep(Duration::from_millis(30));
        };
        let socket = connect(port);
        let mut browser = Self {
            child,
            socket,
            folder,
            next: 0,
            complaints: Vec::new(),
            _alone: alone,
        };
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Shows a page from a file at an address inside it.
    pub fn open(&mut self, html: &str, hash: &str) {
        let path = self.folder.path().join("report.html");
        std::fs::write(&path, html).unwrap();
        // Through an empty page: a file that is shown already would only be scrolled.
        self.load("about:blank", "about:");
        self.load(&format!("file://{}{hash}", path.display()), "file:");
        self.settle();
    }

    fn load(&mut self, url: &str, protocol: &str) {
        self.ask("Page.navigate", json!({"url": url}));
        let loaded = format!("document.readyState === 'complete' && location.protocol === '{protocol}'");
        let started = Instant::now();
        while self.evaluate(&loaded) != json!(true) {
            assert!(started.elapsed() < PATIENCE, "the page did not load");
        }
    }

    /// Follows an address inside the page.
    pub fn go(&mut self, hash: &str) {
        self.evaluate(&format!("location.hash = {}", Value::from(hash)));
        self.settle();
    }

    /// Two frames: after the events of a change of address, and after what they asked for.
    fn settle(&mut self) {
        // A window that the system takes for hidden draws no frames; nothing waits for those for ever.
        self.evaluate(
            "new Promise((done) => { setTimeout(() => done(0), 400); \
             setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done(1))), 0) })",
        );
    }

    /// Presses a key.
    pub fn key(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r".to_owned()),
            "Escape" => (27, String::new()),
            other => (
                u32::from(other.to_uppercase().chars().next().unwrap()),
                other.to_owned(),
            ),
        };
        let kind = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        self.ask(
            "Input.dispatchKeyEvent",
            json!({"type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code}),
        );
        self.ask(
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}),
        );
        self.settle();
    }

    /// Makes the window small and dark, or large and light.
    pub fn size(&mut self, width: u32, height: u32, dark: bool) {
        self.frame(width, height, 2.0, dark);
    }

    /// The same, with so many points of the screen for a pixel of the page.
    pub fn frame(&mut self, width: u32, height: u32, scale: f64, dark: bool) {
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": true}),
        );
        let scheme = if dark { "dark" } else { "light" };
        self.ask(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
    }

    /// The value of an expression.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let answer = self.ask(
            "Runtime.evaluate",
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true}),
        );
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// The text of the first element.
    pub fn text(&mut self, selector: &str) -> String {
        let found = self.evaluate(&format!(
            "document.querySelector({})?.innerText ?? null",
            Value::from(selector)
        ));
        found
            .as_str()
            .unwrap_or_else(|| panic!("nothing is {selector}"))
            .to_owned()
    }

    /// How many elements there are.
    pub fn count(&mut self, selector: &str) -> u64 {
        self.evaluate(&format!(
            "document.querySelectorAll({}).length",
            Value::from(selector)
        ))
        .as_u64()
        .unwrap()
    }

    /// Keeps a picture in the folder that `KFP_GITOPS_TEST_PICTURES` names, if it names one.
    pub fn picture(&mut self, name: &str) {
        if let Some(folder) = std::env::var_os("KFP_GITOPS_TEST_PICTURES") {
            let bytes = self.shot();
            std::fs::write(PathBuf::from(folder).join(format!("{name}.png")), bytes).unwrap();
        }
    }

    /// What the window shows, as PNG.
    pub fn shot(&mut self) -> Vec<u8> {
        use base64::Engine as _;
        let answer = self.ask("Page.captureScreenshot", json!({"format": "png"}));
        base64::engine::general_purpose::STANDARD
            .decode(answer["data"].as_str().unwrap())
            .unwrap()
    }

    /// Fails if the page said anything on the console, raised anything, or asked for anything but
    /// itself.
    pub fn assert_quiet(&mut self) {
        self.settle();
        assert!(self.complaints.is_empty(), "{:#?}", self.complaints);
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let id = self.next;
        send(
            &mut self.socket,
            &json!({"id": id, "method": method, "params": parameters}).to_string(),
        );
        loop {
            let message: Value = serde_json::from_str(&receive(&mut self.socket)).unwrap();
            if message["id"] == json!(id) {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.note(&message);
        }
    }

    fn note(&mut self, event: &Value) {
        let parameters = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded" => {
                self.complaints.push(event.to_string());
            }
            "Network.requestWillBeSent" => {
                let url = parameters["request"]["url"].as_str().unwrap_or_default();
                let own = url.starts_with("file://")
                    && url
                        .split('#')
                        .next()
                        .is_some_and(|url| url.ends_with("/report.html"));
                if !own && url != "about:blank" {
                    self.complaints.push(format!("asked for {url}"));
                }
            }
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Finds the tab over HTTP and opens its socket.
fn connect(port: u16) -> TcpStream {
    let started = Instant::now();
    loop {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "GET /json/list HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        let body = answer
            .split_once("\r\n\r\n")
            .map(|(_, body)| body)
            .unwrap_or_default();
        let tabs: Value = serde_json::from_str(body).unwrap_or_default();
        let tab = tabs
            .as_array()
            .into_iter()
            .flatten()
            .find(|tab| tab["type"] == "page");
        if let Some(url) = tab.and_then(|tab| tab["webSocketDebuggerUrl"].as_str()) {
            let path = url.splitn(4, '/').nth(3).unwrap_or_default();
            return upgrade(port, path);
        }
        assert!(started.elapsed() < PATIENCE, "the browser has no tab: {answer}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn upgrade(port: u16, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(
        head.starts_with(b"HTTP/1.1 101"),
        "{}",
        String::from_utf8_lossy(&head)
    );
    stream
}

/// One text frame, masked with zeros as a client must mask with something.
fn send(stream: &mut TcpStream, text: &str) {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..126 => frame.push(0x80 | u8::try_from(length).unwrap()),
        length @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    stream.write_all(&frame).unwrap();
}

/// One message, put together from its frames.
fn receive(stream: &mut TcpStream) -> String {
    let mut message = Vec::new();
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head).unwrap();
        let length = match head[1] & 0x7F {
            126 => {
                let mut bytes = [0; 2];
                stream.read_exact(&mut bytes).unwrap();
                u64::from(u16::from_be_bytes(bytes))
            }
            127 => {
                let mut bytes = [0; 8];
                stream.read_exact(&mut bytes).unwrap();
                u64::from_be_bytes(bytes)
            }
            length => u64::from(length),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload).unwrap();
        // Text and what continues it; anything else is between the machines.
        if matches!(head[0] & 0x0F, 0 | 1) {
            message.extend(payload);
            if head[0] & 0x80 != 0 {
                return String::from_utf8(message).unwrap();
            }
        }
    }
}
