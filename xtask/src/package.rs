//! `cargo xtask package`: what is released, and how large it is.

use std::fs;
use std::path::{Path, PathBuf};
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
    let page = served(&workspace.target("release/dashboard"))?;
    let story = served(&workspace.target("release/story"))?;
    // Brotli says what a page loads; the tarball and the binary are never sent that way.
    let parts = [
        ("npm tarball", vec![build::tarball(workspace)], false),
        ("  runtime.wasm", vec![dist.join("runtime.wasm")], true),
        ("  runtime-full.wasm", vec![dist.join("runtime-full.wasm")], true),
        ("  compute.wasm", vec![dist.join("compute.wasm")], true),
        ("  its JavaScript", scripts, true),
        ("release binary", vec![workspace.host_binary()], false),
        ("dashboard", page, true),
        ("story app", story, true),
    ];
    let mut rows = vec![["", "bytes", "brotli", "path"].map(str::to_owned).to_vec()];
    for (name, files, in_pages) in parts {
        let raw = bytes(&files)?;
        let compressed = if in_pages { compressed_bytes(&files)?.to_string() } else { String::new() };
        let shown = match files.as_slice() {
            [file] => workspace.shown(file).to_string(),
            files => format!("{} files", files.len()),
        };
        rows.push(vec![name.to_owned(), raw.to_string(), compressed, shown]);
    }
    println!("\n{}", table(&rows));
    Ok(ExitCode::SUCCESS)
}

fn with_extension(dir: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let files = tree::files(dir).with_context(|| format!("could not read {}", dir.display()))?;
    Ok(files.into_iter().filter(|file| has_extension(file, extension)).collect())
}

/// The files of an app, each once: without the compressed copies that lie beside them.
fn served(dir: &Path) -> Result<Vec<PathBuf>> {
    let files = tree::files(dir).with_context(|| format!("could not read {}", dir.display()))?;
    Ok(files.into_iter().filter(|file| !has_extension(file, "br") && !has_extension(file, "gz")).collect())
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}

fn bytes(files: &[PathBuf]) -> Result<u64> {
    files.iter().try_fold(0, |sum, file| {
        let metadata = fs::metadata(file).with_context(|| format!("could not read {}", file.display()))?;
        Ok(sum + metadata.len())
    })
}

/// Bytes when each file is compressed by itself.
fn compressed_bytes(files: &[PathBuf]) -> Result<u64> {
    let names: Vec<_> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let args: Vec<_> = ["-e", BROTLI].into_iter().chain(names.iter().map(String::as_str)).collect();
    let answer = ask("node", &args).context("Node could not compress the files")?;
    answer.lines().map(str::parse::<u64>).sum::<Result<u64, _>>().context("Node gave no sizes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_copies_are_not_counted_again() {
        let dir = std::env::temp_dir().join(format!("quillwork-sizes-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        for name in ["app.js", "app.js.br", "app.js.gz", "page.html"] {
            fs::write(dir.join(name), "12345").unwrap();
        }
        let files = served(&dir).unwrap();
        fs::remove_dir_all(&dir).unwrap();
        let names: Vec<_> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
        assert_eq!(names, ["app.js", "page.html"]);
    }
}
