//! What operators see of the configuration.

use std::fs;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn load(text: &str) -> Result<Config, ConfigError> {
    with(text, &[], &[])
}

/// A file, variables and flags.
fn with(text: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("quillwork.toml");
    fs::write(&file, text).unwrap();
    let pair = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    let flag = |(key, text): &(&str, &str)| Flag {
        flag: "--set".to_owned(),
        key: (*key).to_owned(),
        text: (*text).to_owned(),
    };
    Layers {
        file: Some(file),
        environment: environment.iter().map(pair).collect(),
        flags: flags.iter().map(flag).collect(),
    }
    .load()
}

/// The only fault, without the directory of its file.
#[track_caller]
fn fault(text: &str) -> String {
    let faults = load(text).unwrap_err().0;
    assert_eq!(faults.len(), 1, "{faults:?}");
    let text = faults[0].to_string();
    text.split_once("quillwork.toml:").map_or(text.clone(), |(_, rest)| rest.to_owned())
}

#[test]
fn of_very_many_faults_the_first_are_told() {
    let text = load(&"[\n".repeat(3_000)).unwrap_err().to_string();
    assert_eq!(text.lines().count(), 51);
    assert!(text.ends_with(" more") && text.len() < 10_000, "{text}");
}

#[test]
fn the_later_place_counts_and_is_told() {
    let file = "[server]\nport = 1\n[limits]\nconnections = 5\nrequest_timeout = \"2s\"\n";
    let environment =
        [("QUILLWORK_SERVER_PORT", "2"), ("QUILLWORK_LIMITS_CONNECTIONS", "6"), ("QUILLWORK_CHROMIUM", "x")];
    let config = with(file, &environment, &[("server.port", "3")]).unwrap();
    assert_eq!((config.server.port, config.limits.connections), (3, 6));
    assert_eq!(config.limits.request_timeout, Duration::from_secs(2));
    assert_eq!(config.set_by("server.port").to_string(), "--set");
    assert_eq!(config.set_by("limits.connections").to_string(), "QUILLWORK_LIMITS_CONNECTIONS");
    assert!(config.set_by("limits.request_timeout").to_string().ends_with("quillwork.toml:5"));
    assert_eq!(*config.set_by("limits.dashboards"), SetBy::Default);
}

#[test]
fn how_long_history_is_kept_can_be_chosen_and_must_fit_together() {
    let config = load("[history]\nkeep_1s = \"2h\"\nkeep_10s = \"3d\"").unwrap();
    let kept: Vec<u64> =
        config.history.options().tiers.iter().map(|tier| tier.retention_millis / 3_600_000).collect();
    assert_eq!(kept, [2, 72, 30 * 24, 730 * 24]);
    for (text, expected) in [
        ("keep_1s = \"10d\"", "history.keep_10s: must be at least 246h"),
        ("keep_1m = \"7d\"", "2: history.keep_1m: must be at least 10081m"),
        ("keep_1h = \"1d\"", "2: history.keep_1h: must be at least 721h"),
    ] {
        let fault = fault(&format!("[history]\n{text}"));
        assert!(fault.starts_with(expected), "{fault}");
    }
}

#[test]
fn unknown_names_are_refused_with_what_was_meant() {
    assert_eq!(fault("[server]\nprot = 1"), "2: [server] has no option \"prot\"; did you mean port?");
    assert_eq!(fault("[sever]\nport = 1"), "1: there is no section \"sever\"; did you mean server?");
    assert_eq!(
        fault("[auth.tokens.ops]\nfile = \"a\"\nscope = [\"read\"]"),
        "3: [auth.tokens.ops] has no option \"scope\"; did you mean scopes?"
    );
    assert_eq!(fault("[export.otpl]\n"), "1: [export] has no section \"otpl\"; did you mean otlp?");
    assert_eq!(
        fault("[tls]\nxyz = 1"),
        "2: [tls] has no option \"xyz\"; there are certificate_file, key_file, look_interval"
    );
    assert_eq!(fault("server = 1"), "1: server is a table; write [server]");
    assert_eq!(
        fault("[auth.tokens]\nops = 1"),
        "2: the tables in auth.tokens have names; write [auth.tokens.NAME]"
    );
    assert!(fault("[auth.tokens.\"a\\nb\"]\nfile = \"a\"").contains("is no name"));

    let variable = with("", &[("QUILLWORK_LIMITS_CONECTIONS", "1")], &[]).unwrap_err().to_string();
    assert!(variable.contains("did you mean QUILLWORK_LIMITS_CONNECTIONS?"), "{variable}");
    let flag = with("", &[], &[("limits.conections", "1")]).unwrap_err().to_string();
    assert!(flag.contains("--set") && flag.contains("did you mean limits.connections?"), "{flag}");
}

#[test]
fn wrong_values_say_where_and_what_to_write() {
    assert_eq!(fault("[server]\n\nport = \"9470\""), "3: server.port: write a whole number, not a string");
    assert_eq!(fault("[server]\nport = 70000"), "2: server.port: 70000 is out of range; write 0 to 65535");
    assert_eq!(
        fault("[limits]\nconnections = 0"),
        "2: limits.connections: 0 is out of range; write 1 to 1000000"
    );
    assert_eq!(
        fault("[limits]\nrequest_timeout = 10"),
        "2: limits.request_timeout: write a string in quotes, not an integer"
    );
    assert!(fault("[limits]\nrequest_timeout = \"10 parsecs\"").contains("\"30s\""));
    assert!(fault("[server]\nallowed_origins = [\"localhost\"]").contains("http://localhost:5173"));
    assert!(fault("[log]\nformat = \"xml\"").ends_with("\"xml\" isn't known; write \"text\" or \"json\""));
    for level in ["verbose", "info,", "a=b=c", ""] {
        assert!(
            fault(&format!("[log]\nlevel = {level:?}")).contains("is no level; write \"error\""),
            "{level}"
        );
    }
    assert!(load("[log]\nlevel = \"warn,quillwork_host::socket=debug\"").is_ok());
    assert!(fault("[server\nport = 1").starts_with("1: this is no TOML"));
    let variable = with("", &[("QUILLWORK_SERVER_PORT", "x")], &[]).unwrap_err().to_string();
    assert_eq!(variable, "QUILLWORK_SERVER_PORT: server.port: \"x\" is no whole number");
}

#[test]
fn a_fault_quotes_no_more_than_it_takes_to_know_it() {
    let long = "\"".repeat(60_000);
    for (text, word) in [
        (format!("[server]\nbind = '{long}'\n"), "server.bind"),
        (format!("[server]\nallowed_origins = ['{long}']\n"), "http://localhost:5173"),
        (format!("['{long}']\n"), "there is no section"),
        (format!("[auth.tokens.'{long}']\n"), "digits, - and _"),
    ] {
        let said = load(&text).unwrap_err().to_string();
        assert!(said.len() < 2_000 && said.contains(word), "{} bytes: {said}", said.len());
    }
    let said = with("", &[], &[(&long, "1")]).unwrap_err().to_string();
    assert!(said.len() < 2_000 && said.contains("lists all"), "{} bytes: {said}", said.len());
}

#[test]
fn all_faults_are_told_at_once() {
    let faults = load("[server]\nport = -1\nbnd = \"::1\"\n[log]\nlevel = 5\n").unwrap_err().0;
    let lines: Vec<_> = faults.iter().map(|fault| fault.set_by.to_string()).collect();
    assert_eq!(faults.len(), 3);
    assert!(
        lines.iter().zip([2, 3, 5]).all(|(place, line)| place.ends_with(&format!(":{line}"))),
        "{lines:?}"
    );
}

#[test]
fn what_can_not_go_together_is_refused() {
    assert!(fault("[server]\nbind = \"0.0.0.0\"").starts_with("2: server.bind: 0.0.0.0 lets others"));
    assert!(fault("[tls]\ncertificate_file = \"c\"").contains("tls.key_file"));
    assert!(fault("[auth.tokens.ops]\nscopes = [\"read\"]").contains("`file`"));
    assert!(fault("[auth.tokens.ops]\nfile = \"f\"\nscopes = []").contains("`scopes`"));
    assert!(load("[server]\nbind = \"::\"\n[auth.tokens.ops]\nfile = \"f\"").is_ok());
}

#[test]
fn paths_in_the_file_start_where_it_lies_and_others_where_the_command_runs() {
    let config =
        with("[auth]\ntoken_file = \"token\"", &[("QUILLWORK_HISTORY_DATA_DIR", "data")], &[]).unwrap();
    let token = config.auth.token_file.as_deref().unwrap();
    assert!(token.is_absolute() && token.ends_with("token"), "{token:?}");
    assert_eq!(config.history.data_dir.as_deref(), Some(Path::new("data")));
}

#[test]
fn a_file_that_is_not_there_or_no_text_is_told() {
    let missing = check(Path::new("/nonexistent/quillwork.toml")).unwrap_err().to_string();
    assert!(missing.starts_with("/nonexistent/quillwork.toml:1: the file can't be read"), "{missing}");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, b"\xff\xfe").unwrap();
    assert!(check(file.path()).unwrap_err().to_string().contains("can't be read"));
}

#[test]
fn what_is_printed_can_be_read_again() {
    let text = "[server]\nport = 1\nallowed_origins = [\"http://a:1\", \"http://b\"]\n\
                [auth.tokens.ops]\nfile = \"/t\\\"\\u0007\"\nscopes = [\"read\", \"ingest\"]\n";
    let config = load(text).unwrap();
    let again = load(&effective(&config)).unwrap();
    let values =
        |config: &Config| options(config).map(|option| (option.key, option.value)).collect::<Vec<_>>();
    assert_eq!(values(&config), values(&again));
}

#[test]
fn the_example_is_the_default_and_each_of_its_lines_can_be_taken_in() {
    let example = example();
    assert_eq!(load(&example).unwrap().server, Server::default());
    let mut text = String::new();
    for line in example.lines() {
        let option = line.strip_prefix("# ").filter(|rest| {
            let name = rest.split(" = ").next().unwrap_or_default();
            rest.contains(" = ")
                && !rest.ends_with('…')
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        });
        let section = line.starts_with('[').then_some(line);
        if line.starts_with("# [") {
            break;
        }
        text.extend(option.or(section).map(|line| format!("{line}\n")));
    }
    assert!(text.contains("port = 9470"), "{text}");
    assert!(load(&text).is_ok(), "{text}");
}

#[test]
fn no_two_options_share_a_variable() {
    let config = Config::default();
    let plain = options(&config).count();
    let variables: std::collections::BTreeSet<_> =
        options(&config).map(|option| layers::variable(&option.key)).collect();
    assert_eq!(variables.len(), plain);
}

proptest! {
    /// Whatever stands in the file, there is an answer: a configuration, or faults with a place each.
    #[test]
    fn no_file_makes_it_panic(text in hostile()) {
        match load(&text) {
            Ok(config) => prop_assert!(!effective(&config).is_empty()),
            Err(error) => prop_assert!(error.0.iter().all(|fault| !fault.message.is_empty())),
        }
    }
}

/// Anything at all, and things that look like a configuration.
fn hostile() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "server",
        "port",
        "auth.tokens",
        "limits",
        "x",
        "notify",
        "\"\\n\"",
        "tls",
        "file",
        "export",
    ]);
    let value = prop::sample::select(vec![
        "1",
        "-1",
        "1e400",
        "\"\"",
        "\"1s\"",
        "[]",
        "[[1]]",
        "{}",
        "{file=1}",
        "inf",
        "2026-01-01",
        "'\u{202e}'",
        "true",
    ]);
    let line = (name, value, any::<bool>()).prop_map(|(name, value, table)| {
        if table { format!("[{name}]\n") } else { format!("{name} = {value}\n") }
    });
    prop_oneof![any::<String>(), prop::collection::vec(line, 0..8).prop_map(|lines| lines.concat())]
}
