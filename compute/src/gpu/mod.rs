//! A GPU device and the products that run on it.

mod acquire;
#[cfg(target_arch = "wasm32")]
mod browser;
mod kernel;
mod lost;
mod plan;
#[cfg(not(target_arch = "wasm32"))]
mod poller;
mod pool;
mod product;

use kernel::Kernels;
pub(crate) use lost::Loss;
use lost::LossFlag;
use plan::DeviceLimits;
use pool::BufferPool;

use crate::outcome::{Adapter, CpuReason};

/// One device, with everything that was made on it.
#[derive(Debug)]
pub(crate) struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    adapter: Adapter,
    limits: DeviceLimits,
    kernels: Kernels,
    pool: BufferPool,
    lost: LossFlag,
    #[cfg(not(target_arch = "wasm32"))]
    poller: poller::Poller,
}

/// Why a product didn't finish on the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    Lost(Loss),
    OutOfMemory,
    TooLarge,
    Rejected(String),
}

impl Gpu {
    pub(crate) fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    pub(crate) fn loss(&self) -> Option<Loss> {
        self.lost.loss()
    }

    /// Bytes of GPU memory that the buffers hold.
    pub(crate) fn held_bytes(&self) -> u64 {
        self.pool.held_bytes()
    }

    /// Destroys the device. Products under way fail, and with them nothing else.
    pub(crate) fn destroy(&self) {
        self.lost.set(Loss { requested: true, detail: "destroyed on request".into() });
        self.pool.clear();
        self.device.destroy();
    }
}

#[cfg(test)]
impl Gpu {
    pub(crate) fn pretend_loss(&self, loss: Loss) {
        self.lost.set(loss);
    }

    pub(crate) fn pretend_unlimited_workgroups(&mut self) {
        self.limits.workgroups = u32::MAX;
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        // In a browser neither buffers nor the device go away by being dropped.
        self.pool.clear();
        self.device.destroy();
    }
}

impl Failure {
    /// Whether the device may be used for further products.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Rejected(_))
    }
}

impl From<Failure> for CpuReason {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost(loss) => Self::DeviceLost { detail: loss.detail, requested: loss.requested },
            Failure::OutOfMemory => Self::OutOfMemory,
            Failure::TooLarge => Self::TooLargeForDevice,
            Failure::Rejected(detail) => Self::Rejected { detail },
        }
    }
}
