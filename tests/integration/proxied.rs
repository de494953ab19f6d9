//! A server behind TLS that only a proxy reaches, with an authority from the environment.

use crate::support::{Said, folder, kfp_gitops, run};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

const HOST: &str = "kubeflow.test";
const TOKEN: &str = "sEcReT-0123456789";

/// TLS for [`HOST`] in front of a server, and its authority as PEM.
async fn secured(inner: SocketAddr) -> (SocketAddr, String) {
    let mut authority = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    let certificate = leaf.signed_by(&key, &issuer).unwrap();
    kfp_gitops::kfp::tls::install_provider();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = tokio_rustls::rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(mut outer) = acceptor.accept(stream).await {
                    let mut inner = TcpStream::connect(inner).await.unwrap();
                    let _ = copy_bidirectional(&mut outer, &mut inner).await;
                }
            });
        }
    });
    (address, pem)
}

/// A proxy that takes `CONNECT` to anywhere and leads to `target`; the heads it was sent.
async fn proxy(target: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut outer, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match outer.read_u8().await {
                        Ok(byte) => head.push(byte),
                        // A look at the port, as the doctor takes it.
                        Err(_) => return,
                    }
                }
                seen.lock()
                    .unwrap()
                    .push(String::from_utf8_lossy(&head).into_owned());
                let _ = outer
                    .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    .await;
                let mut inner = TcpStream::connect(target).await.unwrap();
                let _ = copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    (address, heads)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_behind_proxy_and_private_authority_is_reached() {
    let server = MockServer::start().await;
    for (at, body) in [
        (
            "/apis/v2beta1/healthz",
            r#"{"tag_name":"2.17.0","multi_user":false,"pipeline_store":"database"}"#,
        ),
        ("/apis/v2beta1/pipelines", "{}"),
    ] {
        Mock::given(path(at))
            .respond_with(ResponseTemplate::new(200).set_body_raw(body, "application/json"))
            .mount(&server)
            .await;
    }
    let (secure, pem) = secured(*server.address()).await;
    let (proxy, heads) = proxy(secure).await;
    let endpoint = format!("https://{HOST}:8443");
    let proxy = format!("http://{proxy}");
    let said: Vec<Said> = tokio::task::spawn_blocking(move || {
        let root = folder(&[("authority.pem", pem.as_str())]);
        let authority = root.path().join("authority.pem");
        let authority = authority.to_str().expect("text");
        let tried = |arguments: &[&str], environment: &[(&str, &str)]| {
            let mut command = kfp_gitops(root.path());
            for name in [
                "NO_PROXY",
                "no_proxy",
                "https_proxy",
                "SSL_CERT_FILE",
                "SSL_CERT_DIR",
            ] {
                command.env_remove(name);
            }
            run(command
                .args(arguments)
                .args(["--endpoint", &endpoint])
                .env("KFP_GITOPS_TOKEN", TOKEN)
                .env("HTTPS_PROXY", &proxy)
                .envs(environment.iter().copied()))
        };
        let list = ["list", "all"];
        vec![
            tried(&list, &[("SSL_CERT_FILE", authority)]),
            tried(&["list", "all", "--ca-file", authority], &[]),
            tried(&["doctor", "--format", "json"], &[("SSL_CERT_FILE", authority)]),
            tried(&list, &[]),
            tried(&["list", "all", "--insecure-skip-tls-verify"], &[]),
            tried(&list, &[("SSL_CERT_FILE", authority), ("NO_PROXY", HOST)]),
        ]
    })
    .await
    .expect("the test's thread");
    assert_eq!(said[0].code, 0, "SSL_CERT_FILE: {:?}", said[0]);
    assert_eq!(said[1].code, 0, "--ca-file: {:?}", said[1]);
    let report = said[2].json();
    for (check, verdict) in [
        ("proxy", "passed"),
        ("tcp", "passed"),
        ("tls", "skipped"),
        ("http", "passed"),
        ("login", "passed"),
    ] {
        let all = report["checks"].as_array().expect("checks");
        let found = all.iter().find(|one| one["check"] == check).expect(check);
        assert_eq!(found["verdict"], verdict, "{report:#}");
    }
    assert_eq!(said[3].code, 2, "no authority: {:?}", said[3]);
    assert!(said[3].out.contains("--ca-file"), "{:?}", said[3]);
    assert_eq!(said[4].code, 0, "unchecked: {:?}", said[4]);
    // Without the proxy nobody knows the name.
    assert_ne!(said[5].code, 0, "NO_PROXY: {:?}", said[5]);
    let heads = heads.lock().unwrap().clone();
    assert!(!heads.is_empty());
    for head in heads {
        assert!(
            head.starts_with(&format!("CONNECT {HOST}:8443 HTTP/1.1\r\n")),
            "{head}"
        );
        assert!(!head.contains(TOKEN), "the proxy saw the token");
    }
    let calls = server.received_requests().await.expect("recorded");
    assert!(
        calls
            .iter()
            .filter(|call| call.url.path().ends_with("/pipelines"))
            .all(|call| call.headers["authorization"] == format!("Bearer {TOKEN}").as_str()),
        "{calls:?}"
    );
}
