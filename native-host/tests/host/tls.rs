//! HTTPS.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quillwork_host::limits::Limits;
use quillwork_host::tls::{Certificate, Encryption};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use crate::harness::{Host, PATIENCE, Setup, unhurried};
use crate::process::{Said, quillwork, serving};

/// Writes a certificate and its key, and gives the certificate.
fn issue(directory: &Path, name: &str) -> CertificateDer<'static> {
    let issued = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    fs::write(directory.join("certificate.pem"), issued.cert.pem()).unwrap();
    let key = directory.join("key.pem");
    fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    only_owner(&key, 0o600);
    issued.cert.der().clone()
}

fn only_owner(_path: &Path, _mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(_path, fs::Permissions::from_mode(_mode)).unwrap();
    }
}

fn load(directory: &Path) -> Result<Certificate, quillwork_host::tls::TlsError> {
    Certificate::from_files(&directory.join("certificate.pem"), &directory.join("key.pem"))
}

/// Asks by HTTPS, trusting one certificate only; none where the handshake fails.
async fn ask(
    address: &str,
    trusted: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
    more: &str,
) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream =
        timeout(PATIENCE, TlsConnector::from(Arc::new(config)).connect(name, stream)).await.unwrap().ok()?;
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    Some(answer)
}

async fn host(directory: &Path, limits: Limits) -> (Host, String, Encryption) {
    let encryption = Encryption::new(load(directory).unwrap());
    let setup = Setup { encryption: Some(encryption.clone()), limits, ..Setup::default() };
    let (host, address) = Host::listen(setup).await;
    (host, address, encryption)
}

#[tokio::test]
async fn both_versions_are_spoken_and_own_pages_are_those_of_https() {
    let directory = tempfile::tempdir().unwrap();
    let trusted = issue(directory.path(), "localhost");
    let (_host, address, _) = host(directory.path(), unhurried()).await;
    for version in [&TLS12, &TLS13] {
        let answer = ask(&address, &trusted, &[version], "").await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("alive\n"), "{answer}");
    }
    let own = ask(&address, &trusted, &[&TLS13], &format!("Origin: https://{address}\r\n")).await.unwrap();
    assert!(own.starts_with("HTTP/1.1 200"), "{own}");
    // A page that anybody on the way could have written.
    let plain = ask(&address, &trusted, &[&TLS13], &format!("Origin: http://{address}\r\n")).await.unwrap();
    assert!(plain.starts_with("HTTP/1.1 403"), "{plain}");
}

#[tokio::test]
async fn who_speaks_plain_http_is_told_to_use_https() {
    let directory = tempfile::tempdir().unwrap();
    issue(directory.path(), "localhost");
    let (_host, address, _) = host(directory.path(), unhurried()).await;
    let answer = crate::process::get(&address, "/healthz").await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.ends_with("use https://\n"), "{answer}");
}

#[tokio::test]
async fn who_never_shakes_hands_loses_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let trusted = issue(directory.path(), "localhost");
    let limits = Limits { handshake_timeout: Duration::from_millis(50), connections: 1, ..unhurried() };
    let (_host, address, _) = host(directory.path(), limits).await;
    let silent = TcpStream::connect(&address).await.unwrap();
    let mut begun = TcpStream::connect(&address).await.unwrap();
    begun.write_all(&[22, 3, 1]).await.unwrap();
    // There is one place only. Where others work on this machine, who means well may be too slow as well, and tries again.
    let served = async {
        loop {
            if let Some(answer) = ask(&address, &trusted, &[&TLS13], "").await {
                return answer;
            }
        }
    };
    let answer = timeout(PATIENCE, served).await.expect("who says nothing loses its place");
    assert!(answer.ends_with("alive\n"), "{answer}");
    drop((silent, begun));
}

#[tokio::test]
async fn a_certificate_that_is_replaced_counts_for_new_connections() {
    let directory = tempfile::tempdir().unwrap();
    let old = issue(directory.path(), "localhost");
    let (_host, address, encryption) = host(directory.path(), unhurried()).await;
    assert!(!encryption.replace(load(directory.path()).unwrap()), "it is the same");
    let new = issue(directory.path(), "localhost");
    assert!(encryption.replace(load(directory.path()).unwrap()));
    assert!(ask(&address, &new, &[&TLS13], "").await.is_some());
    assert!(ask(&address, &old, &[&TLS13], "").await.is_none());
}

#[test]
fn files_that_are_no_pair_are_refused() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    issue(one.path(), "localhost");
    issue(other.path(), "localhost");
    let refusal =
        |certificate: &Path, key: &Path| Certificate::from_files(certificate, key).unwrap_err().to_string();
    let (certificate, key) = (one.path().join("certificate.pem"), one.path().join("key.pem"));
    assert!(refusal(&certificate, &other.path().join("key.pem")).contains("can't be used"));
    assert!(refusal(&key, &key).contains("holds no certificate"));
    assert!(refusal(&certificate, &certificate).contains("chmod 600"));
    only_owner(&certificate, 0o600);
    assert!(refusal(&certificate, &certificate).contains("holds no private key"));
    assert!(refusal(&one.path().join("gone"), &key).contains("can't be read"));
}

#[tokio::test]
async fn the_command_serves_https_and_finds_a_renewed_certificate_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let first = issue(directory.path(), "localhost");
    let file = directory.path().join("quillwork.toml");
    let text =
        "[tls]\ncertificate_file = \"certificate.pem\"\nkey_file = \"key.pem\"\nlook_interval = \"10ms\"\n";
    fs::write(&file, text).unwrap();
    let command = quillwork(&["serve", "--port", "0", "--config", file.to_str().unwrap()]);
    let (mut child, address) = serving(command).await;
    let mut said = Said::by(&mut child);
    assert!(ask(&address, &first, &[&TLS13], "").await.unwrap().ends_with("alive\n"));

    fs::write(directory.path().join("certificate.pem"), "half of a cert").unwrap();
    assert!(said.line_with("the old one stays").await.contains("holds no certificate"));
    assert!(ask(&address, &first, &[&TLS13], "").await.is_some());

    let second = issue(directory.path(), "localhost");
    said.line_with("the certificate has changed; new connections").await;
    assert!(ask(&address, &second, &[&TLS13], "").await.is_some());
}
