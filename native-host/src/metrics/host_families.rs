//! Families of the machine: processor, memory, tasks, and what measuring costs.

use quillwork_protocol::host::{Collector, Container, HostSnapshot};

use super::exposition::{Exposition, Kind, Sample};
use super::families::float;
use super::host_devices::{devices, of_each};

/// Everything about the machine.
pub(super) fn host_families(to: &mut Exposition, host: &HostSnapshot) {
    processor(to, host);
    pressure(to, host);
    memory(to, host);
    devices(to, host);
    tasks(to, host);
    sampler(to, host);
}

fn processor(to: &mut Exposition, host: &HostSnapshot) {
    let cpu = &host.cpu;
    let mut only = |name, kind, help, value: Option<f64>| to.family(name, kind, help, Sample::only(value));
    only(
        "quillwork_host_cpu_usage_ratio",
        Kind::Gauge,
        "Busy share of all cores together, 0 to 1.",
        cpu.total_ratio,
    );
    only(
        "quillwork_host_context_switches",
        Kind::Counter,
        "Context switches.",
        cpu.context_switches_total.map(float),
    );
    only("quillwork_host_interrupts", Kind::Counter, "Interrupts.", cpu.interrupts_total.map(float));
    only("quillwork_host_forks", Kind::Counter, "Processes and threads created.", cpu.forks_total.map(float));
    only("quillwork_host_tasks_runnable", Kind::Gauge, "Tasks that run or could.", cpu.runnable.map(float));
    only(
        "quillwork_host_tasks_blocked",
        Kind::Gauge,
        "Tasks that wait for input and output.",
        cpu.blocked.map(float),
    );
    let cores = cpu.core_ratios.len().max(cpu.core_hertz.len());
    let names: Vec<String> = (0..cores).map(|core| core.to_string()).collect();
    let of_cores = |values: &[Option<f64>]| -> Vec<Sample<'_>> {
        names.iter().zip(values).map(|(core, value)| Sample::new([("core", &**core)], *value)).collect()
    };
    to.family(
        "quillwork_host_cpu_core_usage_ratio",
        Kind::Gauge,
        "Busy share of each core, 0 to 1.",
        of_cores(&cpu.core_ratios),
    );
    to.family(
        "quillwork_host_cpu_frequency_hertz",
        Kind::Gauge,
        "Clock of each core.",
        of_cores(&cpu.core_hertz),
    );
    to.family(
        "quillwork_host_cpu_seconds",
        Kind::Counter,
        "Time of all cores in each mode. A guest's time is not in user.",
        cpu.mode_seconds_total
            .iter()
            .flat_map(|modes| modes.by_name())
            .map(|(mode, seconds)| Sample::new([("mode", mode)], seconds)),
    );
    to.family(
        "quillwork_host_load_average",
        Kind::Gauge,
        "Load average over the minutes that the label tells.",
        ["1", "5", "15"].into_iter().enumerate().map(|(index, minutes)| {
            Sample::new([("minutes", minutes)], cpu.load_averages.map(|load| load[index]))
        }),
    );
}

fn pressure(to: &mut Exposition, host: &HostSnapshot) {
    let resources = host.pressure.iter().flat_map(|pressures| {
        [("cpu", &pressures.cpu), ("memory", &pressures.memory), ("io", &pressures.io)]
    });
    let samples = resources.filter_map(|(resource, pressure)| Some((resource, pressure.as_ref()?))).flat_map(
        |(resource, pressure)| {
            let sample =
                |kind, seconds: Option<f64>| Sample::new([("resource", resource), ("kind", kind)], seconds);
            [
                sample("some", Some(pressure.some.seconds_total)),
                sample("full", pressure.full.as_ref().map(|full| full.seconds_total)),
            ]
        },
    );
    to.family(
        "quillwork_host_pressure_stalled_seconds",
        Kind::Counter,
        "Time in which some task, or all that had work, waited for a resource.",
        samples,
    );
}

fn memory(to: &mut Exposition, host: &HostSnapshot) {
    let memory = &host.memory;
    let known = |value: u64| memory.used_ratio.map(|_| value);
    let gauges = [
        (
            "quillwork_host_memory_size_bytes",
            "Memory, or the control group's limit.",
            known(memory.total_bytes),
        ),
        (
            "quillwork_host_memory_available_bytes",
            "Memory that programs could still take without swapping.",
            known(memory.available_bytes),
        ),
        ("quillwork_host_swap_size_bytes", "Swap space.", known(memory.swap_total_bytes)),
        ("quillwork_host_swap_used_bytes", "Swap space in use.", known(memory.swap_used_bytes)),
        (
            "quillwork_host_machine_memory_size_bytes",
            "Memory, whatever the limit.",
            memory.machine_total_bytes,
        ),
        ("quillwork_host_memory_free_bytes", "Memory used for nothing.", memory.free_bytes),
        ("quillwork_host_memory_cached_bytes", "Contents of files.", memory.cached_bytes),
        ("quillwork_host_memory_buffers_bytes", "Buffers of block devices.", memory.buffers_bytes),
        ("quillwork_host_memory_shared_bytes", "Shared memory and temporary files.", memory.shared_bytes),
        ("quillwork_host_memory_dirty_bytes", "Waits to be written to disk.", memory.dirty_bytes),
        ("quillwork_host_memory_writeback_bytes", "Is being written to disk.", memory.writeback_bytes),
        (
            "quillwork_host_memory_slab_reclaimable_bytes",
            "Kernel objects that can be dropped.",
            memory.slab_reclaimable_bytes,
        ),
        (
            "quillwork_host_memory_slab_unreclaimable_bytes",
            "Kernel objects that can't be dropped.",
            memory.slab_unreclaimable_bytes,
        ),
        ("quillwork_host_memory_committed_bytes", "Promised to programs.", memory.committed_bytes),
        ("quillwork_host_memory_huge_pages_bytes", "Set apart for huge pages.", memory.huge_total_bytes),
        ("quillwork_host_memory_huge_pages_free_bytes", "Huge pages not in use.", memory.huge_free_bytes),
    ];
    for (name, help, value) in gauges {
        to.family(name, Kind::Gauge, help, Sample::only(value.map(float)));
    }
    for (name, help, value) in [
        ("quillwork_host_swapped_in_bytes", "Read from swap space.", memory.swapped_in_bytes_total),
        ("quillwork_host_swapped_out_bytes", "Written to swap space.", memory.swapped_out_bytes_total),
        ("quillwork_host_oom_kills", "Processes killed for want of memory.", memory.oom_kills_total),
    ] {
        to.family(name, Kind::Counter, help, Sample::only(value.map(float)));
    }
}

fn tasks(to: &mut Exposition, host: &HostSnapshot) {
    let counts = host.process_counts.iter().flat_map(|counts| {
        [
            ("running", counts.running),
            ("uninterruptible", counts.uninterruptible),
            ("zombie", counts.zombies),
            ("all", counts.total),
        ]
    });
    to.family(
        "quillwork_host_processes",
        Kind::Gauge,
        "Processes in the state that the label tells.",
        counts.map(|(state, count)| Sample::new([("state", state)], f64::from(count))),
    );
    to.family(
        "quillwork_host_threads",
        Kind::Gauge,
        "Threads of all processes.",
        Sample::only(host.process_counts.as_ref().map(|counts| f64::from(counts.threads))),
    );
    let labels = |container: &'_ Container| {
        vec![("container", container.name.clone()), ("runtime", container.runtime.clone())]
    };
    of_each(
        to,
        &host.containers,
        labels,
        &[
            (
                "quillwork_host_container_cpu_cores",
                Kind::Gauge,
                "Processor time of the container in cores.",
                |container| container.cpu_of_core_ratio,
            ),
            ("quillwork_host_container_cpu_limit_cores", Kind::Gauge, "Cores of its quota.", |container| {
                container.cpu_limit_cores
            }),
            (
                "quillwork_host_container_throttled_ratio",
                Kind::Gauge,
                "Share of the time in which its quota held it back.",
                |container| container.throttled_ratio,
            ),
            ("quillwork_host_container_memory_bytes", Kind::Gauge, "Memory in use.", |container| {
                container.memory_bytes.map(float)
            }),
            ("quillwork_host_container_memory_limit_bytes", Kind::Gauge, "Its limit.", |container| {
                container.memory_limit_bytes.map(float)
            }),
        ],
    );
}

fn sampler(to: &mut Exposition, host: &HostSnapshot) {
    let sampler = &host.sampler;
    to.family(
        "quillwork_host_sample_timestamp_seconds",
        Kind::Gauge,
        "When the machine was measured; scrapes do not measure.",
        Sample::only(float(host.at_unix_millis) / 1_000.0),
    );
    to.family(
        "quillwork_sampler_tick_seconds",
        Kind::Gauge,
        "How long the last tick of the sampler took.",
        Sample::only(sampler.tick_millis / 1_000.0),
    );
    to.family("quillwork_sampler_ticks", Kind::Counter, "Ticks taken.", Sample::only(float(sampler.ticks)));
    to.family(
        "quillwork_sampler_missed_ticks",
        Kind::Counter,
        "Ticks that were late and skipped.",
        Sample::only(float(sampler.missed_ticks)),
    );
    of_each(
        to,
        &sampler.collectors,
        |collector: &Collector| vec![("collector", collector.name.clone())],
        &[
            (
                "quillwork_collector_success",
                Kind::Gauge,
                "Whether its last reading succeeded.",
                |collector| Some(f64::from(u8::from(collector.succeeded))),
            ),
            (
                "quillwork_collector_duration_seconds",
                Kind::Gauge,
                "How long its last reading took.",
                |collector| collector.duration_millis.map(|millis| millis / 1_000.0),
            ),
            ("quillwork_collector_age_seconds", Kind::Gauge, "How old its values are.", |collector| {
                collector.age_millis.map(|millis| millis / 1_000.0)
            }),
        ],
    );
    let own = sampler.process.as_ref();
    for (name, help, value) in [
        ("quillwork_self_cpu_cores", "What the host itself uses.", own.and_then(|own| own.cpu_of_core_ratio)),
        (
            "quillwork_self_resident_memory_bytes",
            "Resident memory of the host itself.",
            own.map(|own| float(own.memory_bytes)),
        ),
        (
            "quillwork_self_open_files",
            "Open files of the host itself.",
            own.and_then(|own| own.open_files).map(f64::from),
        ),
    ] {
        to.family(name, Kind::Gauge, help, Sample::only(value));
    }
}
