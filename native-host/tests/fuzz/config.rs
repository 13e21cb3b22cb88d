//! The configuration: the file, and single options as flags and variables give them.

use std::fs;
use std::path::PathBuf;

use quillwork_host::config::{self, Config, Flag, Layers, effective, options};

use crate::runner::{Outcome, Shape, Target, fuzz};

/// A directory for files of the cases.
struct Files {
    directory: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn put(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// What counts is printed as a file that says the same. What doesn't is refused in a line of the file.
    fn check(&mut self, input: &[u8]) -> Outcome {
        match config::check(&self.put("given.toml", input)) {
            Ok(config) => {
                self.prints_what_it_says(&config);
                Outcome::Taken
            }
            Err(error) => {
                let text = error.to_string();
                // Fifty faults are told.
                assert!((1..100_000).contains(&text.len()), "{} bytes", text.len());
                Outcome::Refused
            }
        }
    }

    fn prints_what_it_says(&self, config: &Config) {
        let values =
            |config: &Config| options(config).map(|option| (option.key, option.value)).collect::<Vec<_>>();
        let printed = effective(config);
        let again = config::check(&self.put("printed.toml", printed.as_bytes()));
        let again = again.unwrap_or_else(|error| panic!("{error}\n{printed}"));
        assert_eq!(values(&again), values(config));
    }

    /// `key=value`, as `--set` and variables have it.
    fn check_option(&mut self, input: &[u8]) -> Outcome {
        let text = String::from_utf8_lossy(input);
        let (key, value) = text.split_once('=').unwrap_or((&text, ""));
        let flag = Flag { flag: "--set".to_owned(), key: key.to_owned(), text: value.to_owned() };
        match (Layers { flags: vec![flag], ..Layers::default() }).load() {
            Ok(config) => {
                self.prints_what_it_says(&config);
                Outcome::Taken
            }
            Err(error) => {
                let text = error.to_string();
                assert!((1..4_000).contains(&text.len()), "{} bytes", text.len());
                Outcome::Refused
            }
        }
    }
}

const FILE: &str = r#"
[server]
port = 9471
allowed_origins = ["http://localhost:5173", "https://studio.example"]
names = ["studio.example"]

[limits]
body_bytes = 2048
request_timeout = "250ms"

[auth.tokens.wall]
file = "wall.token"
scopes = ["read", "ingest"]

[notify.chat]
kind = "webhook"
url_file = "hook"

[log]
level = "quillwork_host=debug"
"#;

#[test]
fn config_file() {
    let example = include_str!("../../../packaging/quillwork.toml");
    // As an operator would: the comments of some lines taken away.
    let uncommented = example.lines().enumerate().map(|(number, line)| match line.strip_prefix("# ") {
        Some(option)
            if number % 3 == 0
                && option.contains(" = ")
                && !option.contains('…')
                && !option.contains('`') =>
        {
            option
        }
        _ => line,
    });
    let seeds = vec![
        FILE.as_bytes().to_vec(),
        example.as_bytes().to_vec(),
        uncommented.collect::<Vec<_>>().join("\n").into_bytes(),
    ];
    let seeds =
        seeds.into_iter().filter(|seed| Files::new().check(seed) == Outcome::Taken).collect::<Vec<_>>();
    assert!(seeds.len() >= 2, "the example and what uses it are configurations");
    let target = Target {
        name: "config_file",
        seeds,
        words: &[
            "[server]\n",
            "[limits]\n",
            "[auth.tokens.a]\n",
            "[notify.b]\n",
            "[tls]\n",
            "port = ",
            "\"5m\"",
            "\"1e9s\"",
            "[[server]]\n",
            "= { a = 1 }\n",
            "1_000",
            "0x10",
            "'''",
            "\"\"\"",
            "1979-05-27",
            "\\u0000",
            "\\U0001F600",
            "\"10 GiB\"",
            "= true\n",
        ],
        shape: Shape::Bytes,
        longest: 64 << 10,
        memory: (16 << 20, 1_024),
    };
    fuzz(&target, Files::new, Files::check);
}

#[test]
fn config_options() {
    let seeds = [
        "server.port=0",
        "server.allowed_origins=http://a.example,https://b.example:8443",
        "limits.body_bytes=2 MiB",
        "limits.request_timeout=90s",
        "history.max_bytes=1GiB",
        "log.level=warn",
        "server.bind=127.0.0.1",
    ];
    let taken = |seed: &&str| Files::new().check_option(seed.as_bytes()) == Outcome::Taken;
    let seeds: Vec<_> =
        seeds.iter().filter(|seed| taken(seed)).map(|seed| seed.as_bytes().to_vec()).collect();
    assert!(seeds.len() >= 4, "most of these are options");
    let target = Target {
        name: "config_options",
        seeds,
        words: &[
            "=",
            ",",
            "ms",
            "GiB",
            "1e9",
            "::1",
            "[::]",
            "\"",
            "server.",
            "limits.",
            "log.format=json",
            "0.0.0.0",
        ],
        shape: Shape::Bytes,
        longest: 4 << 10,
        memory: (16 << 20, 1_024),
    };
    fuzz(&target, Files::new, Files::check_option);
}
