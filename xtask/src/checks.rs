//! What each stage of the tests does.

use std::fs;

use anyhow::{Context, Result};

use crate::build;
use crate::counts::Counts;
use crate::job::Job;
use crate::setup;
use crate::stage::{Lab, count, one};

/// Where the end-to-end tests leave pictures of what they saw.
const SCREENSHOTS: &str = "screenshots";

pub(crate) fn set_up(lab: &Lab) -> Result<Counts> {
    lab.equip(setup::for_testing(lab.workspace)?);
    Ok(Counts::ONE_PASSED)
}

pub(crate) fn format(lab: &Lab) -> Result<Counts> {
    one(cargo(lab, "cargo fmt", &["fmt", "--all", "--check"]).check())
}

pub(crate) fn clippy(lab: &Lab) -> Result<Counts> {
    one(cargo(lab, "cargo clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
        .check())
}

/// What stands behind `cfg(target_arch = "wasm32")`, which the native clippy never sees.
pub(crate) fn wasm_clippy(lab: &Lab) -> Result<Counts> {
    let compiler = &lab.tools()?.compiler;
    let packages = [
        "quillwork-balance",
        "quillwork-flow",
        "quillwork-hardware",
        "quillwork-runtime",
        "quillwork-compute-wasm",
        "quillwork-dashboard",
        "quillwork-tests",
    ];
    let job = compiler
        .wasm_lint(Job::new(lab.workspace, "cargo clippy for wasm", "cargo"))?
        .args(["--profile", "wasm", "--lib", "--bins", "--target-dir"])
        .args([lab.workspace.target("wasm")])
        .args(packages.iter().flat_map(|package| ["--package", package]))
        .args(compiler.wasm_lint_flags());
    one(job.check())
}

pub(crate) fn docs(lab: &Lab) -> Result<Counts> {
    one(cargo(lab, "cargo doc", &["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-Dwarnings")
        .check())
}

/// Seed of the property tests, so that a run that was green is green again, and a red one is the change's own fault.
/// New cases are looked for by `cargo xtask soak`, and whenever `cargo test` is called by hand.
const PROPERTY_SEED: u64 = 1;

pub(crate) fn native_tests(lab: &Lab) -> Result<Counts> {
    let what = ["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests", "--examples"];
    let mut job = cargo(lab, "cargo test", &what).env("PROPTEST_RNG_SEED", PROPERTY_SEED.to_string());
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // Mesa's software driver wants one, and warns at every start where there is none.
        job = job.env("XDG_RUNTIME_DIR", lab.workspace.target("xtask"));
    }
    count(job)
}

/// Seconds of each fuzz target. They run side by side on as many processors as there are.
const FUZZ_SECONDS: u32 = 15;

/// What the native tests have begun with a few cases goes on for longer.
pub(crate) fn fuzz(lab: &Lab) -> Result<Counts> {
    let what = ["test", "--package", "quillwork", "--test", "fuzz", "--no-fail-fast", "--", "--nocapture"];
    count(cargo(lab, "fuzz", &what).env("QUILLWORK_FUZZ_SECONDS", FUZZ_SECONDS.to_string()))
}

/// What others make of the host's answers: schemathesis of its description, Prometheus' own parsers of its metrics.
pub(crate) fn judges(lab: &Lab) -> Result<Counts> {
    let Some(python) = &lab.tools()?.python else {
        return Ok(Counts { skipped: 1, ..Counts::default() });
    };
    let what = [
        "test",
        "--package",
        "quillwork",
        "--test",
        "host",
        "--",
        "--include-ignored",
        "judges::",
        "metrics::",
    ];
    count(cargo(lab, "judges", &what).env("QUILLWORK_PYTHON", python))
}

pub(crate) fn doc_tests(lab: &Lab) -> Result<Counts> {
    count(cargo(lab, "cargo test --doc", &["test", "--workspace", "--no-fail-fast", "--doc"]))
}

/// A lint can't see std inside a dependency; a target without std can.
pub(crate) fn core_without_std(lab: &Lab) -> Result<Counts> {
    let job = Job::new(lab.workspace, "build core without std", "cargo")
        .args(["build", "--package", "quillwork-core", "--no-default-features", "--target-dir"])
        .args([lab.workspace.target("nostd")]);
    one(lab.tools()?.compiler.for_bare_metal(job).check())
}

/// The same decisions, bit for bit, here and in the browser.
pub(crate) fn wasm_in_chromium(lab: &Lab) -> Result<Counts> {
    let module = build::test_module(lab.workspace, lab.tools()?)?;
    cargo(lab, "build the native half", &["build", "--package", "quillwork-tests", "--bin", "digests"])
        .check()?;
    build::npm_install(lab.workspace, "tests/browser")?;
    count(
        browser_tests(lab, "digests in chromium", "digests")?
            .env("QUILLWORK_TESTS_WASM", module)
            .env("QUILLWORK_TESTS_NATIVE", lab.workspace.target("debug/digests")),
    )
}

/// The kernels on WebGPU in software, on the CPU, and with the device lost.
pub(crate) fn compute_in_chromium(lab: &Lab) -> Result<Counts> {
    let dir = build::compute_for_tests(lab.workspace, lab.tools()?)?;
    build::npm_install(lab.workspace, "tests/browser")?;
    let job = Job::new(lab.workspace, "compute in chromium", "node")
        .env("QUILLWORK_COMPUTE_DIR", dir)
        .args(["--test", "--test-reporter=spec", "wasm/compute/tests/browser.test.mjs"]);
    count(with_browser(job)?)
}

pub(crate) fn package(lab: &Lab) -> Result<Counts> {
    one(build::package(lab.workspace, lab.tools()?))
}

pub(crate) fn packed_tarball(lab: &Lab) -> Result<Counts> {
    cargo(lab, "build the replay", &["build", "--package", "quillwork-core", "--example", "replay"])
        .check()?;
    let job = Job::new(lab.workspace, "npm test in wasm/npm", "npm")
        .dir(lab.workspace.path("wasm/npm"))
        .env("QUILLWORK_TARBALL", build::tarball(lab.workspace))
        .env("QUILLWORK_REPLAY", lab.workspace.target("debug/examples/replay"))
        .args(["test"]);
    count(with_browser(job)?)
}

/// The tarball in apps of other bundlers and frameworks, which have dependencies of their own.
pub(crate) fn consumer_apps(lab: &Lab) -> Result<Counts> {
    build::npm_install_for_this_system(lab.workspace, "wasm/npm/consumers")?;
    let job = Job::new(lab.workspace, "npm test in wasm/npm/consumers", "npm")
        .dir(lab.workspace.path("wasm/npm/consumers"))
        .env("QUILLWORK_TARBALL", build::tarball(lab.workspace))
        .args(["test"]);
    count(with_browser(job)?)
}

pub(crate) fn story_app(lab: &Lab) -> Result<Counts> {
    let dir = lab.workspace.path("examples/story-app");
    build::story_dependencies(lab.workspace)?;
    let npm = |label, args: &[&str]| Job::new(lab.workspace, label, "npm").dir(&dir).args(args);
    let mut counts = one(npm("types of the story app", &["run", "typecheck"]).check())?;
    counts.add(count(npm("tests of the story app", &["test"]))?);
    counts.add(one(build::story(lab.workspace))?);
    Ok(counts)
}

pub(crate) fn host_and_dashboard(lab: &Lab) -> Result<Counts> {
    build::dashboard(lab.workspace, lab.tools()?)?;
    one(build::host(lab.workspace))
}

pub(crate) fn end_to_end(lab: &Lab) -> Result<Counts> {
    build::assemble(lab.workspace)?;
    build::npm_install(lab.workspace, "tests/browser")?;
    let screenshots = lab.workspace.target(SCREENSHOTS);
    fs::create_dir_all(&screenshots)
        .with_context(|| format!("could not create {}", screenshots.display()))?;
    let counts = count(
        browser_tests(lab, "end to end in chromium", "e2e")?
            .env("QUILLWORK_HOST", lab.workspace.host_binary())
            .env("QUILLWORK_SCREENSHOTS", &screenshots),
    )?;
    println!("  screenshots: {}", lab.workspace.shown(&screenshots));
    Ok(counts)
}

fn cargo(lab: &Lab, label: &str, args: &[&str]) -> Job {
    let (command, rest) = args.split_at(1);
    let job = Job::new(lab.workspace, label, "cargo").args(command);
    // cargo fmt builds nothing, so it takes no directory for it.
    let job =
        if command == ["fmt"] { job } else { job.args(["--target-dir"]).args([lab.workspace.target("")]) };
    job.args(rest)
}

/// `npm run <script>` in `tests/browser`.
fn browser_tests(lab: &Lab, label: &str, script: &str) -> Result<Job> {
    with_browser(
        Job::new(lab.workspace, label, "npm").dir(lab.workspace.path("tests/browser")).args(["run", script]),
    )
}

/// Tells `job` which browser the set-up found.
fn with_browser(job: Job) -> Result<Job> {
    let browser = setup::chromium()?.context("Chromium is gone since the set-up")?;
    Ok(job.env("QUILLWORK_CHROMIUM", browser))
}
