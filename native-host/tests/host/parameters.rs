//! Parameters of every endpoint, by the API's own description: what it says they may be is what is taken.

use serde_json::Value;

use crate::harness::Host;

/// A parameter of a query.
struct Parameter {
    name: String,
    /// Path and query of a request that lacks this one alone.
    request: String,
    schema: Value,
}

impl Parameter {
    fn with(&self, value: &str) -> String {
        format!("{}{}={value}", self.request, self.name)
    }

    fn is(&self, kind: &str) -> bool {
        let schema = &self.schema["type"];
        *schema == kind || schema.as_array().is_some_and(|kinds| kinds.iter().any(|of| of == kind))
    }
}

/// All of all endpoints.
async fn parameters(host: &Host) -> Vec<Parameter> {
    let document = host.get("/api/v1/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    let described = paths.iter().flat_map(|(path, methods)| {
        let of_query = methods["get"]["parameters"].as_array().into_iter().flatten();
        of_query.filter(|facts| facts["in"] == "query").map(move |facts| (path, facts))
    });
    let parameters: Vec<_> = described
        .map(|(path, facts)| {
            let name = facts["name"].as_str().unwrap().to_owned();
            // What must be there, too, for this one to have a meaning.
            let needed = match (path.as_str(), name.as_str()) {
                ("/api/v1/series", "from" | "to" | "max_points") => "name=host.cpu.total&",
                ("/api/v1/query" | "/api/v1/export", name) if name != "select" => "select=host.cpu.total&",
                ("/api/v1/stream", "interval") => "topic=host&",
                _ => "",
            };
            let path = path.replace("{name}", "values");
            Parameter { name, request: format!("{path}?{needed}"), schema: facts["schema"].clone() }
        })
        .collect();
    assert!(parameters.len() > 30, "{} parameters", parameters.len());
    parameters
}

#[tokio::test]
async fn a_number_that_can_not_be_is_refused_with_the_range_that_the_description_has() {
    let host = Host::new();
    host.tick(0.5).await;
    for parameter in parameters(&host).await.iter().filter(|parameter| parameter.is("integer")) {
        let bound = |name: &str| parameter.schema[name].as_u64();
        let least = bound("minimum").unwrap_or_else(|| panic!("{} has no minimum", parameter.request));
        let mut wrong = ["", "-1", "1.5", "x", "0x10", "99999999999999999999"].map(str::to_owned).to_vec();
        wrong.extend(least.checked_sub(1).map(|less| less.to_string()));
        wrong.extend(bound("maximum").map(|most| (most + 1).to_string()));
        for value in wrong {
            let request = parameter.with(&value);
            let detail = host.get(&request).await.problem(400, "bad-query");
            let named = format!("`{}` must be a whole number", parameter.name);
            assert!(detail.starts_with(&named), "{request}: {detail}");
            let words: Vec<&str> = detail.split([' ', ',']).collect();
            for bound in [Some(least), bound("maximum")].into_iter().flatten() {
                assert!(words.contains(&bound.to_string().as_str()), "{request}: {detail}");
            }
        }
        let mut right = [Some(least), bound("maximum")].into_iter().flatten().collect::<Vec<_>>();
        if bound("maximum").is_none() {
            right.extend([1_000_000_000_000_000_000, u64::MAX]);
        }
        for value in right {
            let request = parameter.with(&value.to_string());
            // The stream has no end.
            if !request.starts_with("/api/v1/stream") {
                let answer = host.get(&request).await;
                assert!(!answer.status.is_server_error(), "{request}: {}", answer.body);
                assert!(!answer.body.contains("whole number"), "{request}: {}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn only_what_is_a_list_may_be_given_twice() {
    let host = Host::new();
    for parameter in parameters(&host).await.iter().filter(|parameter| !parameter.is("array")) {
        let request = format!("{}&{}=1", parameter.with("1"), parameter.name);
        let detail = host.get(&request).await.problem(400, "bad-query");
        assert_eq!(detail, format!("`{}` is given twice", parameter.name), "{request}");
    }
}
