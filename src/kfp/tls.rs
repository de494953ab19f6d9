//! TLS: rustls on ring, the roots that are trusted, and the one switch that trusts everybody.

use crate::error::{Failure, Phase};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::path::Path;
use std::sync::{Arc, Once};

/// Makes ring the process' provider of cryptography. Every TLS user of this program calls it first;
/// calling it again does nothing.
pub fn install_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means another provider was installed first, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Whether the system's certificates are read, which takes some milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemRoots {
    /// Read them; `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured.
    Read,
    /// Leave them.
    Leave,
}

/// The authorities to trust: those built in, those of the system where wanted, and those in `ca_file`.
/// The built-in ones let a static binary work in an image that has none.
///
/// # Errors
/// When `ca_file` cannot be read or holds no certificate.
pub fn roots(ca_file: Option<&Path>, system: SystemRoots) -> Result<RootCertStore, Failure> {
    let mut store = RootCertStore::empty();
    store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    // Unreadable system stores are no reason to fail: the built-in roots and the CA file remain.
    if system == SystemRoots::Read {
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if let Some(path) = ca_file {
        for certificate in certificates(path)? {
            store.add(certificate).map_err(|error| {
                Failure::usage(
                    Phase::Settings,
                    format!(
                        "the CA file {} holds a certificate that cannot be used: {error}",
                        path.display()
                    ),
                )
                .hint("give the authority's certificate in PEM form")
            })?;
        }
    }
    Ok(store)
}

/// The certificates of a PEM file.
///
/// # Errors
/// When it cannot be read or holds none.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let unreadable = |cause: String| {
        Failure::usage(
            Phase::Settings,
            format!("the CA file {} cannot be read: {cause}", path.display()),
        )
        .hint("give the path of a PEM file that this process may read")
    };
    let text = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let found: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(error.to_string()))?;
    if found.is_empty() {
        return Err(unreadable("it holds no certificate".to_owned()));
    }
    Ok(found)
}

/// The TLS settings of the program's connections.
///
/// # Errors
/// See [`roots`].
pub fn client_config(
    ca_file: Option<&Path>,
    trust_everybody: bool,
    system: SystemRoots,
) -> Result<ClientConfig, Failure> {
    install_provider();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::internal(Phase::Connect, format!("TLS cannot be set up: {error}")))?;
    let mut config = if trust_everybody {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(TrustEverybody(provider)))
            .with_no_client_auth()
    } else {
        builder
            .with_root_certificates(roots(ca_file, system)?)
            .with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// `--insecure-skip-tls-verify`: takes any certificate, still checks that the peer holds its key.
#[derive(Debug)]
struct TrustEverybody(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustEverybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
