//! What strangers choose is harmless wherever it is shown: by a real host, from what comes in to the log, the reports and the terminal.

use std::fs;

use quillwork_host::clock::unix_millis;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{PATIENCE, batch, sample_at};
use crate::process::{get, post, run, start};

/// What a page may be called: turned about, hidden, and isolated.
const NAME: &str = "Story\u{202e}gnp.\u{2066}exe\u{200b}\u{e0041}";
/// What a program may send: it begins a line of its own, clears the screen and takes the line back.
const LABEL: &str = "a\n2026-01-01T00:00:00Z  INFO all is well\r\u{1b}[2J\u{9b}1A\u{202e}\u{2066}b";

/// What nobody sees, and what acts.
fn acts(text: &str) -> Option<char> {
    let format = ['\u{200b}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{e0041}'];
    text.chars().find(|letter| *letter != '\n' && (letter.is_control() || format.contains(letter)))
}

/// A gauge of a program whose label is hostile, now.
fn gauge() -> Value {
    let at = (unix_millis() * 1_000_000).to_string();
    json!({"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeMetrics": [{"scope": {"name": "lib"}, "metrics": [{
            "name": "queue.depth", "gauge": {"dataPoints": [{
                "timeUnixNano": at, "asInt": "9",
                "attributes": [{"key": "queue\u{202e}", "value": {"stringValue": LABEL}}]
            }]}
        }]}]
    }]})
}

#[tokio::test]
async fn names_that_act_are_harmless_in_the_log_reports_and_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let of = |name: &str, series: &str| {
        format!(
            "[[rule]]\nname = \"{name}\"\nseries = \"{series}\"\nunit = \"count\"\ndirection = \"above\"\n\
             warning = {{ threshold = 1.0, for = \"0s\" }}\n"
        )
    };
    let rules = format!("{}{}", of("deep", "queue.depth"), of("fast", "page.fps"));
    fs::write(path("alerts.toml"), rules).unwrap();
    for format in ["json", "text"] {
        // Each with data of its own: an alert that the one before has kept is no news.
        let (file, data) = (path("log").with_extension(format), path("data").with_extension(format));
        let set = [
            format!("alerts.rules={}", path("alerts.toml").display()),
            format!("log.file={}", file.display()),
            format!("log.format={format}"),
            "log.level=debug".to_owned(),
        ];
        let mut arguments = vec!["--data-dir", data.to_str().unwrap()];
        set.iter().for_each(|option| arguments.extend(["--set", option]));
        let (mut host, address) = start(&arguments).await;

        // What acts in a terminal can't be a name at all; the refusal quotes nothing of it.
        let mut refused = batch("page-1", 1, vec![sample_at(unix_millis(), 10)]);
        refused.source.name = LABEL.to_owned();
        let answer = post(&address, "/api/v1/ingest", &serde_json::to_value(&refused).unwrap()).await;
        assert!(answer.contains(" 422 "), "{answer}");

        let shown = async {
            for sequence in 1.. {
                let mut sample = sample_at(unix_millis(), 10);
                sample.frames_per_second = Some(60.0);
                let mut named = batch("page-1", sequence, vec![sample]);
                named.source.name = NAME.to_owned();
                let answer = post(&address, "/api/v1/ingest", &serde_json::to_value(&named).unwrap()).await;
                assert!(answer.contains(" 204 "), "{answer}");
                let answer = post(&address, "/v1/metrics", &gauge()).await;
                assert!(answer.contains(" 200 "), "{answer}");
                let mut logged = fs::read_to_string(&file).unwrap_or_default();
                // The last line may be half written.
                logged.truncate(logged.rfind('\n').map_or(0, |end| end + 1));
                if ["alert deep", "alert fast"].iter().all(|alert| logged.contains(alert)) {
                    return logged;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            unreachable!("sequences don't end")
        };
        let logged = timeout(PATIENCE, shown).await.unwrap();
        assert_eq!(acts(&logged), None, "{logged:?}");
        for line in logged.lines() {
            assert!(!line.starts_with("2026-01-01"), "{logged}");
            if format == "json" {
                let event: Value =
                    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
                assert!(event["level"].is_string() && event["message"].is_string(), "{line}");
            }
        }

        let alerts = get(&address, "/api/v1/alerts?firing=true").await;
        let (_, body) = alerts.split_once("\r\n\r\n").unwrap();
        let (begin, end) = (body.find('[').unwrap(), body.rfind(']').unwrap());
        let alerts: Value = serde_json::from_str(&body[begin..=end]).unwrap();
        for alert in alerts.as_array().unwrap() {
            assert_eq!(acts(alert["summary"].as_str().unwrap()), None, "{alert}");
        }
        for report in ["md", "html", "json"] {
            let url = format!("http://{address}");
            let (code, stdout, stderr) =
                run(&["report", "--url", &url, "--last", "1h", "--format", report]).await;
            assert_eq!((code, stderr.as_str()), (Some(0), ""));
            assert!(stdout.contains("Story"), "{stdout}");
            assert_eq!(acts(&stdout), None, "{report}: {stdout:?}");
        }
        host.kill().await.unwrap();
    }
}

/// A process may be called anything, and what it is called is on everybody's screen.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_can_not_steer_the_terminal_of_who_looks() {
    let directory = tempfile::tempdir().unwrap();
    let named = directory.path().join("x\u{1b}[2J\u{202e}y");
    // A copy might still be open for writing in a child that another test starts, and such a program doesn't run.
    std::os::unix::fs::symlink("/bin/sleep", &named).unwrap();
    let mut process = tokio::process::Command::new(&named).arg("60").kill_on_drop(true).spawn().unwrap();
    let root = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("proc/stat", "cpu 1 2 3 4\ncpu0 1 2 3 4\n"),
        ("proc/cpuinfo", "processor : 0\nmodel name : Fast\u{1b}[2J\u{202e}\u{61c} CPU\n"),
        ("proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n"),
        ("proc/sys/kernel/hostname", "de\u{2066}sk\u{1b}]0;x\u{7}\n"),
    ] {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let root = root.path().to_str().unwrap();
    for arguments in [
        &["top", "--once", "--sort", "memory"][..],
        &["detect", "--root", root],
        &["detect", "--json", "--root", root],
    ] {
        let (code, stdout, _) = run(arguments).await;
        assert_eq!(code, Some(0));
        assert_eq!(acts(&stdout), None, "{arguments:?}: {stdout:?}");
    }
    let (code, _, stderr) = run(&["check", "no\u{1b}[2J\u{202e}file"]).await;
    assert_eq!((code, acts(&stderr)), (Some(1), None), "{stderr:?}");
    process.kill().await.unwrap();
}
