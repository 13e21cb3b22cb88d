//! `cargo xtask package`: what is released, and how large it is.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::build;
use crate::job::ask;
use crate::report::table;
use crate::setup;
use crate::tree;
use crate::workspace::Workspace;

/// Node has Brotli built in: what a server sends at its highest level.
const BROTLI: &str = "const zlib = require('node:zlib'), fs = require('node:fs');\
    for (const file of process.argv.slice(1)) console.log(zlib.brotliCompressSync(fs.readFileSync(file)).length);";

/// Builds the tarball and the system around the release binary, and prints where they are and their sizes.
pub(crate) fn package(workspace: &Workspace) -> Result<ExitCode> {
    println!("Set-up");
    let tools = setup::for_building(workspace)?;
    println!("Build");
    build::system(workspace, &tools)?;

    let dist = workspace.target("npm/quillwork/dist");
    let scripts = with_extension(&dist, "js")?;
    let page: Vec<_> = tree::files(&workspace.target("release/dashboard"))?.into_iter().collect();
    let story: Vec<_> = tree::files(&workspace.target("release/story"))?.into_iter().collect();
    let parts = [
        ("npm tarball", vec![build::tarball(workspace)]),
        ("  runtime.wasm", vec![dist.join("runtime.wasm")]),
        ("  compute.wasm", vec![dist.join("compute.wasm")]),
        ("  its JavaScript", scripts),
        ("release binary", vec![workspace.host_binary()]),
        ("dashboard", page),
        ("story app", story),
    ];
    let mut rows = vec![["", "bytes", "brotli", "path"].map(str::to_owned).to_vec()];
    for (name, files) in parts {
        let (raw, compressed) = sizes(&files)?;
        let shown = match files.as_slice() {
            [file] => workspace.shown(file).to_string(),
            files => format!("{} files", files.len()),
        };
        rows.push(vec![name.to_owned(), raw.to_string(), compressed.to_string(), shown]);
    }
    println!("\n{}", table(&rows));
    Ok(ExitCode::SUCCESS)
}

fn with_extension(dir: &Path, extension: &str) -> Result<Vec<std::path::PathBuf>> {
    let files = tree::files(dir).with_context(|| format!("could not read {}", dir.display()))?;
    Ok(files.into_iter().filter(|file| file.extension().is_some_and(|found| found == extension)).collect())
}

/// Bytes of all files, and bytes when each is compressed by itself.
fn sizes(files: &[std::path::PathBuf]) -> Result<(u64, u64)> {
    let mut raw = 0;
    for file in files {
        raw += fs::metadata(file).with_context(|| format!("could not read {}", file.display()))?.len();
    }
    let names: Vec<_> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let args: Vec<_> = ["-e", BROTLI].into_iter().chain(names.iter().map(String::as_str)).collect();
    let answer = ask("node", &args).context("Node could not compress the files")?;
    let compressed =
        answer.lines().map(str::parse::<u64>).sum::<Result<u64, _>>().context("Node gave no sizes")?;
    Ok((raw, compressed))
}
