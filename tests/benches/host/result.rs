//! Results, as the lines that `cargo xtask bench host` makes its table of.

use serde_json::{Value, json};

/// A result: what it is of, ours, and what was aimed at, as it is to be read.
pub(crate) fn show(name: &str, ours: &str, aim: Option<&str>) {
    emit(json!({ "name": name, "ours": ours, "aim": aim }));
}

/// A result beside those of peers, in their order.
pub(crate) fn show_beside(name: &str, unit: &str, aim: Option<&str>, ours: f64, peers: &[f64]) {
    let told = |value: f64| format!("{value:.2} {unit}");
    let peers: Vec<Value> =
        peers.iter().map(|peer| json!({ "told": told(*peer), "ratio": ours / peer })).collect();
    emit(json!({ "name": name, "ours": told(ours), "aim": aim, "peers": peers }));
}

fn emit(result: Value) {
    println!("HOST {result}");
}

/// The value that this share of the values doesn't exceed: the nearest rank. Zero of none.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}
