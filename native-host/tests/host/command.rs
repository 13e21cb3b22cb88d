//! The command itself: its flags, its first line, its end.

use std::net::TcpListener as StdListener;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::PATIENCE;
use crate::process::{Port, get, quillwork, run, serving, start};

#[tokio::test]
async fn help_shows_examples_and_the_version_is_the_crate_s() {
    let (code, help, _) = run(&["serve", "--help"]).await;
    assert_eq!(code, Some(0));
    for word in
        ["--port", "--bind", "--token-file", "--allow-origin", "Examples:", "quillwork serve --port 0"]
    {
        assert!(help.contains(word), "{word}");
    }
    let (code, version, _) = run(&["--version"]).await;
    assert_eq!((code, version.trim()), (Some(0), concat!("quillwork ", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn a_port_in_use_is_said_in_one_sentence() {
    let taken = StdListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, stdout, stderr) = run(&["serve", "--port", &port]).await;
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    let expected = format!(
        "error: port {port} on 127.0.0.1 is in use; stop what listens there, or choose another port with --port\n"
    );
    assert_eq!(stderr, expected);
}

#[tokio::test]
async fn another_address_needs_a_token() {
    let (code, _, stderr) = run(&["serve", "--bind", "0.0.0.0", "--port", "0"]).await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("--token-file") && stderr.lines().count() == 1, "{stderr}");
    let (code, _, stderr) = run(&["serve", "--bind", "203.0.113.9", "--token-file", "/no/such/file"]).await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("/no/such/file") && stderr.lines().count() == 1, "{stderr}");
}

#[tokio::test]
async fn the_configuration_is_printed_with_where_it_is_from_and_served_with() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("quillwork.toml");
    std::fs::write(&file, "[server]\nport = 1\nbind = \"127.0.0.1\"\n[limits]\ndashboards = 7\n").unwrap();
    let name = file.to_str().unwrap();

    let (code, shown, _) = run(&["config", "--config", name, "--set", "limits.dashboards=8"]).await;
    assert_eq!(code, Some(0));
    let line = |start: &str| shown.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    assert!(line("bind = \"127.0.0.1\"").ends_with(&format!("# {name}:3")), "{shown}");
    assert!(line("dashboards = 8").ends_with("# --set"), "{shown}");
    assert!(line("body_bytes = 1048576").ends_with("# default"), "{shown}");
    let (_, json, _) = run(&["config", "--json", "--config", name]).await;
    let all: serde_json::Value = serde_json::from_str(&json).unwrap();
    let port = all.as_array().unwrap().iter().find(|option| option["key"] == "server.port").unwrap();
    assert_eq!(*port, serde_json::json!({ "key": "server.port", "value": 1, "setBy": format!("{name}:2") }));

    let (_child, address) = start(&["--config", name]).await;
    assert!(!address.ends_with(":1"), "the flag counts more than the file");

    std::fs::write(&file, "[server]\nprot = 1\n[limits]\ndashboards = 0\n").unwrap();
    let expected = format!(
        "error: {name}:2: [server] has no option \"prot\"; did you mean port?\n\
         {name}:4: limits.dashboards: 0 is out of range; write 1 to 100000\n"
    );
    for command in ["serve", "config"] {
        let (code, stdout, stderr) = run(&[command, "--config", name]).await;
        assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(1), "", expected.as_str()));
    }
}

#[tokio::test]
async fn directories_that_hold_no_app_are_named() {
    for flag in ["--dashboard-dir", "--story-dir"] {
        let (code, _, stderr) = run(&["serve", "--port", "0", flag, "/no/such/directory"]).await;
        assert_eq!(code, Some(1));
        assert!(stderr.contains(flag) && stderr.contains("index.html"), "{stderr}");
    }
}

#[tokio::test]
async fn a_check_says_of_places_what_a_start_says_and_makes_nothing() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("file"), "kept").unwrap();
    let set = |option: &str, place: &str| format!("{option}={}", root.path().join(place).display());
    for (option, place, word) in [
        ("history.data_dir", "file", "--data-dir"),
        ("history.data_dir", "file/below", "--data-dir"),
        ("log.file", "missing/host.log", "log.file"),
        ("log.file", "file/host.log", "log.file"),
        ("log.file", "", "log.file"),
        ("server.dashboard_dir", "", "--dashboard-dir"),
        ("server.story_dir", "missing", "--story-dir"),
    ] {
        let option = set(option, place);
        let (code, _, checked) = run(&["check", "--set", &option]).await;
        assert_eq!((code, checked.lines().count()), (Some(1), 1), "{option}: {checked}");
        assert!(checked.contains(word), "{option}: {checked}");
        let (code, _, started) = run(&["serve", "--port", "0", "--set", &option]).await;
        assert_eq!((code, started.lines().last()), (Some(1), checked.lines().last()), "{option}");
    }
    let (code, _, checked) = run(&["check", "--set", &set("reports.directory", "file")]).await;
    assert!(code == Some(1) && checked.contains("reports.directory"), "{checked}");

    let (data, log) = (set("history.data_dir", "new/data"), set("log.file", "new.log"));
    let reports = set("reports.directory", "new/reports");
    let (code, _, stderr) = run(&["check", "--set", &data, "--set", &log, "--set", &reports]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(root.path().join("file")).unwrap(), "kept");
}

/// Of a user who may write nothing there: the superuser may everywhere.
#[cfg(unix)]
#[tokio::test]
async fn a_check_says_what_this_user_may_not_write_to() {
    use std::os::unix::fs::PermissionsExt as _;

    const NOBODY: u32 = 65_534;
    let root = tempfile::tempdir().unwrap();
    std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let is_superuser = std::fs::write(root.path().join("file"), "").is_ok();
    for (option, place) in [
        ("history.data_dir", ""),
        ("history.data_dir", "new/data"),
        ("log.file", "host.log"),
        ("reports.directory", "new"),
    ] {
        let option = format!("{option}={}", root.path().join(place).display());
        let mut command = quillwork(&["check", "--set", &option]);
        if is_superuser {
            command.uid(NOBODY);
        }
        let output = match timeout(PATIENCE, command.output()).await.unwrap() {
            Err(error) if is_superuser && error.kind() == std::io::ErrorKind::PermissionDenied => {
                eprintln!("skipped: another user may not run what was built");
                return;
            }
            output => output.unwrap(),
        };
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{option}: {stderr}");
        assert!(
            stderr.contains("Permission denied") && stderr.contains("this user may write to"),
            "{stderr}"
        );
    }
}

#[tokio::test]
async fn two_hosts_do_not_share_a_data_directory() {
    let directory = tempfile::tempdir().unwrap();
    let name = directory.path().to_str().unwrap();
    let (_first, _) = start(&["--data-dir", name]).await;
    let (code, _, stderr) = run(&["serve", "--port", "0", "--data-dir", name]).await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("--data-dir") && stderr.contains("another"), "{stderr}");
}

#[cfg(unix)]
#[tokio::test]
async fn it_measures_this_machine_and_stops_when_told() {
    let port = Port::free();
    let (mut child, address) = serving(quillwork(&["serve", "--port", &port.number])).await;
    let measured = async {
        loop {
            let answer = get(&address, "/api/v1/snapshot").await;
            let (_, body) = answer.split_once("\r\n\r\n").unwrap();
            let snapshot: serde_json::Value = serde_json::from_str(body).unwrap();
            let host = &snapshot["host"];
            // The first reading has nothing to compare with.
            if host["sampler"]["ticks"] == 1 {
                assert_eq!(host["cpu"]["totalRatio"], serde_json::Value::Null);
            }
            if let Some(cpu) = host["cpu"]["totalRatio"].as_f64() {
                assert!((0.0..=1.0).contains(&cpu));
                assert!(host["memory"]["totalBytes"].as_u64().unwrap() > 0);
                assert!(host["machine"]["logicalCores"].as_u64().unwrap() > 0);
                return;
            }
        }
    };
    timeout(PATIENCE, measured).await.unwrap();
    // A connection that is kept open holds nothing up.
    let _idle = TcpStream::connect(&address).await.unwrap();
    let id = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(TcpStream::connect(&address).await.is_err());
}
