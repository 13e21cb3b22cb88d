//! What the documents name is there.

use super::files::{read, root};

const DOCUMENTS: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "wasm/npm/README.md", "examples/story-app/README.md"];

/// First parts of names that are no files of this repository: what tools make, and the entry points of the npm package.
const ELSEWHERE: [&str; 4] = ["target", "node_modules", "dist", "quillwork"];

#[test]
fn links_lead_somewhere() {
    missing("links to", |text| {
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        targets
            .filter(|target| !target.contains("://"))
            .map(|target| target.split('#').next().unwrap_or_default().to_owned())
            .filter(|path| !path.is_empty())
            .collect()
    });
}

#[test]
fn paths_in_the_text_exist() {
    missing("names", |text| paths(text).into_iter().map(str::to_owned).collect());
}

/// Fails with all that `find` finds in the documents and neither their folder nor the root has.
fn missing(verb: &str, find: impl Fn(&str) -> Vec<String>) {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for document in DOCUMENTS.map(|document| root().join(document)) {
        let folder = document.parent().expect("a document lies in a folder");
        for path in find(&read(&document)) {
            seen += 1;
            if !folder.join(&path).exists() && !root().join(&path).exists() {
                wrong.push(format!("{} {verb} {path}", super::relative(&document)));
            }
        }
    }
    assert!(seen > 0, "the documents name nothing: this test looks for the wrong thing");
    assert!(wrong.is_empty(), "these are not there:\n{}", wrong.join("\n"));
}

/// What stands in backticks outside of code blocks and looks like the path of a file or folder here.
fn paths(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    let spans = prose.flat_map(|prose| prose.split('`').skip(1).step_by(2));
    spans
        .filter(|span| {
            let first = span.split('/').next().unwrap_or_default();
            span.contains('/')
                && !first.is_empty()
                && !ELSEWHERE.contains(&first)
                && span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        })
        .collect()
}

#[test]
fn paths_are_told_from_routes_commands_and_patterns() {
    let text = "`core/src/lib.rs` and `web/`, not `/api/v1`, `npm test`, `wasm/*`, `target/x` or `lib.rs`\n\
                ```sh\ncd `docs/nowhere`\n```\n`docs/images`";
    assert_eq!(paths(text), ["core/src/lib.rs", "web/", "docs/images"]);
}
