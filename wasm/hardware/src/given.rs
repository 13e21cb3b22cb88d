//! The hardware and the user's own values, as the caller wrote them: not a number is what is unknown, or not set.

use quillwork_abi::settings::Settings;
use quillwork_core::hardware::{ComputeTarget, Gpu, HardwareProfile, Overrides, Power, Wake};
use quillwork_core::time::Duration;

/// Reads: logical cores, physical cores, bytes of memory, the hint at them, graphics processor (0 absent, 1 software, 2 hardware), its
/// largest buffer in bytes, cross-origin isolated (0 or 1), power (0 mains, 1 battery), level of the battery.
pub(crate) fn profile(settings: &mut Settings<'_>) -> HardwareProfile {
    let logical_cores = count(settings);
    let physical_cores = count(settings);
    let memory_bytes = bytes(settings);
    let memory_hint_bytes = bytes(settings);
    let (gpu, max_buffer_bytes) = (count(settings), bytes(settings));
    let cross_origin_isolated = count(settings).map(|isolated| isolated != 0);
    let (power, level_ratio) = (count(settings), known(settings));
    HardwareProfile {
        logical_cores,
        physical_cores,
        memory_bytes,
        memory_hint_bytes,
        gpu: gpu.map(|gpu| match gpu {
            0 => Gpu::Absent,
            1 => Gpu::Software,
            _ => Gpu::Hardware { max_buffer_bytes },
        }),
        cross_origin_isolated,
        power: power.map(|power| if power == 0 { Power::Mains } else { Power::Battery { level_ratio } }),
    }
}

/// Reads a value for each setting, in the order of [`Setting::ALL`](quillwork_core::hardware::Setting::ALL); compute 0 is the CPU, wake 0
/// messages, prefetch is in milliseconds.
pub(crate) fn overrides(settings: &mut Settings<'_>) -> Overrides {
    Overrides {
        memory_budget_bytes: bytes(settings),
        cache_budget_bytes: bytes(settings),
        buffer_budget_bytes: bytes(settings),
        max_workers: count(settings),
        min_workers: count(settings),
        max_queued: count(settings),
        compute: count(settings).map(|gpu| if gpu == 0 { ComputeTarget::Cpu } else { ComputeTarget::Gpu }),
        wake: count(settings).map(|shared| if shared == 0 { Wake::Messages } else { Wake::SharedMemory }),
        batch_items: count(settings),
        batch_bytes: bytes(settings),
        gpu_batch_bytes: bytes(settings),
        prefetch: known(settings).map(Duration::from_millis_f64),
    }
}

fn known(settings: &mut Settings<'_>) -> Option<f64> {
    let number = settings.number();
    (!number.is_nan()).then_some(number)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats saturate, which suits counts"
)]
fn count(settings: &mut Settings<'_>) -> Option<u32> {
    known(settings).map(|number| number as u32)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats saturate, which suits bytes"
)]
fn bytes(settings: &mut Settings<'_>) -> Option<u64> {
    known(settings).map(|number| number as u64)
}
