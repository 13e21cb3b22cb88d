//! The reference page of the API at `/api/`: the description, written as HTML once, when somebody asks first.
//!
//! It is readable without scripts; the one that it has filters. Nothing of it comes from elsewhere, so that it works
//! without a network and under the policy that all pages have.

mod schema;

use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::Value;

use super::App;
use super::openapi::description;

const STYLE: &str = include_str!("reference.css");
const SCRIPT: &str = include_str!("reference.js");

/// The page and what belongs to it. It tells nothing of this host, and needs no token.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/", get(|| answer("text/html; charset=utf-8", written())))
        .route("/api/reference.css", get(|| answer("text/css; charset=utf-8", STYLE)))
        .route("/api/reference.js", get(|| answer("text/javascript; charset=utf-8", SCRIPT)))
}

async fn answer(media_type: &'static str, content: impl Into<axum::body::Body>) -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, content.into())
}

/// The page, which is written when somebody asks first.
fn written() -> Bytes {
    static PAGE: OnceLock<Bytes> = OnceLock::new();
    let write = || {
        let description = serde_json::to_value(description()).expect("the description has string keys only");
        page(&description).into()
    };
    PAGE.get_or_init(write).clone()
}

/// The whole page.
fn page(description: &Value) -> String {
    let title = escaped(text(&description["info"]["title"]));
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}: API</title>\n\
         <link rel=\"stylesheet\" href=\"reference.css\">\n<script src=\"reference.js\" defer></script>\n\
         </head>\n<body>\n<a class=\"skip\" href=\"#content\">To the content</a>\n<header>\n<h1>{title} \
         <small>API {}</small></h1>\n<p>{}</p>\n\
         <p>The same for programs: <a href=\"v1/openapi.json\"><code>openapi.json</code></a> (OpenAPI {}).</p>\n</header>\n",
        escaped(text(&description["info"]["version"])),
        prose(text(&description["info"]["description"])),
        escaped(text(&description["openapi"])),
    );
    let operations = operations(description);
    html.push_str(
        "<nav aria-label=\"Endpoints\">\n<label>Filter <input id=\"filter\" type=\"search\"></label>\n",
    );
    html.push_str("<p id=\"found\" role=\"status\"></p>\n<ul>\n");
    for operation in &operations {
        let _ = writeln!(
            html,
            "<li data-find=\"{}\"><a href=\"#{}\"><b>{}</b> <code>{}</code></a></li>",
            escaped(&operation.search_text()),
            operation.anchor(),
            operation.method.to_uppercase(),
            escaped(operation.path)
        );
    }
    html.push_str("<li><a href=\"#schemas\">Schemas</a></li>\n</ul>\n</nav>\n<main id=\"content\">\n");
    for operation in &operations {
        operation.write(&mut html);
    }
    schema::write_all(&mut html, &description["components"]["schemas"]);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// One method of one path.
struct Operation<'a> {
    path: &'a str,
    method: &'a str,
    facts: &'a Value,
}

fn operations(description: &Value) -> Vec<Operation<'_>> {
    let paths = description["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            let methods = methods.filter(|(_, facts)| facts.get("responses").is_some());
            methods.map(move |(method, facts)| Operation { path, method, facts })
        })
        .collect()
}

impl Operation<'_> {
    fn anchor(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        format!("{}{}", self.method, self.path.chars().map(plain).collect::<String>())
    }

    fn search_text(&self) -> String {
        format!("{} {} {}", self.method, self.path, text(&self.facts["summary"])).to_lowercase()
    }

    fn write(&self, html: &mut String) {
        let _ = write!(
            html,
            "<section id=\"{}\" data-find=\"{}\">\n<h2><b>{}</b> <code>{}</code></h2>\n",
            self.anchor(),
            escaped(&self.search_text()),
            self.method.to_uppercase(),
            escaped(self.path)
        );
        for part in ["summary", "description"] {
            let prose = prose(text(&self.facts[part]));
            if !prose.is_empty() {
                let _ = writeln!(html, "<p>{prose}</p>");
            }
        }
        self.write_parameters(html);
        let body = &self.facts["requestBody"];
        if body.is_object() {
            let _ = writeln!(html, "<h3>Body</h3>\n<p>{}</p>", prose(text(&body["description"])));
            write_content(html, &body["content"]);
        }
        html.push_str("<h3>Answers</h3>\n<table>\n<tr><th scope=\"col\">status<th scope=\"col\">when<th scope=\"col\">content</tr>\n");
        for (status, response) in self.facts["responses"].as_object().into_iter().flatten() {
            let _ = write!(
                html,
                "<tr><th scope=\"row\">{}<td>{}<td>",
                escaped(status),
                prose(text(&response["description"]))
            );
            write_content(html, &response["content"]);
            html.push_str("</tr>\n");
        }
        html.push_str("</table>\n</section>\n");
    }

    fn write_parameters(&self, html: &mut String) {
        let parameters = self.facts["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        if parameters.is_empty() {
            return;
        }
        html.push_str("<h3>Parameters</h3>\n<table>\n<tr><th scope=\"col\">name<th scope=\"col\">in<th scope=\"col\">type<th scope=\"col\">meaning</tr>\n");
        for parameter in parameters {
            let needed = if parameter["required"] == Value::Bool(true) { ", needed" } else { "" };
            let _ = writeln!(
                html,
                "<tr><th scope=\"row\"><code>{}</code><td>{}{needed}<td>{}<td>{}</tr>",
                escaped(text(&parameter["name"])),
                escaped(text(&parameter["in"])),
                schema::kind(&parameter["schema"]),
                prose(text(&parameter["description"])),
            );
        }
        html.push_str("</table>\n");
    }
}

/// Media types and what each holds.
fn write_content(html: &mut String, content: &Value) {
    for (media_type, facts) in content.as_object().into_iter().flatten() {
        let _ = write!(html, "<code>{}</code>: {}<br>", escaped(media_type), schema::kind(&facts["schema"]));
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Text with `code` between backticks.
fn prose(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in text.trim().split('`').enumerate() {
        let part = escaped(part);
        let _ = if index % 2 == 1 { write!(html, "<code>{part}</code>") } else { write!(html, "{part}") };
    }
    html
}

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_operation_and_schema_has_its_place_and_nothing_breaks_out() {
        let description = json!({
            "openapi": "3.1.0",
            "info": {"title": "A <host>", "version": "1", "description": "Uses `x < y`."},
            "paths": {"/a/{id}": {"get": {
                "summary": "Reads \"a\".",
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "It.", "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/A"}}
                }}}
            }}},
            "components": {"schemas": {"A": {"type": "object", "required": ["b"], "properties": {
                "b": {"type": "integer", "description": "How many."},
                "c": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/A"}]},
                "d": {"type": ["array", "null"], "items": {"type": "number"}}
            }}}}
        });
        let html = page(&description);
        for part in [
            "A &lt;host&gt;",
            "<code>x &lt; y</code>",
            "<section id=\"get-a--id-\"",
            "href=\"#get-a--id-\"",
            "Reads &quot;a&quot;.",
            "path, needed",
            "<a href=\"#schema-A\">A</a>",
            "id=\"schema-A\"",
            "How many.",
            "null or <a href=\"#schema-A\">A</a>",
            "array of number or null",
        ] {
            assert!(html.contains(part), "{part}\n{html}");
        }
        assert!(!html.contains("A <host>") && !html.contains("style=") && !html.contains("onclick"));
    }
}
