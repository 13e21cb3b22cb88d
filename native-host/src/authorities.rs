//! Who vouches for servers that the host speaks to: the system's authorities, and one's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Authorities of one's own, besides the system's.
#[derive(Clone, Debug)]
pub struct Authorities {
    trust: Arc<ClientConfig>,
    pem: Arc<[u8]>,
}

impl Authorities {
    /// Reads certificates in PEM.
    ///
    /// # Errors
    ///
    /// If the file can't be read, or holds no certificate of an authority.
    pub fn from_file(path: &Path) -> Result<Self, AuthoritiesError> {
        let unreadable = |source| AuthoritiesError::Unreadable { path: path.to_owned(), source };
        let pem = std::fs::read(path).map_err(unreadable)?;
        let none = || AuthoritiesError::None { path: path.to_owned() };
        let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
        let certificates =
            certificates.ok().filter(|certificates| !certificates.is_empty()).ok_or_else(none)?;
        let mut roots = system();
        for certificate in certificates {
            roots.add(certificate).map_err(|_| none())?;
        }
        Ok(Self { trust: trusting(roots).ok_or_else(none)?, pem: pem.into() })
    }

    pub(crate) fn trust(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.trust)
    }

    /// As the file has them.
    pub(crate) fn pem(&self) -> &[u8] {
        &self.pem
    }
}

/// What the system trusts. `SSL_CERT_FILE` and `SSL_CERT_DIR` name other certificates.
pub(crate) fn system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// A client that trusts these; none where there are none.
pub(crate) fn trusting(roots: RootCertStore) -> Option<Arc<ClientConfig>> {
    if roots.is_empty() {
        return None;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Some(Arc::new(config))
}

/// A file that vouches for nobody.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthoritiesError {
    /// It can't be read.
    #[error("{} can't be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no certificate of an authority in it.
    #[error("{} holds no certificate of an authority; write it in PEM, from BEGIN CERTIFICATE on", path.display())]
    None {
        /// The file.
        path: PathBuf,
    },
}
