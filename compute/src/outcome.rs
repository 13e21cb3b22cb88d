//! What came out, where it ran, and why there.

use std::fmt;

/// A finished product.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// `C`, row-major.
    pub data: Vec<f32>,
    /// Which device computed it.
    pub ran_on: RanOn,
}

/// The device that computed a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RanOn {
    /// The WGSL kernel, on this adapter.
    Gpu(Adapter),
    /// The CPU twin, and why not the GPU.
    Cpu(CpuReason),
}

impl fmt::Display for RanOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gpu(adapter) => write!(f, "on the GPU: {adapter}"),
            Self::Cpu(reason) => write!(f, "on the CPU: {reason}"),
        }
    }
}

/// A GPU as its driver or browser describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adapter {
    /// Name for people. Browsers blur it on purpose; then vendor and architecture.
    pub name: String,
    /// API underneath: `vulkan`, `metal`, `dx12`, `gl` or `webgpu`.
    pub backend: String,
    /// Whether it is a software implementation of a GPU, such as llvmpipe or SwiftShader.
    pub fallback: bool,
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}{})", self.name, self.backend, if self.fallback { ", in software" } else { "" })
    }
}

/// Why a product ran on the CPU.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CpuReason {
    /// The caller asked for the CPU.
    Requested,
    /// So small that bringing it to the GPU and back takes longer than computing it.
    SmallProduct,
    /// The only adapter is a software implementation of a GPU, an order of magnitude slower than the CPU twin on the same cores.
    SoftwareAdapter,
    /// This [`Compute`](crate::Compute) was made not to use a GPU.
    Disabled,
    /// No WebGPU here: Node, an old browser, or a page without a secure context.
    NoWebGpu,
    /// There is an API, but no adapter for it.
    NoAdapter {
        /// What the API said.
        detail: String,
    },
    /// The adapter gave no device.
    DeviceRefused {
        /// What the adapter said.
        detail: String,
    },
    /// The device was there and is gone: driver reset, GPU unplugged, GPU process crashed, or destroyed on request.
    DeviceLost {
        /// What the driver or browser said.
        detail: String,
        /// Whether it was destroyed by [`Compute::lose_device`](crate::Compute::lose_device): then no call asks for a new one by itself.
        requested: bool,
    },
    /// The device had no memory left for this product. Later, smaller ones may find some.
    OutOfMemory,
    /// A single sum doesn't fit the device's limits or the byte budget.
    TooLargeForDevice,
    /// The device refused the kernel or its commands. It is not used again.
    Rejected {
        /// The validation error.
        detail: String,
    },
}

impl CpuReason {
    /// Stable code for callers in other languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::SmallProduct => "small-product",
            Self::SoftwareAdapter => "software-adapter",
            Self::Disabled => "disabled",
            Self::NoWebGpu => "no-webgpu",
            Self::NoAdapter { .. } => "no-adapter",
            Self::DeviceRefused { .. } => "device-refused",
            Self::DeviceLost { .. } => "device-lost",
            Self::OutOfMemory => "out-of-memory",
            Self::TooLargeForDevice => "too-large-for-device",
            Self::Rejected { .. } => "rejected",
        }
    }
}

impl fmt::Display for CpuReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested => f.write_str("the CPU was asked for"),
            Self::SmallProduct => f.write_str("the product is too small to be worth the way to the GPU"),
            Self::SoftwareAdapter => {
                f.write_str("the only GPU adapter is software, slower than the CPU twin on the same cores")
            }
            Self::Disabled => f.write_str("the GPU is switched off for this instance"),
            Self::NoWebGpu => f.write_str("this environment has no WebGPU"),
            Self::NoAdapter { detail } => write!(f, "there is no GPU adapter ({detail})"),
            Self::DeviceRefused { detail } => write!(f, "the GPU adapter refused a device ({detail})"),
            Self::DeviceLost { detail, .. } => write!(f, "the GPU device was lost ({detail})"),
            Self::OutOfMemory => f.write_str("the GPU ran out of memory"),
            Self::TooLargeForDevice => {
                f.write_str("the product exceeds what the GPU or the byte budget allows")
            }
            Self::Rejected { detail } => write!(f, "the GPU rejected the work ({detail})"),
        }
    }
}
