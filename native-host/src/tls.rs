//! Encryption: TLS 1.2 and 1.3, with a certificate that can be replaced while the host runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

use crate::secret::{self, SecretError};

/// Turns connections into encrypted ones.
#[derive(Clone)]
pub struct Encryption {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
}

/// A certificate with its key, read and found to belong together.
#[derive(Clone, Debug)]
pub struct Certificate {
    certified: Arc<CertifiedKey>,
    /// What the files held, so that a change is noticed.
    certificate: Vec<u8>,
    key: String,
}

/// The certificate that new connections get.
#[derive(Debug)]
struct Current(RwLock<Certificate>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).certified))
    }
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    ///
    /// If one can't be read or holds something else, the key is open to other users, or they don't belong together.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let unreadable = |source| TlsError::Unreadable { path: certificate.to_owned(), source };
        let pem = fs::read(certificate).map_err(unreadable)?;
        let secret = secret::read(key)?;
        let chain = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<Vec<_>, _>>()
            .ok()
            .filter(|chain| !chain.is_empty())
            .ok_or_else(|| TlsError::NoCertificate { path: certificate.to_owned() })?;
        let private = PrivateKeyDer::from_pem_slice(secret.as_bytes())
            .map_err(|_| TlsError::NoKey { path: key.to_owned() })?;
        let certified =
            CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|source| {
                TlsError::Unusable { certificate: certificate.to_owned(), key: key.to_owned(), source }
            })?;
        Ok(Self { certified: Arc::new(certified), certificate: pem, key: secret })
    }
}

impl Encryption {
    /// With this certificate.
    ///
    /// # Panics
    ///
    /// Never: both versions of TLS belong to the provider.
    #[must_use]
    pub fn new(certificate: Certificate) -> Self {
        let current = Arc::new(Current(RwLock::new(certificate)));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&current) as _;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .expect("the provider has suites for both versions")
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), current }
    }

    /// Gives new connections another certificate; those that are open keep theirs. Tells whether it is another.
    pub fn replace(&self, certificate: Certificate) -> bool {
        let mut current = self.current.0.write().unwrap_or_else(PoisonError::into_inner);
        let differs = current.certificate != certificate.certificate || current.key != certificate.key;
        *current = certificate;
        differs
    }

    /// Shakes hands.
    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        self.acceptor.accept(stream).await
    }
}

/// A certificate that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The certificate's file can't be read.
    #[error("tls.certificate_file: {} can't be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key's file can't be read, or by too many.
    #[error("tls.key_file: {0}")]
    Key(#[from] SecretError),
    /// It holds something else.
    #[error("tls.certificate_file: {} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// It holds something else.
    #[error("tls.key_file: {} holds no private key in PEM (-----BEGIN PRIVATE KEY-----)", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// They can't be used together.
    #[error(
        "the certificate {} and the key {} can't be used: {source}; the file begins with the certificate of this key",
        certificate.display(),
        key.display()
    )]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}
