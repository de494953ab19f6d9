//! Can TLS be agreed on, and with whom?

use super::run::PATIENCE;
use super::x509::{self, Facts};
use super::{Finding, Subject};
use crate::kfp::tls::{self, SystemRoots};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

/// The finding.
pub async fn check(subject: &Subject, addresses: &[SocketAddr], through_proxy: bool) -> Finding {
    let endpoint = &subject.connection.endpoint;
    if endpoint.scheme() != "https" {
        return Finding::skipped("tls", "the address is plain http");
    }
    if through_proxy {
        return Finding::skipped(
            "tls",
            "the connection goes through a proxy; the http check speaks TLS through it",
        );
    }
    let Some(host) = endpoint
        .host_str()
        .map(|host| host.trim_matches(['[', ']']).to_owned())
    else {
        return Finding::skipped("tls", "the address has no host");
    };
    let roots = match tls::roots(subject.connection.ca_file.as_deref(), SystemRoots::Read) {
        Ok(roots) => roots,
        Err(failure) => return Finding::failed("tls", failure.message, failure.hint.unwrap_or_default()),
    };
    let addresses = addresses.to_vec();
    let name = host.clone();
    let shaken = tokio::task::spawn_blocking(move || shake(&addresses, &name, roots)).await;
    match shaken {
        Ok(seen) => judge(&seen, &host, subject),
        Err(error) => Finding::skipped("tls", format!("the check itself ended: {error}")),
    }
}

/// What the handshake showed.
struct Seen {
    chain: Vec<Facts>,
    verdict: Option<Error>,
    trouble: Option<String>,
    protocol: Option<String>,
}

fn shake(addresses: &[SocketAddr], host: &str, roots: RootCertStore) -> Seen {
    let mut seen = Seen {
        chain: Vec::new(),
        verdict: None,
        trouble: None,
        protocol: None,
    };
    let witness = match Witness::new(roots) {
        Ok(witness) => Arc::new(witness),
        Err(trouble) => {
            return Seen {
                trouble: Some(trouble),
                ..seen
            };
        }
    };
    let result = handshake(addresses, host, &witness);
    if let Ok(state) = witness.seen.lock() {
        seen.chain.clone_from(&state.0);
        seen.verdict.clone_from(&state.1);
    }
    match result {
        Ok(protocol) => seen.protocol = protocol,
        Err(trouble) => seen.trouble = Some(trouble),
    }
    seen
}

fn handshake(addresses: &[SocketAddr], host: &str, witness: &Arc<Witness>) -> Result<Option<String>, String> {
    tls::install_provider();
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let config = ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(witness) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|error| text(&error))?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|error| text(&error))?;
    let mut last = "no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(address, PATIENCE) {
            Ok(mut stream) => {
                let limits = [
                    stream.set_read_timeout(Some(PATIENCE)),
                    stream.set_write_timeout(Some(PATIENCE)),
                ];
                limits
                    .into_iter()
                    .collect::<Result<(), _>>()
                    .map_err(|error| text(&error))?;
                while connection.is_handshaking() {
                    connection
                        .complete_io(&mut stream)
                        .map_err(|error| text(&error))?;
                }
                return Ok(connection
                    .protocol_version()
                    .map(|version| format!("{version:?}")));
            }
            Err(error) => last = text(&error),
        }
    }
    Err(last)
}

fn judge(seen: &Seen, host: &str, subject: &Subject) -> Finding {
    let leaf = seen.chain.first().cloned().unwrap_or_default();
    let issuer = leaf.issuer.as_deref().unwrap_or("somebody unnamed");
    let unchecked = subject.connection.insecure_skip_tls_verify;
    if let Some(error) = seen.verdict.as_ref().filter(|_| !unchecked) {
        return refused(error, host, issuer, &leaf, seen.chain.len());
    }
    if let Some(trouble) = &seen.trouble {
        return Finding::failed(
            "tls",
            format!("the handshake failed: {trouble}"),
            "check that this port speaks TLS: a plain server on an https address looks like this",
        );
    }
    if unchecked {
        return tolerated(seen, host, issuer, &leaf);
    }
    let until = leaf
        .until
        .map_or_else(|| "?".to_owned(), |until| until.format("%Y-%m-%d").to_string());
    let said = format!(
        "{} with a certificate for `{host}` by `{issuer}`, valid until {until}",
        seen.protocol.as_deref().unwrap_or("TLS")
    );
    let soon = leaf
        .until
        .is_some_and(|until| until - chrono::Utc::now() < chrono::TimeDelta::days(14));
    let finding = Finding::passed("tls", said);
    if soon {
        finding.cure("it ends within two weeks: have it renewed")
    } else {
        finding
    }
}

/// Verification is switched off, so the calls go through whatever the certificate is; said is what a check
/// would have found.
fn tolerated(seen: &Seen, host: &str, issuer: &str, leaf: &Facts) -> Finding {
    let protocol = seen.protocol.as_deref().unwrap_or("TLS");
    let off = "verification is off (`--insecure-skip-tls-verify`): anyone on the way can read and change everything";
    match &seen.verdict {
        None => Finding::passed("tls", format!("{protocol}; {off}"))
            .cure("leave the flag out: the certificate would be accepted without it"),
        Some(error) => {
            let strict = refused(error, host, issuer, leaf, seen.chain.len());
            Finding::passed("tls", format!("{protocol}; {off}; checked, {}", strict.seen)).cure(format!(
                "to switch verification on: {}",
                strict.cure.unwrap_or_default()
            ))
        }
    }
}

fn refused(error: &Error, host: &str, issuer: &str, leaf: &Facts, length: usize) -> Finding {
    let Error::InvalidCertificate(cause) = error else {
        return Finding::failed(
            "tls",
            format!("the certificate was refused: {error}"),
            "check the server's certificate",
        );
    };
    match cause {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            let alone = if length == 1 {
                "; the server sends no chain beside it"
            } else {
                ""
            };
            Finding::failed(
                "tls",
                format!("the certificate is signed by `{issuer}`, which this machine does not trust{alone}"),
                format!(
                    "give the certificate of `{issuer}` in PEM form with `--ca-file` (`KFP_GITOPS_CA_FILE`)"
                ),
            )
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let names = match cause {
                CertificateError::NotValidForNameContext { presented, .. } => {
                    format!(", but for {}", presented.join(", "))
                }
                _ => String::new(),
            };
            Finding::failed(
                "tls",
                format!("the certificate is not for `{host}`{names}"),
                "call the server by a name its certificate has, or have the certificate extended",
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let until = leaf
                .until
                .map_or_else(String::new, |until| format!(" on {}", until.format("%Y-%m-%d")));
            Finding::failed(
                "tls",
                format!("the certificate ended{until}"),
                "have it renewed; check this machine's clock, too",
            )
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Finding::failed(
            "tls",
            "the certificate is not valid yet",
            "check this machine's clock",
        ),
        // What `openssl req -x509` makes without more ado; the verifier has no name of its own for it.
        CertificateError::Other(cause) if cause.to_string().contains("CaUsedAsEndEntity") => Finding::failed(
            "tls",
            "the server shows the certificate of an authority as its own (`CA:TRUE`), as self-signed ones often are",
            "have one made that is not an authority's (`-addext basicConstraints=critical,CA:FALSE`), or have an authority \
             sign one for the server; give that with `--ca-file`",
        ),
        other => Finding::failed(
            "tls",
            format!("the certificate was refused: {other:?}"),
            "check the server's certificate",
        ),
    }
}

/// Takes every certificate, and remembers what a strict verifier says of it.
#[derive(Debug)]
struct Witness {
    strict: Arc<WebPkiServerVerifier>,
    seen: Mutex<(Vec<Facts>, Option<Error>)>,
}

impl Witness {
    fn new(roots: RootCertStore) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let strict = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            strict,
            seen: Mutex::default(),
        })
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict =
            self.strict
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if let Ok(mut seen) = self.seen.lock() {
            seen.0 = std::iter::once(end_entity)
                .chain(intermediates)
                .map(|one| x509::facts(one))
                .collect();
            seen.1 = verdict.err();
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.strict
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.strict.supported_verify_schemes()
    }
}
