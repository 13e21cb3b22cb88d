//! From nothing to a device, or to the reason why there is none.

use std::sync::Arc;

use super::Gpu;
use super::kernel::Kernels;
use super::lost::{Loss, LossFlag};
use super::plan::{DeviceLimits, FLOPS_PER_SOFTWARE_SUBMISSION, FLOPS_PER_SUBMISSION};
use super::pool::BufferPool;
use crate::outcome::{Adapter, CpuReason};

impl Gpu {
    /// Asks for a device of its own.
    pub(crate) async fn acquire(power: wgpu::PowerPreference, budget_bytes: u64) -> Result<Self, CpuReason> {
        // wgpu panics where the global scope is neither a window nor a worker's, as in Node.
        #[cfg(target_arch = "wasm32")]
        if !super::browser::has_webgpu() {
            return Err(CpuReason::NoWebGpu);
        }
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let adapter = instance
            .request_adapter(&wgpu::RequestAdapterOptions {
                power_preference: power,
                force_fallback_adapter: false,
                compatible_surface: None,
                apply_limit_buckets: false,
            })
            .await
            .map_err(|error| CpuReason::NoAdapter { detail: error.to_string() })?;
        let offered = adapter.limits();
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("quillwork"),
                required_features: wgpu::Features::empty(),
                // Large buffers are the only limit that serves a matrix product.
                required_limits: wgpu::Limits {
                    max_buffer_size: offered.max_buffer_size,
                    max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
                    ..wgpu::Limits::downlevel_defaults()
                },
                experimental_features: wgpu::ExperimentalFeatures::disabled(),
                memory_hints: wgpu::MemoryHints::MemoryUsage,
                trace: wgpu::Trace::Off,
            })
            .await
            .map_err(|error| CpuReason::DeviceRefused { detail: error.to_string() })?;
        let lost = LossFlag::default();
        watch(&device, &lost);
        let limits = device.limits();
        let adapter = describe(&adapter, &device);
        Ok(Self {
            limits: DeviceLimits {
                binding_bytes: limits.max_storage_buffer_binding_size,
                buffer_bytes: limits.max_buffer_size,
                workgroups: limits.max_compute_workgroups_per_dimension,
                budget_bytes,
                flops_per_submission: if adapter.fallback {
                    FLOPS_PER_SOFTWARE_SUBMISSION
                } else {
                    FLOPS_PER_SUBMISSION
                },
            },
            adapter,
            kernels: Kernels::default(),
            pool: BufferPool::new(budget_bytes),
            lost,
            #[cfg(not(target_arch = "wasm32"))]
            poller: super::poller::Poller::spawn(device.clone()).map_err(|error| {
                CpuReason::DeviceRefused { detail: format!("no thread to drive it: {error}") }
            })?,
            device,
            queue,
        })
    }
}

fn watch(device: &wgpu::Device, lost: &LossFlag) {
    let flag = lost.clone();
    device.set_device_lost_callback(move |reason, message| {
        let detail = if message.is_empty() { format!("{reason:?}").to_lowercase() } else { message };
        // A request of ours has set the flag before it destroyed anything.
        flag.set(Loss { requested: false, detail });
    });
    // Without a handler wgpu panics on errors outside of every scope. Browsers only log them, and wgpu can't tell all of
    // theirs apart.
    if cfg!(not(target_arch = "wasm32")) {
        let flag = lost.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            flag.set(Loss { requested: false, detail: error.to_string() });
        }));
    }
}

#[cfg_attr(
    not(target_arch = "wasm32"),
    expect(unused_variables, reason = "only a browser's device knows more")
)]
fn describe(adapter: &wgpu::Adapter, device: &wgpu::Device) -> Adapter {
    let info = adapter.get_info();
    #[cfg(not(target_arch = "wasm32"))]
    let name = info.name;
    #[cfg(target_arch = "wasm32")]
    let name = if info.name.is_empty() { super::browser::adapter_name(device) } else { info.name };
    Adapter {
        name: if name.is_empty() { "unnamed adapter".into() } else { name },
        backend: match info.backend {
            wgpu::Backend::BrowserWebGpu => "webgpu".into(),
            backend => backend.to_str().into(),
        },
        fallback: info.device_type == wgpu::DeviceType::Cpu,
    }
}
