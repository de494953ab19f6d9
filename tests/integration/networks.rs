//! `compile.network`: a pipeline connects where it may, and where it may not the next step is said, whatever
//! library made which error of it.

use crate::support::{Said, folder, kfp_gitops, run, write};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server that answers every request with `image-of-the-server`, and how often it was asked.
fn server() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\nConnection: close\r\n\r\nimage-of-the-server",
            );
        }
    });
    (address, asked)
}

/// A pipeline that asks for its description at the top level, in this way.
fn asking(name: &str, code: &str) -> String {
    format!(
        "from kfp import dsl\n{code}\n\n\n@dsl.component(base_image='python:3.12')\ndef say(): pass\n\n\n\
         @dsl.pipeline(name='{name}', description=str(text))\ndef p():\n    say()\n"
    )
}

/// Ways to the network that libraries take.
fn ways(address: SocketAddr) -> Vec<(&'static str, String)> {
    let url = format!("http://{address}/image");
    let socket = format!("socket.create_connection(('127.0.0.1', {}))", address.port());
    vec![
        (
            "urllib",
            format!("import urllib.request\ntext = urllib.request.urlopen('{url}').read().decode()"),
        ),
        (
            "http",
            format!(
                "import http.client\nc = http.client.HTTPConnection('{address}')\nc.request('GET', '/')\ntext = c.getresponse().read().decode()"
            ),
        ),
        (
            "socket",
            format!(
                "import socket\ns = {socket}\ns.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')\ntext = s.recv(999)[-19:].decode()"
            ),
        ),
        (
            "raw",
            format!(
                "import _socket\ns = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)\ns.connect(('127.0.0.1', {}))\ntext = 'x'",
                address.port()
            ),
        ),
        (
            "asyncio",
            format!(
                "import asyncio\nasync def get():\n    r, w = await asyncio.open_connection('127.0.0.1', {})\n    w.write(b'GET / HTTP/1.0\\r\\n\\r\\n')\n    return (await r.read())[-19:].decode()\ntext = asyncio.run(get())",
                address.port()
            ),
        ),
        (
            "requests",
            format!("import requests\ntext = requests.get('{url}').text"),
        ),
        (
            "urllib3",
            format!(
                "import urllib3\ntext = urllib3.PoolManager(retries=False).request('GET', '{url}').data.decode()"
            ),
        ),
        ("httpx", format!("import httpx\ntext = httpx.get('{url}').text")),
        (
            "aiohttp",
            format!(
                "import aiohttp, asyncio\nasync def get():\n    async with aiohttp.ClientSession() as s:\n        async with s.get('{url}') as r:\n            return await r.text()\ntext = asyncio.run(get())"
            ),
        ),
        (
            "wrapped",
            format!(
                "import urllib.request\ntry:\n    text = urllib.request.urlopen('{url}').read().decode()\nexcept Exception:\n    raise RuntimeError('no image list')"
            ),
        ),
    ]
}

fn compile(root: &std::path::Path) -> Said {
    run(kfp_gitops(root).args(["compile", "-o", "out", "--format", "json", "--no-cache"]))
}

fn error<'a>(report: &'a Value, name: &str) -> &'a Value {
    let file = format!("{name}_pipeline.py");
    let found = report["pipelines"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["file"] == file.as_str());
    &found.unwrap_or_else(|| panic!("{name} in {report}"))["error"]
}

const HINT: &str = "compiling has no network: keep a copy of the component in the repository, or set `compile.network: allow`";

#[test]
fn denied_by_default_with_the_way_out_and_open_where_it_is_allowed() {
    let (address, asked) = server();
    let root = folder(&[("requirements.txt", "kfp==2.17.0\nhttpx\naiohttp\n")]);
    for (name, code) in ways(address) {
        write(root.path(), &format!("{name}_pipeline.py"), &asking(name, &code));
    }
    // what is refused for another reason is not of the network
    let others = [
        ("closed", "text = open('/etc/shadow').read()"),
        ("signals", "import os\nos.kill(1, 15)\ntext = 'x'"),
        ("raises", "raise PermissionError(13, 'Permission denied')"),
        (
            "outside",
            "import os\nos.mkdir('/kfp-gitops-outside')\ntext = 'x'",
        ),
    ];
    for (name, code) in others {
        write(root.path(), &format!("{name}_pipeline.py"), &asking(name, code));
    }
    let said = compile(root.path());
    assert_eq!(said.code, 1, "{said:?}");
    let report = said.json();
    if report["engine"]["sandbox"] != "full" {
        eprintln!("skipped: this machine has no full sandbox");
        return;
    }
    let mut wrong = Vec::new();
    for (name, _) in ways(address) {
        let error = error(&report, name);
        if error["hint"] != HINT {
            wrong.push(format!("{name}: {error:#}"));
        }
    }
    for (name, _) in others {
        let error = error(&report, name);
        if error.is_null()
            || error["hint"]
                .as_str()
                .is_some_and(|hint| hint.contains("network"))
        {
            wrong.push(format!("{name}: {error:#}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(asked.load(Ordering::SeqCst), 0, "somebody came through");

    write(root.path(), "kfp-gitops.yaml", "compile: {network: allow}\n");
    for (name, _) in others {
        std::fs::remove_file(root.path().join(format!("{name}_pipeline.py"))).unwrap();
    }
    let said = compile(root.path());
    assert_eq!(said.code, 0, "{said:?}");
    assert!(asked.load(Ordering::SeqCst) >= ways(address).len());
    let text = std::fs::read_to_string(root.path().join("out/httpx_pipeline.yaml")).unwrap();
    assert!(text.contains("image-of-the-server"), "{text}");
}
