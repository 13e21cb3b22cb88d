//! Letters over TLS: to servers that can show who they are, and to those that can't.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use quillwork_host::config::{ChannelKind, MailEncryption, NotifyChannel};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::notify::{channels, told, try_channels};

/// An authority of one's own, as studios have.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(parameters, key), certificate }
    }

    /// What a server shows: a certificate for this name, that was good until this year.
    fn server(&self, name: &str, last_year: i32) -> TlsAcceptor {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        parameters.not_before = date_time_ymd(2_000, 1, 1);
        parameters.not_after = date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

type Heard = Arc<Mutex<Vec<String>>>;

/// What a server speaks.
#[derive(Clone, Copy, Debug)]
enum Speaks {
    Http,
    /// TLS from the first byte.
    Smtp,
    /// TLS after `STARTTLS`.
    SmtpThenTls,
}

/// A server that hears letters for ever; its port, and all that was said to it behind TLS.
async fn server(acceptor: TlsAcceptor, speaks: Speaks) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let told = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, told) = (acceptor.clone(), Arc::clone(&told));
            // Who doesn't trust the certificate goes away in the handshake.
            tokio::spawn(async move {
                let stream = match speaks {
                    Speaks::SmtpThenTls => before_tls(stream).await?,
                    Speaks::Http | Speaks::Smtp => stream,
                };
                let stream = BufReader::new(acceptor.accept(stream).await.ok()?);
                match speaks {
                    Speaks::Http => web(stream, &told).await,
                    Speaks::Smtp => mail(stream, &told, true).await,
                    Speaks::SmtpThenTls => mail(stream, &told, false).await,
                }
            });
        }
    });
    (port, heard)
}

/// Speaks up to `STARTTLS`.
async fn before_tls(mut stream: TcpStream) -> Option<TcpStream> {
    stream.write_all(b"220 here\r\n").await.ok()?;
    let mut said = String::new();
    loop {
        // Byte by byte: what follows the line belongs to TLS.
        said.push(char::from(stream.read_u8().await.ok()?));
        if said.ends_with("STARTTLS\r\n") {
            stream.write_all(b"220 go on\r\n").await.ok()?;
            return Some(stream);
        }
        if said.ends_with("\r\n") {
            stream.write_all(b"250-here\r\n250 STARTTLS\r\n").await.ok()?;
        }
    }
}

async fn mail(
    mut stream: impl AsyncRead + AsyncWrite + AsyncBufReadExt + Unpin,
    told: &Heard,
    greets: bool,
) -> Option<()> {
    if greets {
        stream.write_all(b"220 here\r\n").await.ok()?;
    }
    let (mut line, mut letter, mut is_data) = (String::new(), String::new(), false);
    while stream.read_line(&mut line).await.ok()? > 0 {
        let answer = match line.trim_end() {
            "." if is_data => {
                is_data = false;
                told.lock().unwrap().push(std::mem::take(&mut letter));
                "250 taken\r\n"
            }
            _ if is_data => {
                letter.push_str(&line);
                ""
            }
            "DATA" => {
                is_data = true;
                "354 go on\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 yes\r\n",
        };
        line.clear();
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
    Some(())
}

async fn web(mut stream: impl AsyncRead + AsyncWrite + AsyncBufReadExt + Unpin, told: &Heard) -> Option<()> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())?;
    let mut body = vec![0_u8; length];
    stream.read_exact(&mut body).await.ok()?;
    told.lock().unwrap().push(String::from_utf8(body).ok()?);
    stream.write_all(b"HTTP/1.1 204 Thanks\r\ncontent-length: 0\r\n\r\n").await.ok()?;
    stream.shutdown().await.ok()
}

/// What became of a letter to a server of this certificate, if the host knows the authority: what was heard, and the failure.
async fn sent(
    speaks: Speaks,
    certified_name: &str,
    last_year: i32,
    knows_it: bool,
) -> (Vec<String>, Option<String>) {
    let authority = Authority::new();
    let (port, heard) = server(authority.server(certified_name, last_year), speaks).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(authority.certificate.as_bytes()).unwrap();
    let ca_file = knows_it.then(|| file.path().to_owned());
    let to_mail = |encryption| NotifyChannel {
        kind: ChannelKind::Email,
        server: Some("localhost".to_owned()),
        port: Some(port),
        encryption,
        from: Some("a@studio.example".to_owned()),
        to: vec!["b@studio.example".to_owned()],
        ca_file: ca_file.clone(),
        ..NotifyChannel::default()
    };
    let settings = match speaks {
        Speaks::Http => NotifyChannel {
            url: Some(format!("https://localhost:{port}/hook?secret=1")),
            ca_file: ca_file.clone(),
            ..NotifyChannel::default()
        },
        Speaks::Smtp => to_mail(MailEncryption::Tls),
        Speaks::SmtpThenTls => to_mail(MailEncryption::StartTls),
    };
    let delivery = told(&channels(settings)).await;
    let heard = heard.lock().unwrap().clone();
    (heard, delivery.failure)
}

const EVERY_WAY: [Speaks; 3] = [Speaks::Http, Speaks::Smtp, Speaks::SmtpThenTls];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ones_own_authority_vouches_for_hears_the_letter() {
    for speaks in EVERY_WAY {
        let (heard, failure) = sent(speaks, "localhost", 2_100, true).await;
        assert_eq!((heard.len(), failure), (1, None), "{speaks:?}");
        assert!(heard[0].contains("CPU use"), "{speaks:?}: {}", heard[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_can_not_show_who_it_is_hears_nothing_and_the_host_says_why() {
    for speaks in EVERY_WAY {
        for (certified_name, last_year, knows_it, word) in [
            ("elsewhere.example", 2_100, true, "name"),
            ("localhost", 2_020, true, "xpired"),
            ("localhost", 2_100, false, "UnknownIssuer"),
        ] {
            let (heard, failure) = sent(speaks, certified_name, last_year, knows_it).await;
            let failure = failure.unwrap_or_default();
            assert!(heard.is_empty(), "{speaks:?}, {word}: {heard:?}");
            assert!(failure.contains(word) && !failure.contains("secret"), "{speaks:?}, {word}: {failure}");
        }
    }
}

#[test]
fn a_file_that_vouches_for_nobody_is_refused() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"-----BEGIN NOTHING-----\n").unwrap();
    for (path, word) in
        [(file.path().to_owned(), "BEGIN CERTIFICATE"), ("/nowhere/ca.pem".into(), "can't be read")]
    {
        let settings = NotifyChannel {
            url: Some("https://localhost/hook".to_owned()),
            ca_file: Some(path),
            ..NotifyChannel::default()
        };
        let refusal = try_channels(settings, false).unwrap_err();
        assert!(refusal.contains("ca_file") && refusal.contains(word), "{refusal}");
    }
}
