//! E-mail over SMTP.

use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::address::authorities;
use super::{Fault, Letter, Undelivered, one_line};
use crate::authorities::Authorities;
use crate::config::{MailEncryption, NotifyChannel};

pub(super) struct Email {
    server: String,
    port: u16,
    encryption: MailEncryption,
    credentials: Option<Credentials>,
    authorities: Option<Authorities>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Email({}:{})", self.server, self.port)
    }
}

impl Email {
    pub(super) fn new(settings: &NotifyChannel) -> Result<Self, Fault> {
        let mailbox = |text: &String| text.parse::<Mailbox>().map_err(|_| Fault::Mailbox(text.clone()));
        let to: Vec<Mailbox> = settings.to.iter().map(mailbox).collect::<Result<_, _>>()?;
        if to.is_empty() {
            return Err(Fault::Missing("to"));
        }
        let password = settings.password_file.as_deref().map(one_line).transpose()?;
        let credentials = match (&settings.username, password) {
            (Some(name), Some(password)) => Some(Credentials::new(name.clone(), password)),
            (None, None) => None,
            (Some(_), None) => return Err(Fault::Missing("password_file")),
            (None, Some(_)) => return Err(Fault::Missing("username")),
        };
        let encryption = settings.encryption;
        if credentials.is_some() && encryption == MailEncryption::None {
            return Err(Fault::Mail(
                "a password is sent over TLS only: set encryption to \"starttls\" or \"tls\"".into(),
            ));
        }
        let usual = match encryption {
            MailEncryption::Tls => 465,
            MailEncryption::StartTls => 587,
            MailEncryption::None => 25,
        };
        Ok(Self {
            server: settings.server.clone().ok_or(Fault::Missing("server"))?,
            port: settings.port.unwrap_or(usual),
            encryption,
            credentials,
            authorities: authorities(settings)?,
            from: mailbox(settings.from.as_ref().ok_or(Fault::Missing("from"))?)?,
            to,
        })
    }

    pub(super) async fn deliver(&self, letter: &Letter, time: Duration) -> Result<(), Undelivered> {
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(letter.subject())
            .message_id(Some(format!("<{}.{}@quillwork>", letter.key, letter.id.get())))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        let message = message.body(letter.text()).map_err(Undelivered::for_good)?;
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.server).port(self.port);
        let parameters = || self.trust().map_err(Undelivered::for_good);
        builder = match self.encryption {
            MailEncryption::Tls => builder.tls(Tls::Wrapper(parameters()?)),
            MailEncryption::StartTls => builder.tls(Tls::Required(parameters()?)),
            MailEncryption::None => builder.tls(Tls::None),
        };
        if let Some(credentials) = &self.credentials {
            builder = builder.credentials(credentials.clone());
        }
        let transport = builder.timeout(Some(time)).build::<Tokio1Executor>();
        match tokio::time::timeout(time, transport.send(message)).await {
            Err(_) => Err(Undelivered::for_now(format!("{} did not answer in time", self.server))),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(Undelivered::for_good(error)),
            Ok(Err(error)) => Err(Undelivered::for_now(error)),
        }
    }

    fn trust(&self) -> Result<TlsParameters, lettre::transport::smtp::Error> {
        let mut parameters = TlsParameters::builder(self.server.clone());
        if let Some(authorities) = &self.authorities {
            parameters = parameters.add_root_certificate(Certificate::from_pem(authorities.pem())?);
        }
        parameters.build()
    }
}
