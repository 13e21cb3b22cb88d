//! The choice of the device, and what happens when it fails.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cpu;
use crate::error::ComputeError;
use crate::gpu::{Failure, Gpu};
use crate::outcome::{Adapter, CpuReason, Outcome, RanOn};
use crate::shape::Shape;

/// Which kind of GPU to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preference {
    /// The fastest: on machines with two, the discrete one.
    #[default]
    HighPerformance,
    /// The one that is kindest to the battery.
    LowPower,
    /// None. Everything runs on the CPU twin.
    CpuOnly,
}

/// Where one product shall run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// On the GPU if there is a real one (not one in software) and the product is worth the way there, [`WORTHWHILE_FLOPS`].
    #[default]
    Auto,
    /// On the GPU whatever its kind and the size; on the CPU still if there is none or it fails.
    Gpu,
    /// On the CPU.
    Cpu,
}

/// How to make a [`Compute`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Which kind of GPU to ask for.
    pub preference: Preference,
    /// Bytes that all GPU buffers may take together, idle ones included. Larger products are cut to fit; products at the same
    /// time wait for each other.
    pub budget_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { preference: Preference::default(), budget_bytes: DEFAULT_BUDGET_BYTES }
    }
}

/// Computes products on the best device there is.
///
/// Making one never fails and no product fails because of a GPU: without an adapter, with a refused or a lost device, or out of
/// GPU memory, the very same call completes on the CPU twin and its [`Outcome`] tells the reason.
///
/// A device that was lost without being asked is asked for again at later calls, at most [`MAX_REACQUIRES`] times.
///
/// Products at the same time are fine. The GPU part never blocks; the CPU twin computes inside the future's first poll or after the GPU's
/// failure, so run it where that is allowed: a Web Worker, or a thread for blocking work. Nothing here reads a clock; time the
/// calls where you make them.
///
/// ```
/// use quillwork_compute::{Compute, Device, Preference, RanOn, Shape};
///
/// # pollster::block_on(async {
/// let compute = Compute::new(Preference::CpuOnly).await;
/// let product = compute.matmul(Shape::new(1, 2, 1)?, &[3.0, 4.0], &[3.0, 4.0], Device::Auto).await?;
/// assert_eq!(product.data, [25.0]);
/// assert!(matches!(product.ran_on, RanOn::Cpu(_)));
/// # Ok::<(), quillwork_compute::ComputeError>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Compute {
    options: Options,
    state: Mutex<State>,
}

impl Compute {
    /// Asks for a GPU of the preferred kind.
    pub async fn new(preference: Preference) -> Self {
        Self::with_options(Options { preference, ..Options::default() }).await
    }

    /// Asks for a GPU, with every option.
    pub async fn with_options(options: Options) -> Self {
        let device = acquire(options).await;
        Self { options, state: Mutex::new(State { device, reacquires_left: MAX_REACQUIRES }) }
    }

    /// Computes `C = A * B`.
    ///
    /// On the CPU the result is that of [`cpu::matmul`], bit for bit. On a GPU every element is within the bound of
    /// [`accuracy`](crate::accuracy) of the true one; WGSL gives no guarantees for NaN and infinities in `a` or `b`.
    ///
    /// # Errors
    ///
    /// [`ComputeError`] if the operands don't fit the shape or `C` doesn't fit the memory.
    pub async fn matmul(
        &self,
        shape: Shape,
        a: &[f32],
        b: &[f32],
        device: Device,
    ) -> Result<Outcome, ComputeError> {
        shape.check_lengths(a, b)?;
        let mut data = shape.allocate_product()?;
        let reason = match self.choose(shape, device).await {
            Ok(gpu) => match gpu.multiply_into(shape, a, b, &mut data).await {
                Ok(()) => return Ok(Outcome { data, ran_on: RanOn::Gpu(gpu.adapter().clone()) }),
                Err(failure) => self.note_failure(&gpu, failure),
            },
            Err(reason) => reason,
        };
        cpu::multiply_into(shape, a, b, &mut data);
        Ok(Outcome { data, ran_on: RanOn::Cpu(reason) })
    }

    /// The GPU that [`Device::Gpu`] would run on now, or why there is none.
    ///
    /// # Errors
    ///
    /// The reason why products run on the CPU.
    pub fn adapter(&self) -> Result<Adapter, CpuReason> {
        self.lock().current().map(|gpu| gpu.adapter().clone())
    }

    /// Bytes of GPU memory held, in use or idle; never more than the budget.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        self.lock().device.as_ref().map_or(0, |gpu| gpu.held_bytes())
    }

    /// The options this was made with.
    #[must_use]
    pub const fn options(&self) -> Options {
        self.options
    }

    /// Destroys the device, as a driver reset would: products under way complete on the CPU, later ones run there.
    ///
    /// For tests and demonstrations, and to give the GPU's memory back. [`Compute::reacquire`] undoes it.
    pub fn lose_device(&self) {
        if let Ok(gpu) = &self.lock().device {
            gpu.destroy();
        }
    }

    /// Asks for a device anew if there is none, however it went and however often that was tried before.
    ///
    /// # Errors
    ///
    /// The reason why there is still none.
    pub async fn reacquire(&self) -> Result<Adapter, CpuReason> {
        if let Ok(adapter) = self.adapter() {
            return Ok(adapter);
        }
        let device = acquire(self.options).await;
        self.lock().install(device);
        self.adapter()
    }

    async fn choose(&self, shape: Shape, device: Device) -> Result<Arc<Gpu>, CpuReason> {
        match device {
            Device::Cpu => return Err(CpuReason::Requested),
            Device::Auto if shape.flops() < WORTHWHILE_FLOPS => {
                return Err(self.adapter().err().unwrap_or(CpuReason::SmallProduct));
            }
            Device::Auto | Device::Gpu => {}
        }
        let gpu = self.working_gpu().await?;
        if device == Device::Auto && gpu.adapter().fallback {
            return Err(CpuReason::SoftwareAdapter);
        }
        Ok(gpu)
    }

    /// The device there is, or a new one if that was lost by accident.
    async fn working_gpu(&self) -> Result<Arc<Gpu>, CpuReason> {
        {
            let mut state = self.lock();
            match state.current() {
                Ok(gpu) => return Ok(gpu),
                Err(reason) if !state.take_reacquire() => return Err(reason),
                Err(_) => {}
            }
        }
        let device = acquire(self.options).await;
        let mut state = self.lock();
        // If it failed the first reason stands: it tells what happened, and a later call may try again.
        if device.is_ok() {
            state.install(device);
        }
        state.current()
    }

    fn note_failure(&self, gpu: &Arc<Gpu>, failure: Failure) -> CpuReason {
        let is_final = failure.is_final();
        let reason = CpuReason::from(failure);
        let mut state = self.lock();
        // Another call may have put a new device there meanwhile.
        let is_current = state.device.as_ref().is_ok_and(|current| Arc::ptr_eq(current, gpu));
        if is_final && is_current {
            state.device = Err(reason.clone());
        }
        reason
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is a single assignment: a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct State {
    device: Result<Arc<Gpu>, CpuReason>,
    reacquires_left: u32,
}

impl State {
    /// The device, unless it was lost since it was last looked at.
    fn current(&mut self) -> Result<Arc<Gpu>, CpuReason> {
        if let Some(loss) = self.device.as_ref().ok().and_then(|gpu| gpu.loss()) {
            self.device = Err(Failure::Lost(loss).into());
        }
        self.device.clone()
    }

    fn take_reacquire(&mut self) -> bool {
        let worthwhile = matches!(self.device, Err(CpuReason::DeviceLost { requested: false, .. }));
        if worthwhile && self.reacquires_left > 0 {
            self.reacquires_left -= 1;
            return true;
        }
        false
    }

    /// If two calls asked at the same time the first device wins, and the other one destroys itself.
    fn install(&mut self, device: Result<Arc<Gpu>, CpuReason>) {
        if self.current().is_err() {
            self.device = device;
        }
    }
}

async fn acquire(options: Options) -> Result<Arc<Gpu>, CpuReason> {
    let power = match options.preference {
        Preference::HighPerformance => wgpu::PowerPreference::HighPerformance,
        Preference::LowPower => wgpu::PowerPreference::LowPower,
        Preference::CpuOnly => return Err(CpuReason::Disabled),
    };
    let gpu = Gpu::acquire(power, options.budget_bytes).await?;
    #[cfg_attr(
        target_arch = "wasm32",
        expect(clippy::arc_with_non_send_sync, reason = "natively it is both, and one type serves both")
    )]
    Ok(Arc::new(gpu))
}

/// Floating-point operations from which [`Device::Auto`] takes the GPU: a product of 256 x 256 x 256. Below it the CPU twin is done in the
/// milliseconds that uploading, waking and reading back take.
pub const WORTHWHILE_FLOPS: f64 = (1_u32 << 25) as f64;

/// How often a [`Compute`] asks for a new device by itself after losing one.
pub const MAX_REACQUIRES: u32 = 3;

/// Budget for GPU buffers unless told otherwise: 256 MiB, a quarter of the browser's own default budget for a page.
pub const DEFAULT_BUDGET_BYTES: u64 = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::Loss;

    async fn compute() -> Option<Compute> {
        let compute = Compute::new(Preference::default()).await;
        match compute.adapter() {
            Ok(_) => Some(compute),
            Err(reason @ CpuReason::NoAdapter { .. }) => {
                eprintln!("not tested on a GPU: {reason}");
                None
            }
            Err(reason) => panic!("there is an adapter, but {reason}"),
        }
    }

    async fn run(compute: &Compute) -> RanOn {
        let shape = Shape::new(1, 2, 1).expect("no size is zero");
        let outcome = compute.matmul(shape, &[1.0, 2.0], &[3.0, 4.0], Device::Gpu).await;
        let outcome = outcome.expect("the operands fit the shape");
        assert_eq!(outcome.data, [11.0]);
        outcome.ran_on
    }

    #[test]
    fn a_device_lost_by_accident_is_replaced_a_bounded_number_of_times() {
        pollster::block_on(async {
            let Some(compute) = compute().await else { return };
            for _ in 0..MAX_REACQUIRES {
                let gpu = compute.lock().current().expect("the device works");
                gpu.pretend_loss(Loss { requested: false, detail: "driver reset".into() });
                assert!(matches!(run(&compute).await, RanOn::Gpu(_)));
            }
            let gpu = compute.lock().current().expect("the device works");
            gpu.pretend_loss(Loss { requested: false, detail: "driver reset".into() });
            let lost = CpuReason::DeviceLost { detail: "driver reset".into(), requested: false };
            assert_eq!(run(&compute).await, RanOn::Cpu(lost));
        });
    }

    #[test]
    fn a_device_that_rejects_the_work_is_given_up_and_the_product_completes() {
        pollster::block_on(async {
            let Some(compute) = compute().await else { return };
            // Believing in more workgroups than the device has leads to a dispatch that it must refuse.
            let mut gpu = Gpu::acquire(wgpu::PowerPreference::default(), DEFAULT_BUDGET_BYTES)
                .await
                .expect("there was a device a moment ago");
            gpu.pretend_unlimited_workgroups();
            compute.lock().device = Ok(Arc::new(gpu));
            let rows = 65_536 * 128;
            let shape = Shape::new(rows, 1, 1).expect("no size is zero");
            let outcome = compute.matmul(shape, &vec![2.0; rows], &[3.0], Device::Gpu).await;
            let outcome = outcome.expect("the operands fit the shape");
            assert!(matches!(outcome.ran_on, RanOn::Cpu(CpuReason::Rejected { .. })), "{:?}", outcome.ran_on);
            assert!(outcome.data == vec![6.0; rows]);
            assert!(matches!(run(&compute).await, RanOn::Cpu(CpuReason::Rejected { .. })));
        });
    }
}
