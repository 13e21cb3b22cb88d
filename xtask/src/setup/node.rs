//! Node builds the npm package and drives the browser.

use anyhow::{Result, bail};

use super::found;
use crate::job::ask;

/// The oldest that the bundler of the story app runs on.
const OLDEST: (u32, u32) = (20, 19);

pub(crate) fn check() -> Result<()> {
    let (major, minor) = OLDEST;
    let by_hand = format!(
        "install Node {major}.{minor} or later with npm, from https://nodejs.org or a version manager"
    );
    let Some(version) = ask("node", &["--version"]) else {
        bail!("Node is not on PATH: {by_hand}.");
    };
    if line_of(&version).is_none_or(|line| line < OLDEST) {
        bail!("Node {version} is too old: {by_hand}.");
    }
    let Some(npm) = ask("npm", &["--version"]) else {
        bail!("npm is not on PATH, though Node {version} is: {by_hand}.");
    };
    found(&format!("Node {version}, npm {npm}"));
    Ok(())
}

/// Major and minor version.
fn line_of(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_line_of_a_version() {
        assert_eq!(line_of("v20.20.2"), Some((20, 20)));
        assert_eq!(line_of("nightly"), None);
    }
}
