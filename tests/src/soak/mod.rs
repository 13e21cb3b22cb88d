//! Long randomised runs whose promises are checked: more seeds than a test has the time for.

mod decisions;
mod fleets;
mod pools;

/// What is run from ever new seeds.
pub struct Kind {
    /// Names it on the command line.
    pub name: &'static str,
    /// Runs it from a seed. Gives the number of steps that were taken, or says which promise was broken.
    pub run: fn(seed: u64) -> Result<u64, String>,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    Kind { name: "pools", run: pools::run },
    Kind { name: "fleets", run: fleets::run },
    Kind { name: "decisions", run: decisions::run },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_keeps_its_promises() {
        for kind in KINDS {
            let steps = (kind.run)(7).unwrap_or_else(|broken| panic!("{}: {broken}", kind.name));
            assert!(steps > 0, "{} did nothing", kind.name);
        }
    }
}
