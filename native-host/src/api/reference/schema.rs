//! Schemas as tables.

use std::fmt::Write as _;

use serde_json::Value;

use super::{escaped, prose, text};

/// All schemas, each with a heading that others point to.
pub(super) fn write_all(html: &mut String, schemas: &Value) {
    html.push_str("<section id=\"schemas\">\n<h2>Schemas</h2>\n");
    for (name, schema) in schemas.as_object().into_iter().flatten() {
        let name = escaped(name);
        let _ = writeln!(
            html,
            "<h3 id=\"schema-{name}\">{name}</h3>\n<p>{}</p>",
            prose(text(&schema["description"]))
        );
        write_one(html, schema);
    }
    html.push_str("</section>\n");
}

fn write_one(html: &mut String, schema: &Value) {
    let Some(properties) = schema["properties"].as_object() else {
        let _ = writeln!(html, "<p>{}</p>", kind(schema));
        return;
    };
    html.push_str(
        "<table>\n<tr><th scope=\"col\">field<th scope=\"col\">type<th scope=\"col\">meaning</tr>\n",
    );
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    for (name, property) in properties {
        let optional = if required.iter().any(|one| one == name) { "" } else { ", optional" };
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\"><code>{}</code><td>{}{optional}<td>{}</tr>",
            escaped(name),
            kind(property),
            prose(text(&property["description"]))
        );
    }
    html.push_str("</table>\n");
}

/// What a schema allows, in a few words.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        let name = escaped(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for union in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[union].as_array() {
            let word = if union == "allOf" { " and " } else { " or " };
            return parts.iter().map(kind).collect::<Vec<_>>().join(word);
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let values = values.iter().map(|value| format!("<code>{}</code>", escaped(&value.to_string())));
        return values.collect::<Vec<_>>().join(", ");
    }
    let one = |name: &str| match name {
        "array" => {
            let tuple = schema["prefixItems"].as_array();
            let of = tuple.map_or_else(
                || kind(&schema["items"]),
                |parts| parts.iter().map(kind).collect::<Vec<_>>().join(", "),
            );
            format!("array of {of}")
        }
        other => escaped(other),
    };
    match &schema["type"] {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().map(|name| one(text(name))).collect::<Vec<_>>().join(" or "),
        _ if schema["properties"].is_object() => "object".to_owned(),
        _ => "any value".to_owned(),
    }
}
