//! What a program that knows nothing but the API's description makes of the host.

use std::process::Stdio;
use std::time::Duration;

use quillwork_host::clock::unix_millis;
use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::{batch, sample_at};
use crate::process::{post, start};

/// Minutes where others build on the same machine.
const LONG: Duration = Duration::from_secs(15 * 60);

/// `python -m schemathesis` isn't one.
const SCHEMATHESIS: &str = "from schemathesis.cli import schemathesis; schemathesis()";

/// Every endpoint but the stream without end, asked with what the description allows and what it doesn't: no fault of the host's
/// own, no status, header, type or body that the description doesn't have.
#[tokio::test]
#[ignore = "takes minutes; `cargo xtask test --only judges` runs it"]
async fn every_answer_is_one_that_the_description_has() {
    let python = std::env::var_os("QUILLWORK_PYTHON").unwrap_or_else(|| "python3".into());
    let is_there =
        Command::new(&python).args(["-c", "import schemathesis"]).stderr(Stdio::null()).status().await;
    if !is_there.is_ok_and(|status| status.success()) {
        eprintln!("skipped: QUILLWORK_PYTHON has no schemathesis");
        return;
    }
    let unhurried = ["--set", "limits.requests_per_second=1000000", "--set", "limits.request_burst=1000000"];
    let (_child, address) = start(&unhurried).await;
    // Something to be asked for.
    let batch = batch("p1", 1, vec![sample_at(unix_millis() - 1_000, 3)]);
    let answer = post(&address, "/api/v1/ingest", &serde_json::to_value(&batch).unwrap()).await;
    assert!(answer.contains(" 204 "), "{answer}");

    // Its notes of earlier runs would be left where it runs.
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(python);
    command.current_dir(directory.path()).kill_on_drop(true).args(["-c", SCHEMATHESIS, "run"]);
    command.arg(format!("http://{address}/api/v1/openapi.json")).args([
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance",
        "--phases",
        "examples,coverage,fuzzing",
        "--exclude-path",
        "/api/v1/stream",
        "--max-examples",
        "30",
        "--seed",
        "1",
        "--continue-on-failure",
        "--no-color",
    ]);
    let output = timeout(LONG, command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Fuzzing"), "{said}");
}
