use alloc::vec::Vec;

use super::{Bottleneck, Observed, Resource, Sign, bottlenecks};
use crate::rng::Rng;

const WINDOW: usize = 60;

const fn nothing(resource: Resource, subject: &str) -> Observed<'_> {
    Observed { resource, subject, utilisation: &[], saturation: &[], errors: &[] }
}

fn names<'a>(found: &[Bottleneck<'a>]) -> Vec<(Resource, &'a str, Sign)> {
    found.iter().map(|found| (found.resource, found.subject, found.sign)).collect()
}

#[test]
fn each_planted_cause_is_named_alone() {
    let (busy, calm) = ([Some(0.97); WINDOW], [Some(0.3); WINDOW]);
    let kinds =
        [Resource::Memory, Resource::Cpu, Resource::Disk, Resource::Network, Resource::Gpu, Resource::Queue];
    for culprit in kinds {
        let saturated = [Some(5.0); WINDOW];
        let relaxed = [Some(0.0); WINDOW];
        let all = kinds.map(|resource| {
            let hit = resource == culprit;
            let (utilisation, saturation) = if hit { (&busy, &saturated) } else { (&calm, &relaxed) };
            Observed { utilisation, saturation, ..nothing(resource, "it") }
        });
        let found = bottlenecks(&all);
        assert_eq!(names(&found), [(culprit, "it", Sign::Saturation)]);
        assert_eq!((found[0].seconds, found[0].seconds_over), (WINDOW, WINDOW));
        assert!(found[0].confidence > 0.6 && found[0].confidence < 1.0, "{found:?}");
    }
}

#[test]
fn utilisation_alone_is_less_sure_and_counts_for_nothing_where_nothing_waits() {
    let busy = [Some(0.99); WINDOW];
    let (waits, calm) = ([Some(0.5); WINDOW], [Some(0.01); WINDOW]);
    let cpu = Observed { utilisation: &busy, ..nothing(Resource::Cpu, "") };
    let alone = bottlenecks(&[cpu]);
    let both = bottlenecks(&[Observed { saturation: &waits, ..cpu }]);
    assert_eq!(alone[0].sign, Sign::Utilisation);
    assert!((alone[0].confidence - 0.5 * both[0].confidence).abs() < 1e-12);
    assert!(bottlenecks(&[Observed { saturation: &calm, ..cpu }]).is_empty());
}

#[test]
fn a_queue_for_something_idle_is_no_limit() {
    let (idle, waits) = ([Some(0.1); WINDOW], [Some(9.0); WINDOW]);
    let disk = Observed { utilisation: &idle, saturation: &waits, ..nothing(Resource::Disk, "sda") };
    assert!(bottlenecks(&[disk]).is_empty());
}

#[test]
fn absent_data_is_silent() {
    let mut busy = [None; WINDOW];
    assert!(bottlenecks(&[Observed { utilisation: &busy, ..nothing(Resource::Cpu, "") }]).is_empty());
    busy[..29].fill(Some(1.0));
    assert!(bottlenecks(&[Observed { utilisation: &busy, ..nothing(Resource::Cpu, "") }]).is_empty());
    busy[29] = Some(f64::NAN);
    assert!(bottlenecks(&[Observed { utilisation: &busy, ..nothing(Resource::Cpu, "") }]).is_empty());
    busy[29] = Some(1.0);
    let half_seen = bottlenecks(&[Observed { utilisation: &busy, ..nothing(Resource::Cpu, "") }]);
    assert_eq!((half_seen[0].seconds, half_seen.len()), (30, 1));
    let all_seen =
        bottlenecks(&[Observed { utilisation: &[Some(1.0); WINDOW], ..nothing(Resource::Cpu, "") }]);
    assert!(half_seen[0].confidence < 0.6 * all_seen[0].confidence);
    assert!(bottlenecks(&[]).is_empty());
}

#[test]
fn one_worker_that_has_all_the_work() {
    let (busy, idle) = ([Some(1.0); WINDOW], [Some(0.2); WINDOW]);
    let worker = |subject, utilisation| Observed { utilisation, ..nothing(Resource::Worker, subject) };
    let one = [worker("0", &idle), worker("1", &busy), worker("2", &idle)];
    assert_eq!(names(&bottlenecks(&one)), [(Resource::Worker, "1", Sign::Utilisation)]);
    let all = [worker("0", &busy), worker("1", &busy), worker("2", &busy)];
    assert!(bottlenecks(&all).is_empty(), "that is a matter of the pool");
    assert!(bottlenecks(&[worker("0", &busy)]).is_empty(), "there is nobody to compare it with");
}

#[test]
fn one_task_type_counts_where_the_queue_does() {
    let (busy, waits) = ([Some(1.0); WINDOW], [Some(4.0); WINDOW]);
    let (most, rest) = ([Some(0.8); WINDOW], [Some(0.2); WINDOW]);
    let task_type = |subject, utilisation| Observed { utilisation, ..nothing(Resource::TaskType, subject) };
    let types = [task_type("search", &most), task_type("layout", &rest)];
    assert!(bottlenecks(&types).is_empty());
    let queue = Observed { utilisation: &busy, saturation: &waits, ..nothing(Resource::Queue, "") };
    let found = bottlenecks(&[types[0], types[1], queue]);
    let kinds: Vec<_> = found.iter().map(|found| (found.resource, found.subject)).collect();
    assert_eq!(kinds, [(Resource::Queue, ""), (Resource::TaskType, "search")]);
}

#[test]
fn what_others_wait_behind_comes_first_and_errors_are_told_apart() {
    let (busy, waits) = ([Some(1.0); WINDOW], [Some(4.0); WINDOW]);
    let mut some_waits = waits;
    some_waits[..20].fill(Some(0.0));
    let all = [
        Observed { utilisation: &busy, saturation: &waits, ..nothing(Resource::Queue, "") },
        Observed { errors: &waits, ..nothing(Resource::Network, "eth0") },
        Observed { utilisation: &busy, saturation: &some_waits, ..nothing(Resource::Cpu, "") },
    ];
    let expected = [
        (Resource::Cpu, "", Sign::Saturation),
        (Resource::Network, "eth0", Sign::Errors),
        (Resource::Queue, "", Sign::Saturation),
    ];
    assert_eq!(names(&bottlenecks(&all)), expected);
}

#[test]
fn noise_yields_nothing() {
    for seed in 0..1_000 {
        let mut rng = Rng::from_seed(seed);
        let mut series = |highest: f64| -> Vec<Option<f64>> {
            (0..WINDOW).map(|_| (!rng.chance(0.1)).then(|| highest * rng.unit_f64())).collect()
        };
        // Any utilisation with its usual peaks; waits that come and go.
        let kinds = [
            (Resource::Memory, 0.15),
            (Resource::Cpu, 0.3),
            (Resource::Disk, 3.0),
            (Resource::Gpu, 1.0),
            (Resource::Queue, 1.5),
            (Resource::Worker, 1.5),
            (Resource::TaskType, 1.0),
        ];
        let values = kinds.map(|(resource, highest)| (resource, series(1.0), series(highest), series(1.2)));
        let observed = values.each_ref().map(|(resource, utilisation, saturation, errors)| Observed {
            resource: *resource,
            subject: "",
            utilisation,
            saturation,
            errors,
        });
        assert_eq!(bottlenecks(&observed), [], "seed {seed}");
    }
}
