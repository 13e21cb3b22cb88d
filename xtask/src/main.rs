//! Build, test and run the whole system.

fn main() {}
