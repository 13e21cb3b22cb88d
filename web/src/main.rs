//! The Quillwork dashboard.

fn main() {}
