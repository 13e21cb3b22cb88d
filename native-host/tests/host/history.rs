//! `quillwork history`, on a directory that a state wrote.

use std::path::Path;
use std::sync::Arc;

use quillwork_host::clock::{Now, unix_millis};
use quillwork_host::state::{Medium, State};
use quillwork_store::history::HistoryOptions;

use crate::harness::machine_at;
use crate::process::run;

/// Ten seconds of a machine, three minutes ago.
pub(crate) fn measured(data: &Path) {
    let begin = unix_millis() / 1_000 * 1_000 - 180_000;
    let now = |millis| Now {
        monotonic: quillwork_core::time::Instant::from_millis(millis),
        unix_millis: begin + millis,
    };
    let medium = Medium::directory(data).unwrap();
    let mut state = State::new(now(0), "run".to_owned(), medium, HistoryOptions::default()).unwrap();
    for second in 0..10 {
        state.handle_host(now(second * 1_000), Arc::new(machine_at(begin + second * 1_000, Some(0.25))));
    }
    state.flush();
}

async fn history(data: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut all = vec!["history", "--data-dir", data.to_str().unwrap()];
    all.extend(args);
    run(&all).await
}

#[tokio::test]
async fn a_history_is_checked_backed_up_restored_and_exported() {
    let directory = tempfile::tempdir().unwrap();
    let (data, backup, other) =
        (directory.path().join("data"), directory.path().join("backup"), directory.path().join("other"));
    measured(&data);
    let (code, stdout, stderr) = history(&data, &["verify"]).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.contains("all is well"), "{stdout}");
    let used = stdout.split_once(" series, ").unwrap().1.split_once(" KiB").unwrap().0.to_owned();

    let backup = backup.to_str().unwrap();
    assert_eq!(history(&data, &["backup", backup]).await.0, Some(0));
    let (code, _, stderr) = history(&data, &["backup", backup]).await;
    assert!(code == Some(1) && stderr.contains("not empty"), "{stderr}");
    assert_eq!(history(&other, &["restore", backup]).await.0, Some(0));
    let (code, stdout, _) = history(&other, &["compact"]).await;
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with(&format!("{used} KiB before, ")), "{used}: {stdout}");
    // Of a range that begins before all files it would be in the steps of the coarsest, which there is once six hours are over.
    let last_hour = ["export", "--select", "host.cpu.total", "--hours", "1"];
    let (code, csv, stderr) = history(&other, &last_hour).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(
        csv.lines()
            .filter(|line| line.starts_with("host.cpu.total,ratio,") && line.ends_with(",0.25"))
            .count(),
        10
    );
    for none in ["--hours", "--step"] {
        let (code, _, stderr) = history(&other, &["export", "--select", "host.cpu.total", none, "0"]).await;
        assert!(code == Some(2) && stderr.contains(none), "{stderr}");
    }
    let (code, _, stderr) = history(&other, &["export", "--select", "none"]).await;
    assert!(code == Some(1) && stderr.contains("no series matches"), "{stderr}");
}

#[tokio::test]
async fn damage_is_named_and_repaired_and_what_is_in_use_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path();
    measured(data);
    let head = std::fs::read_dir(data.join("history")).unwrap().map(|entry| entry.unwrap().path());
    let head = head.into_iter().find(|path| path.to_string_lossy().contains("head-")).unwrap();
    let mut bytes = std::fs::read(&head).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&head, bytes).unwrap();
    let (code, stdout, stderr) = history(data, &["verify"]).await;
    assert!(code == Some(1) && stdout.contains("damaged"), "{stdout}");
    let name = head.file_name().unwrap().to_str().unwrap();
    assert!(stderr.contains(name) && stderr.contains("repair"), "{stderr}");

    let medium = Medium::directory(data).unwrap();
    let (code, _, stderr) = history(data, &["repair"]).await;
    assert!(code == Some(1) && stderr.contains("in use by a running host"), "{stderr}");
    drop(medium);
    let (code, stdout, _) = history(data, &["repair"]).await;
    assert!(code == Some(0) && stdout.contains(name) && stdout.contains("history.damaged-1"), "{stdout}");
    assert!(data.join("history.damaged-1").join(name).exists());
    assert_eq!(history(data, &["verify"]).await.0, Some(0));
    let (code, _, stderr) = history(&data.join("none"), &["verify"]).await;
    assert!(code == Some(1) && stderr.contains("--data-dir"), "{stderr}");
}
