//! Dependencies between our crates point one way: decisions know nothing of the shells that carry them out.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// For each crate the ones of ours that it may depend on, for building as for testing.
const ALLOWED: [(&str, &[&str]); 15] = [
    ("quillwork-core", &[]),
    ("quillwork-protocol", &["quillwork-core"]),
    ("quillwork-sim", &["quillwork-core"]),
    ("quillwork-compute", &["quillwork-core"]),
    ("quillwork-store", &["quillwork-core"]),
    // The shells.
    ("quillwork-abi", INNER),
    ("quillwork-flow", &["quillwork-core", "quillwork-abi"]),
    ("quillwork-balance", &["quillwork-core", "quillwork-abi"]),
    ("quillwork-hardware", &["quillwork-core", "quillwork-abi"]),
    ("quillwork-runtime", &["quillwork-core", "quillwork-abi"]),
    ("quillwork-compute-wasm", INNER),
    ("quillwork", INNER),
    ("quillwork-dashboard", INNER),
    // Nobody depends on these.
    ("quillwork-tests", INNER),
    ("xtask", &[]),
];

/// All that is not a shell.
const INNER: &[&str] =
    &["quillwork-core", "quillwork-protocol", "quillwork-sim", "quillwork-compute", "quillwork-store"];

#[test]
fn dependencies_point_inwards() {
    let mut wrong = Vec::new();
    for package in members() {
        let name = text(&package, "name");
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            wrong.push(format!(
                "{name} has no place in the layers yet: give it one in this test and in ARCHITECTURE.md"
            ));
            continue;
        };
        for dependency in ours(&package) {
            if !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("{name} depends on {dependency}, which is not below it"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_layer_is_named_that_is_gone() {
    let names: BTreeSet<_> = members().iter().map(|package| text(package, "name")).collect();
    let gone: Vec<_> = ALLOWED.iter().map(|(name, _)| *name).filter(|name| !names.contains(*name)).collect();
    assert!(gone.is_empty(), "no crate is called {gone:?}; take it out of this test");
}

#[test]
fn every_crate_follows_the_workspace() {
    let mut wrong = Vec::new();
    for package in members() {
        let name = text(&package, "name");
        let manifest = std::fs::read_to_string(text(&package, "manifest_path")).unwrap();
        if !manifest.contains("[lints]\nworkspace = true") {
            wrong.push(format!("{name} does not take the workspace's lints"));
        }
        for key in ["version", "edition", "rust-version", "license"] {
            if !manifest.contains(&format!("{key}.workspace = true")) {
                wrong.push(format!("{name} does not take its {key} from the workspace"));
            }
        }
        if package["description"].as_str().is_none_or(str::is_empty) {
            wrong.push(format!("{name} has no description"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The dependencies of `package` that are in this workspace, of every kind.
fn ours(package: &Value) -> BTreeSet<String> {
    let dependencies = package["dependencies"].as_array().expect("cargo metadata lists dependencies");
    dependencies
        .iter()
        .filter(|dependency| !dependency["path"].is_null())
        .map(|dependency| text(dependency, "name"))
        .collect()
}

fn members() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs these tests, so it can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: BTreeMap<String, Value> =
        serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    metadata["packages"].as_array().expect("cargo metadata lists packages").clone()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("cargo metadata names the {key}")).to_owned()
}
