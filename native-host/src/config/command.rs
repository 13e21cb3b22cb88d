//! `quillwork config`

use std::io::Write as _;

use super::{Effective, effective, example, options};
use crate::cli::ShowConfigArgs;

/// Prints the configuration that `quillwork serve` would run with, or the example file.
///
/// # Errors
///
/// Everything that is wrong with the configuration.
///
/// # Panics
///
/// Never: options have string keys.
pub fn print(args: &ShowConfigArgs) -> Result<(), String> {
    let text = if args.example {
        example()
    } else {
        let config = args.config.layers().load().map_err(|error| error.to_string())?;
        if args.json {
            let all: Vec<Effective> = options(&config).collect();
            let json = serde_json::to_string_pretty(&all).expect("options have string keys");
            format!("{json}\n")
        } else {
            effective(&config)
        }
    };
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| format!("stdout: {error}"))
}
