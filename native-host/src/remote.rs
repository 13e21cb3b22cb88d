//! A host that a command talks to over its API.

use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, Method, header};
use clap::Args;
use quillwork_protocol::problem::Problem;
use serde::Serialize;

use crate::http_client::{Answer, Call, Target, call_up_to};
use crate::secret;

/// Which host, and what it is shown.
#[derive(Args, Clone, Debug)]
pub struct Remote {
    /// Address of the host
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9470")]
    pub url: String,

    /// File with the token that the host asks for (mode 0600)
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// For all of a request.
const TIME: Duration = Duration::from_secs(30);

/// Bytes of an answer to what is sent.
const MOST_ANSWERED: usize = 64 << 10;

impl Remote {
    /// Sends JSON to a path of the API and gives what was answered.
    ///
    /// # Errors
    ///
    /// If the host isn't reached or refuses; the message says what to do.
    pub fn send(&self, method: Method, path: &str, body: &impl Serialize) -> Result<Answer, String> {
        let body = Bytes::from(serde_json::to_vec(body).expect("requests have string keys only"));
        let json = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.ask(method, path, vec![json], body, MOST_ANSWERED)
    }

    /// Asks for a path of the API, of whose answer so many bytes are taken.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn fetch(&self, path: &str, most_bytes: usize) -> Result<Answer, String> {
        self.ask(Method::GET, path, Vec::new(), Bytes::new(), most_bytes)
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        mut headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
        most_bytes: usize,
    ) -> Result<Answer, String> {
        let address = format!("{}{path}", self.url.trim().trim_end_matches('/'));
        // Where it goes is said by who types it.
        let target = Target::parse(&address, true).map_err(|bad| format!("--url {}: {bad}", self.url))?;
        if let Some(file) = &self.token_file {
            let token = secret::read(file).map_err(|error| format!("--token-file: {error}"))?;
            let value = HeaderValue::try_from(format!("Bearer {}", token.trim()));
            let mut value =
                value.map_err(|_| format!("--token-file {}: it holds no token", file.display()))?;
            value.set_sensitive(true);
            headers.push((header::AUTHORIZATION, value));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("the runtime does not start: {error}"))?;
        let answer =
            runtime.block_on(call_up_to(Call { method, target, headers, body, time: TIME }, most_bytes));
        let answer = answer.map_err(|error| format!("{error}; name a host that runs with --url"))?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let detail = serde_json::from_slice::<Problem>(&answer.body).map(|problem| problem.detail);
        Err(match detail {
            Ok(detail) => format!("the host refuses ({}): {detail}", answer.status.as_u16()),
            Err(_) => format!("{} answers {}; is it a Quillwork host?", self.url, answer.status),
        })
    }
}
