//! The README's quick start is the package's, whose code blocks the tests of the packed tarball compile and run.

use super::files::{read, root};

#[test]
fn the_quick_start_is_the_one_that_is_tested() {
    let tested = code_blocks(&read(&root().join("wasm/npm/README.md")));
    let shown = code_blocks(&read(&root().join("README.md")));
    assert!(!shown.is_empty(), "README.md shows no TypeScript");
    for block in shown {
        assert!(
            tested.contains(&block),
            "README.md shows code that wasm/npm/README.md doesn't have, so nobody runs it:\n{block}"
        );
    }
}

fn code_blocks(text: &str) -> Vec<String> {
    text.split("```ts\n").skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}
