//! Requests to the host's API, with this tab's token.

use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Blob, Headers, HtmlAnchorElement, RequestInit, Response, Url};

use crate::browser::{address, storage};
use crate::model::failure::Failure;
use crate::model::json::{self, Json};

/// A host that accepted the socket answers well within this.
const TIMEOUT_MILLIS: u32 = 15_000;

/// What the host answers at `path`, which is relative to its root.
pub(crate) async fn get<T: Json>(path: &str) -> Result<T, Failure> {
    let text = text_of(&request("GET", path, None).await?).await?;
    json::read(&text).map_err(|why| Failure::Unreadable { why })
}

/// Has the host do something; `body` is JSON.
pub(crate) async fn send(method: &str, path: &str, body: Option<&str>) -> Result<(), Failure> {
    request(method, path, body).await.map(drop)
}

/// Saves what the host answers at `path` as a file. A link could not show the token.
pub(crate) async fn save(path: &str, name: &str) -> Result<(), Failure> {
    let response = request("GET", path, None).await?;
    let blob: Blob =
        JsFuture::from(response.blob().map_err(no_answer)?).await.map_err(no_answer)?.unchecked_into();
    let url = Url::create_object_url_with_blob(&blob).map_err(no_answer)?;
    let link: HtmlAnchorElement = document().create_element("a").map_err(no_answer)?.unchecked_into();
    link.set_href(&url);
    link.set_download(name);
    link.click();
    Url::revoke_object_url(&url).map_err(no_answer)
}

async fn request(method: &str, path: &str, body: Option<&str>) -> Result<Response, Failure> {
    let url = address::on_host(path)
        .ok_or_else(|| Failure::NoAnswer { why: format!("{path} is no address") })?
        .href();
    let options = RequestInit::new();
    options.set_method(method);
    options.set_signal(Some(&AbortSignal::timeout_with_u32(TIMEOUT_MILLIS)));
    let headers = Headers::new().map_err(no_answer)?;
    if let Some(token) = storage::token() {
        headers.set("Authorization", &format!("Bearer {token}")).map_err(no_answer)?;
    }
    if let Some(body) = body {
        headers.set("Content-Type", "application/json").map_err(no_answer)?;
        options.set_body(&JsValue::from_str(body));
    }
    options.set_headers(&headers);
    let response = JsFuture::from(window().fetch_with_str_and_init(&url, &options))
        .await
        .map_err(no_answer)?
        .unchecked_into::<Response>();
    if response.ok() {
        return Ok(response);
    }
    let text = text_of(&response).await?;
    Err(Failure::of_answer(response.status(), &text))
}

async fn text_of(response: &Response) -> Result<String, Failure> {
    let text = JsFuture::from(response.text().map_err(no_answer)?).await.map_err(no_answer)?;
    Ok(text.as_string().unwrap_or_default())
}

fn no_answer(error: JsValue) -> Failure {
    let why = error
        .dyn_ref::<js_sys::Error>()
        .map_or_else(|| format!("{error:?}"), |error| String::from(error.message()));
    Failure::NoAnswer { why }
}
