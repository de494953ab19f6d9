//! Certificates: trusted, refused, and not looked at.

use super::*;
use tokio_rustls::TlsAcceptor;

/// A TLS server on the registry with a certificate for `name`, and the authority that signed it.
pub(super) async fn secure_server(name: &str, until: i32) -> (SocketAddr, tempfile::NamedTempFile) {
    let mut authority = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority
        .distinguished_name
        .push(rcgen::DnType::CommonName, "Homelab CA");
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let mut leaf = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    leaf.not_after = rcgen::date_time_ymd(until, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = leaf.signed_by(&key, &issuer).unwrap();
    secured(&certificate, &authority_certificate, &key).await
}

/// TLS in front of the registry, and the authority to trust as a file.
async fn secured(
    certificate: &rcgen::Certificate,
    authority: &rcgen::Certificate,
    key: &rcgen::KeyPair,
) -> (SocketAddr, tempfile::NamedTempFile) {
    crate::kfp::tls::install_provider();
    let key = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let plain = serve(registry()).await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(mut secured) = acceptor.accept(stream).await {
                    let mut inner = TcpStream::connect(plain).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut secured, &mut inner).await;
                }
            });
        }
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority.pem()).unwrap();
    (address, file)
}

#[tokio::test]
async fn tls_trouble_is_told_apart() {
    let (address, authority) = secure_server("localhost", 2090).await;
    let mut subject = subject(&format!("https://localhost:{}", address.port()));
    let tls = found(&first_contact(&subject, false).await, "tls").clone();
    assert!(
        tls.is_failed() && tls.seen.contains("signed by `Homelab CA`"),
        "{tls:?}"
    );
    assert!(tls.cure.unwrap().contains("--ca-file"));

    subject.connection.ca_file = Some(authority.path().to_owned());
    let findings = examine(&subject).await;
    assert!(
        found(&findings, "tls").seen.contains("valid until 2090-01-01"),
        "{findings:#?}"
    );
    assert_eq!(
        found(&findings, "login").verdict,
        Verdict::Passed,
        "{findings:#?}"
    );

    subject.connection.endpoint = format!("https://127.0.0.1:{}", address.port()).parse().unwrap();
    let tls = found(&first_contact(&subject, false).await, "tls").clone();
    assert!(
        tls.seen.contains("not for `127.0.0.1`") && tls.seen.contains("localhost"),
        "{tls:?}"
    );

    let (address, authority) = secure_server("localhost", 2001).await;
    subject.connection.ca_file = Some(authority.path().to_owned());
    subject.connection.endpoint = format!("https://localhost:{}", address.port()).parse().unwrap();
    let tls = found(&first_contact(&subject, false).await, "tls").clone();
    assert_eq!(tls.seen, "the certificate ended on 2001-01-01");

    let plain = serve(registry()).await;
    subject.connection.endpoint = format!("https://localhost:{}", plain.port()).parse().unwrap();
    let tls = found(&first_contact(&subject, false).await, "tls").clone();
    assert!(tls.seen.contains("handshake failed"), "{tls:?}");
}

#[tokio::test]
async fn http_where_tls_is_spoken_is_told() {
    let (address, _) = secure_server("localhost", 2090).await;
    let findings = first_contact(&subject(&format!("http://localhost:{}/x", address.port())), false).await;
    let http = found(&findings, "http");
    assert!(http.is_failed() && http.seen.contains("speaks TLS"), "{http:?}");
    let cure = http.cure.as_deref().unwrap();
    assert_eq!(
        cure,
        format!("use `https://localhost:{}/x` as the endpoint", address.port())
    );
}

#[tokio::test]
async fn an_authority_in_the_servers_place_is_told() {
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let (address, file) = secured(&certificate, &certificate, &key).await;
    let mut subject = subject(&format!("https://localhost:{}", address.port()));
    subject.connection.ca_file = Some(file.path().to_owned());
    let tls = found(&first_contact(&subject, false).await, "tls").clone();
    assert!(tls.is_failed() && tls.seen.contains("CA:TRUE"), "{tls:?}");
    // More of the same authority does not help.
    let failure = crate::kfp::Client::new(subject.connection)
        .unwrap()
        .server()
        .await;
    assert!(!failure.unwrap_err().hint.unwrap().contains("--ca-file"));
}

#[tokio::test]
async fn the_client_itself_wants_the_authority_or_the_switch() {
    let (address, authority) = secure_server("localhost", 2090).await;
    let endpoint = format!("https://localhost:{}", address.port());
    let ask = async |change: &dyn Fn(&mut Connection)| {
        let mut connection = Connection::new(endpoint.parse().unwrap());
        change(&mut connection);
        crate::kfp::Client::new(connection).unwrap().server().await
    };
    let failure = ask(&|_| {}).await.unwrap_err();
    assert_eq!(failure.exit_code(), ExitCode::Usage, "{failure:?}");
    assert!(failure.hint.unwrap().contains("--ca-file"));
    ask(&|connection| connection.ca_file = Some(authority.path().to_owned()))
        .await
        .unwrap();
    ask(&|connection| connection.insecure_skip_tls_verify = true)
        .await
        .unwrap();
    let unusable = Connection {
        ca_file: Some("/no/such/file".into()),
        ..Connection::new(endpoint.parse().unwrap())
    };
    assert_eq!(
        crate::kfp::Client::new(unusable).err().unwrap().exit_code(),
        ExitCode::Usage
    );
}
