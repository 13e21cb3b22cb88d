//! What is read of each type of the protocol: all of it, or the fields that are shown and those that they are worked out from.

use quillwork_protocol::alert::{
    AlertState, AlertStatus, LevelInfo, MatcherInfo, MatcherKind, ObjectiveInfo, RuleInfo, SilenceInfo,
};
use quillwork_protocol::annotation::{Annotation, AnnotationList};
use quillwork_protocol::host::{
    Battery, BlockDevice, Cpu, Disk, Fan, Gpu, HostProcess, HostSnapshot, Machine, Memory, MemoryLimit,
    Network, Process, Sampler, Temperature,
};
use quillwork_protocol::insights::{
    BottleneckInfo, CapacityAdvice, CapacityInfo, CorrelationInfo, FullInfo, Insights, LimitKind, LimitSign,
    MissingInfo, TrendInfo, TrendState,
};
use quillwork_protocol::page::{Cache, LongTasks, PageSample, PageSource, Pool};
use quillwork_protocol::problem::Problem;
use quillwork_protocol::query::{QueryAnswer, QueryLine};
use quillwork_protocol::series::{SeriesAnswer, SeriesCatalogue, SeriesData, SeriesInfo, SeriesKind};
use quillwork_protocol::snapshot::{PageLink, PageSnapshot, Snapshot};
use quillwork_protocol::socket::{Ack, Welcome};
use serde_json::Value;

use super::{Faults, Fields, Json, means};

/// Reads the fields of a struct; after `or default` those that the host may leave out. With `others default` the
/// others stay as they are by default; without it there are none.
macro_rules! fields {
    ($type:ident { $($name:ident),* } $(or default { $($optional:ident),* })? $(, others $default:ident)?) => {
        impl Json for $type {
            fn read(tree: &Value, faults: &mut Faults) -> Self {
                let mut fields = Fields::of(tree, faults);
                Self {
                    $($name: fields.take(stringify!($name)),)*
                    $($($optional: fields.take_or_default(stringify!($optional)),)*)?
                    $(..Self::$default())?
                }
            }
        }
    };
}

/// Reads a variant by its name.
macro_rules! words {
    ($type:ident { $first:ident, $($variant:ident),* }) => {
        impl Json for $type {
            fn read(tree: &Value, faults: &mut Faults) -> Self {
                let word = tree.as_str().unwrap_or_default();
                $(if means(word, stringify!($variant)) {
                    return Self::$variant;
                })*
                if !means(word, stringify!($first)) {
                    faults.note("a word that this page knows");
                }
                Self::$first
            }
        }
    };
}

fields!(Snapshot { version, instance, sequence, host, pages, alerts });
fields!(PageSnapshot {
    source, link, last_heard_unix_millis, sample, response_p95_millis, error_ratio, dropped_samples
} or default {
    errors
});
words!(PageLink { Live, Lost, Closed });
fields!(AlertStatus {
    rule, subject, subject_name, summary, state, value, unit, since_unix_millis
} or default {
    warning_threshold, critical_threshold, fingerprint, labels, firing_since_unix_millis, culprit,
    look_first, acknowledged_by, muted_by
});
words!(AlertState { Ok, Pending, Warning, Critical, NoData });
fields!(RuleInfo {
    name,
    condition,
    series,
    unit,
    direction,
    warning,
    critical,
    keep_firing_millis,
    stale_after_millis,
    notify,
    look_first
});
fields!(LevelInfo { threshold, clear, for_millis });
fields!(ObjectiveInfo {
    rule,
    labels,
    objective,
    period_millis,
    attained,
    budget_left,
    events,
    bad_events,
    observed_millis,
    burn_rate_1h
});
fields!(MatcherInfo { label, kind, value });
words!(MatcherKind { Is, IsNot, Like, NotLike });
fields!(SilenceInfo { id, matchers, starts_unix_millis, ends_unix_millis, author, comment, active });
fields!(Annotation { id, at, text, tags } or default { until, source });
fields!(AnnotationList { server_unix_millis, annotations, next_cursor });
fields!(Insights {
    from_unix_millis,
    to_unix_millis,
    bottlenecks,
    trends,
    correlations,
    capacity,
    missing,
    damaged
});
words!(LimitKind { Memory, Cpu, Disk, Network, Gpu, Queue, Worker, TaskType });
words!(LimitSign { Saturation, Utilisation, Errors });
fields!(BottleneckInfo {
    resource, subject, sign, summary, look_first, over_millis, measured_millis, windows, window_millis,
    first_unix_millis, last_unix_millis, threshold, median, unit, confidence
} or default {
    source, source_name
});
fields!(TrendInfo {
    series,
    subject,
    state,
    summary,
    level_ratio,
    per_hour_ratio,
    lowest_per_hour_ratio,
    highest_per_hour_ratio,
    span_millis,
    full
});
words!(TrendState { Rising, Falling, None, Ended, TooFew });
fields!(FullInfo { earliest_unix_millis, likely_unix_millis, latest_unix_millis });
fields!(CorrelationInfo {
    source,
    source_name,
    series,
    summary,
    lag_seconds,
    strength,
    seconds,
    slow_seconds,
    chance
});
fields!(CapacityInfo {
    source,
    source_name,
    advice,
    summary,
    workers,
    target_millis,
    arrivals_per_second,
    mean_run_millis,
    run_scv,
    advised_workers,
    p95_millis,
    p95_at_most_millis,
    utilisation_ratio
});
words!(CapacityAdvice { Enough, More, Fewer, TasksTooSlow, NotByWorkers });
fields!(MissingInfo { about, reason });
fields!(PageSource { id, name });
fields!(PageSample {
    at_unix_millis, interval_millis, visible, frames_per_second, display_hertz, dropped_frame_ratio,
    long_tasks, heap_used_bytes, heap_limit_bytes, wasm_bytes, pool, cache
} or default {
    low_frames_per_second, user_agent_memory_bytes, gpu_millis, garbage_collections_estimate,
    telemetry_cost_ratio
}, others default);
fields!(LongTasks { count, total_millis, max_millis } or default { estimated });
fields!(Pool {
    workers,
    busy,
    queued,
    utilisation_ratio,
    completed,
    failed,
    aborted,
    timed_out,
    crashed,
    refused,
    redelivered,
    workers_lost
});
fields!(Cache { hits, misses, evictions, entries });
fields!(QueryAnswer { server_unix_millis, step_millis, start_unix_millis, lines } or default { damaged });
fields!(QueryLine { name, labels, unit } or default { values, points });
fields!(SeriesInfo { series, name, labels, kind, unit, step_millis, resolution });
words!(SeriesKind { Gauge, Counter, Sketch });
fields!(SeriesCatalogue { series });
fields!(SeriesAnswer { server_unix_millis, series });
fields!(Welcome { version, instance, server_unix_millis, resumed });
fields!(Ack { batch_id });
fields!(HostSnapshot {} or default {
    at_unix_millis, cpu, memory, disks, block_devices, networks, temperatures, fans, batteries, gpus,
    processes, machine, sampler
}, others default);
fields!(Machine {} or default {
    name, system, kernel, cpu_model, logical_cores, physical_cores, cpu_limit_cores,
    booted_at_unix_millis
});
fields!(Battery {} or default {
    name, level_ratio, is_charging, watts, volts, health_ratio, cycles, seconds_left
});
fields!(Cpu {} or default {
    total_ratio, core_ratios, load_averages, core_hertz, context_switches_total,
    context_switches_per_second, interrupts_total, interrupts_per_second, forks_total, forks_per_second,
    runnable, blocked
}, others default);
fields!(Disk {} or default {
    mount, name, file_system, total_bytes, available_bytes, free_bytes, inodes_total, inodes_free,
    is_read_only, is_stuck, read_bytes_per_second, written_bytes_per_second
});
fields!(BlockDevice {} or default {
    name, is_stacked, read_bytes_total, written_bytes_total, reads_total, writes_total,
    read_bytes_per_second, written_bytes_per_second, reads_per_second, writes_per_second,
    read_await_millis, write_await_millis, queue, busy_ratio, in_flight
});
fields!(Gpu {} or default {
    name, device, vendor, used_ratio, memory_total_bytes, memory_used_bytes, celsius, watts,
    limit_watts, core_hertz, memory_hertz, fan_rpm
});
fields!(Memory {} or default {
    total_bytes, available_bytes, used_ratio, swap_total_bytes, swap_used_bytes, machine_total_bytes,
    machine_available_bytes, limit, free_bytes, cached_bytes, buffers_bytes, shared_bytes, dirty_bytes,
    writeback_bytes, slab_reclaimable_bytes, slab_unreclaimable_bytes, committed_bytes,
    huge_total_bytes, huge_free_bytes, swapped_in_bytes_total, swapped_out_bytes_total,
    swapped_in_bytes_per_second, swapped_out_bytes_per_second, major_faults_per_second, oom_kills_total
});
fields!(MemoryLimit {} or default { group, bytes, used_bytes });
fields!(Network {} or default {
    name, is_stacked, is_up, speed_bits_per_second, received_bytes_total, sent_bytes_total,
    received_bytes_per_second, sent_bytes_per_second, received_packets_total, sent_packets_total,
    received_packets_per_second, sent_packets_per_second, errors_total, errors_per_second, drops_total,
    drops_per_second
});
fields!(Process {} or default {
    pid, name, cpu_of_core_ratio, cpu_of_machine_ratio, memory_bytes, read_bytes_per_second,
    written_bytes_per_second, threads, open_files
});
fields!(Sampler {} or default { ticks, missed_ticks, tick_millis, process }, others default);
fields!(HostProcess {} or default { cpu_of_core_ratio, memory_bytes, open_files, threads });
fields!(Temperature {} or default { label, device, celsius, high_celsius, critical_celsius });
fields!(Fan {} or default { label, device, rpm });
fields!(Problem { r#type, title, status, detail });

/// What it is stands beside its values.
impl Json for SeriesData {
    fn read(tree: &Value, faults: &mut Faults) -> Self {
        let info = Json::read(tree, faults);
        let mut fields = Fields::of(tree, faults);
        Self { info, start_unix_millis: fields.take("start_unix_millis"), values: fields.take("values") }
    }
}
