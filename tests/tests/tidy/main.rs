//! Rules of the house that no compiler knows.

mod documents;
mod files;
mod readme;

use std::fs;

use files::{extension, read, relative, root, sources};

/// What people write by hand, and nobody reads in one sitting when it is longer.
const CODE: [&str; 8] = ["rs", "ts", "tsx", "wgsl", "mjs", "js", "css", "html"];
const MOST_LINES: usize = 600;
/// All that is text.
const TEXT: [&str; 15] =
    ["rs", "ts", "tsx", "wgsl", "mjs", "js", "css", "html", "md", "toml", "json", "yml", "ink", "sh", ""];

#[test]
fn files_are_short() {
    let long: Vec<_> = sources(&CODE)
        .iter()
        .filter_map(|file| {
            let lines = read(file).lines().count();
            (lines > MOST_LINES).then(|| format!("{} has {lines} lines", relative(file)))
        })
        .collect();
    assert!(
        long.is_empty(),
        "no file has more than {MOST_LINES} lines; split along ideas:\n{}",
        long.join("\n")
    );
}

#[test]
fn nothing_names_a_machine() {
    // In pieces here and below, so that this file does not break its own rules.
    let paths = [concat!("/", "home/"), concat!("/", "root/"), concat!("/", "work/")];
    let mut found = Vec::new();
    for file in sources(&TEXT) {
        for (number, line) in read(&file).lines().enumerate() {
            // A route of a web address is no path of a file system.
            if paths.iter().any(|path| starts_a_path(line, path)) {
                found.push(format!("{}:{}: {}", relative(&file), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "these lines name a path of one machine:\n{}", found.join("\n"));
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let never = [
        (concat!("#[", "ignore]"), "a test that is not run proves nothing"),
        (concat!("test", ".only("), "it keeps the other tests from running"),
        (concat!("it", ".only("), "it keeps the other tests from running"),
        (concat!("test", ".skip("), "a test that is not run proves nothing"),
        (concat!("it", ".skip("), "a test that is not run proves nothing"),
        (concat!("@ts-", "ignore"), "give it its type"),
        (concat!("@ts-", "nocheck"), "give it its type"),
    ];
    let mut found = Vec::new();
    for file in sources(&CODE) {
        let typescript = matches!(extension(&file), "ts" | "tsx");
        for (number, line) in read(&file).lines().enumerate() {
            let mut complain = |what: &str| found.push(format!("{}:{}: {what}", relative(&file), number + 1));
            // Ink has such a mark in its language, so the word alone may be meant.
            let comment =
                line.split_once("//").or_else(|| line.split_once("/*")).map(|(_, comment)| comment.trim());
            if comment.is_some_and(|comment| marks.iter().any(|mark| comment.starts_with(mark))) {
                complain("an issue says it better than a mark");
            }
            if typescript && comment.is_none() && has_word(line, concat!("as ", "any")) {
                complain("give it its type");
            }
            for (_, why) in never.iter().filter(|(word, _)| line.contains(word)) {
                complain(why);
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn core_is_the_same_everywhere() {
    let mut found = Vec::new();
    for file in sources(&["rs"]).iter().filter(|file| relative(file).starts_with("core/src/")) {
        for (number, line) in read(file).lines().enumerate() {
            if ["target_arch", "target_os", "target_family", "target_pointer_width"]
                .iter()
                .any(|cfg| line.contains(cfg))
            {
                found.push(format!("{}:{}: {}", relative(file), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "core decides the same on every target:\n{}", found.join("\n"));
}

#[test]
fn lock_files_hold_no_addresses() {
    let address = concat!("\"resolved\": \"", "http");
    let wrong: Vec<_> = sources(&["json"])
        .iter()
        .filter(|file| file.ends_with("package-lock.json") && read(file).contains(address))
        .map(|file| relative(file))
        .collect();
    assert!(
        wrong.is_empty(),
        "set omit-lockfile-registry-resolved=true beside these and make them again: {wrong:?}"
    );
}

#[test]
fn every_npm_package_is_locked_and_licensed() {
    let mut wrong = Vec::new();
    for file in sources(&["json"]).iter().filter(|file| file.ends_with("package.json")) {
        let manifest: serde_json::Value = serde_json::from_str(&read(file)).expect("a package.json is JSON");
        if manifest["license"] != "MIT OR Apache-2.0" {
            wrong.push(format!("{}: its license is not ours", relative(file)));
        }
        let lock = file.with_file_name("package-lock.json");
        if !lock.is_file() {
            wrong.push(format!("{}: it has no lock file beside it", relative(file)));
        }
    }
    for license in ["LICENSE-MIT", "LICENSE-APACHE"] {
        if !root().join(license).is_file() {
            wrong.push(format!("{license} is missing"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Trunk looks for the command of exactly the version that its settings name; the crate's version is in Cargo.lock.
#[test]
fn wasm_bindgen_is_one_version() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let (_, rest) =
        lock.split_once("name = \"wasm-bindgen\"\nversion = \"").expect("Cargo.lock names wasm-bindgen");
    let (locked, _) = rest.split_once('"').expect("a version ends");
    let trunk = fs::read_to_string(root().join("Trunk.toml")).unwrap();
    assert!(
        trunk.contains(&format!("wasm_bindgen = \"{locked}\"")),
        "Trunk.toml does not name wasm-bindgen {locked}"
    );
}

/// Whether `word` stands in `line` by itself, not as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let inside = letter(line[..at].chars().next_back()) || letter(line[at + word.len()..].chars().next());
        !inside
    })
}

/// Whether a path in `line` begins with `path`, and does not merely contain it.
fn starts_a_path(line: &str, path: &str) -> bool {
    let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "-_.}~*".contains(c));
    line.match_indices(path).any(|(at, _)| !goes_on(line[..at].chars().next_back()))
}

#[test]
fn words_are_found_whole() {
    let word = concat!("as ", "any");
    assert!(has_word(&format!("(x {word});"), word));
    assert!(!has_word("has anything", word) && !has_word("was any", word));
}

#[test]
fn paths_are_found_at_their_beginning() {
    let path = concat!("/", "home/");
    assert!(starts_a_path(&format!("\"{path}me\""), path));
    assert!(!starts_a_path(&format!("https://example.org{path}"), path));
}
