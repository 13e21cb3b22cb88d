//! How many files the process may have open, connections among them.

/// Files that are no connections: the store, what is measured, logs, notifications.
#[cfg(unix)]
const OTHERS: usize = 128;

/// So many of the `wanted` connections may be open at a time. Raises the process's limit where that is allowed; what it
/// can't get is told. Connections never take the last files: measuring and keeping go on when clients are many.
#[cfg(unix)]
pub(crate) fn connections(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let whole = u64::try_from(wanted.saturating_add(OTHERS)).unwrap_or(u64::MAX);
    // None is no limit.
    let allowed = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
    let mut current = allowed(limit.current);
    if current < whole {
        let target = whole.min(allowed(limit.maximum));
        if setrlimit(Resource::Nofile, Rlimit { current: Some(target), maximum: limit.maximum }).is_ok() {
            current = target;
        }
    }
    let fit = usize::try_from(current).unwrap_or(usize::MAX).saturating_sub(OTHERS).max(1);
    if fit < wanted {
        tracing::warn!(
            "this process may open {current} files, so {fit} connections at a time instead of {wanted}; raise the limit \
             (LimitNOFILE, ulimit -n) or lower limits.connections"
        );
    }
    fit.min(wanted)
}

/// There is no such limit here.
#[cfg(not(unix))]
pub(crate) fn connections(wanted: usize) -> usize {
    wanted
}
