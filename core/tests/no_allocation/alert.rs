//! The alert engine's hot path: a sample of a series that is known.

use quillwork_core::alert::{Condition, Engine, Selector, default_rules};
use quillwork_core::time::{Duration, Instant};

use super::allocations_of;

const SOURCES: [&str; 3] = ["p1", "p2", "p3"];

fn feed(engine: &mut Engine, names: &[String], seconds: std::ops::Range<u64>) {
    for second in seconds {
        let now = Instant::from_secs(second);
        for source in SOURCES {
            let labels = [("bound_millis", "20"), ("source", source)];
            for name in names {
                engine.observe(now, name, &labels, Some((second % 7) as f64), 1_000).expect("there is room");
            }
        }
        engine.handle_deadline(now);
    }
}

#[test]
fn samples_of_known_series_allocate_nothing() {
    let mut rules = default_rules();
    let of = || Selector::all("page.fps");
    let window = Duration::from_secs(60);
    for (name, condition) in [
        ("mean", Condition::Mean { of: of(), window }),
        ("change", Condition::Change { of: of(), window }),
        ("quantile", Condition::Quantile { of: of(), q: 0.9, window, by: None }),
    ] {
        let fps = rules.iter().find(|rule| *rule.name == *"page-fps").unwrap().clone();
        rules.push(quillwork_core::alert::Rule { name: name.into(), condition, ..fps });
    }
    let names = ["page.fps", "page.up", "page.pool_utilisation", "page.response_p95", "page.cache.hits"]
        .into_iter()
        .chain(["page.cache.lookups", "page.pool_queued_per_worker", "page.response.slow", "nobody.watches"])
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let mut engine = Engine::new(rules, 1_000).unwrap();
    feed(&mut engine, &names, 0..600);
    // What changes is told, and telling is taken: here all of it is kept until the end.
    while engine.poll_output().is_some() {}
    let allocations = allocations_of(|| {
        feed(&mut engine, &names, 600..900);
        while engine.poll_output().is_some() {}
    });
    assert_eq!(allocations, 0);
}
