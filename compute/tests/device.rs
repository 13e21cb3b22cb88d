//! The kernel on a real adapter (a software one will do), and what happens without.
//!
//! Where there is no adapter, or `QUILLWORK_NO_GPU` is set, the tests that need one say so and check nothing but the fallback.

use std::future::Future;
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Waker};
use std::{env, thread};

use pollster::block_on;
use proptest::prelude::*;
use quillwork_compute::accuracy::{Sequence, error_ratio};
use quillwork_compute::{Compute, CpuReason, Device, Options, Outcome, Preference, RanOn, Shape, cpu};

fn with_gpu(options: Options) -> Option<Compute> {
    if env::var_os("QUILLWORK_NO_GPU").is_some() {
        eprintln!("not tested on a GPU: QUILLWORK_NO_GPU is set");
        return None;
    }
    let compute = block_on(Compute::with_options(options));
    match compute.adapter() {
        Ok(adapter) => {
            eprintln!("tested on {adapter}");
            Some(compute)
        }
        Err(reason @ CpuReason::NoAdapter { .. }) => {
            eprintln!("not tested on a GPU: {reason}");
            None
        }
        Err(reason) => panic!("there is an adapter, but {reason}"),
    }
}

fn gpu() -> Option<Compute> {
    with_gpu(Options::default())
}

struct Case {
    shape: Shape,
    a: Vec<f32>,
    b: Vec<f32>,
}

impl Case {
    fn new(m: usize, k: usize, n: usize, seed: u64) -> Self {
        let mut numbers = Sequence::new(seed);
        let shape = Shape::new(m, k, n).expect("no size is zero");
        Self { shape, a: numbers.take(m * k), b: numbers.take(k * n) }
    }

    async fn run(&self, compute: &Compute, device: Device) -> Outcome {
        let outcome = compute.matmul(self.shape, &self.a, &self.b, device).await;
        outcome.expect("the operands fit the shape")
    }

    fn assert_right_on_gpu(&self, outcome: &Outcome) {
        assert!(matches!(outcome.ran_on, RanOn::Gpu(_)), "{:?} ran {}", self.shape, outcome.ran_on);
        let ratio = error_ratio(self.shape, &self.a, &self.b, &outcome.data);
        assert!(ratio <= 1.0, "{:?} is {ratio} times the bound off", self.shape);
    }

    fn assert_twin(&self, outcome: &Outcome) {
        assert!(matches!(outcome.ran_on, RanOn::Cpu(_)), "{:?} ran {}", self.shape, outcome.ran_on);
        assert!(outcome.data == cpu::matmul(self.shape, &self.a, &self.b).expect("the operands fit"));
    }
}

#[test]
fn products_of_every_shape_are_within_the_error_bound() {
    let Some(compute) = gpu() else { return };
    proptest!(ProptestConfig::with_cases(64), |(m in 1_usize..150, k in 1_usize..150, n in 1_usize..150, seed: u64)| {
        let case = Case::new(m, k, n, seed);
        case.assert_right_on_gpu(&block_on(case.run(&compute, Device::Gpu)));
    });
}

#[test]
fn the_edges_of_both_tile_sizes_are_right() {
    let Some(compute) = gpu() else { return };
    for (m, k, n) in [
        (1, 1, 1),
        (1, 500, 1),
        (500, 1, 1),
        (1, 1, 500),
        (63, 15, 65),
        (64, 16, 64),
        (65, 17, 63),
        // Enough for tiles of 128 x 128, whole ones and cut ones.
        (128 * 12, 8, 128 * 11),
        (128 * 12 - 1, 9, 128 * 11 + 1),
    ] {
        let case = Case::new(m, k, n, 3);
        case.assert_right_on_gpu(&block_on(case.run(&compute, Device::Gpu)));
    }
}

#[test]
fn a_product_larger_than_the_byte_budget_is_computed_in_blocks_within_it() {
    let budget_bytes = 300 << 10;
    let Some(compute) = with_gpu(Options { budget_bytes, ..Options::default() }) else { return };
    for (m, k, n) in [(400, 100, 300), (3000, 20, 30), (30, 20, 3000)] {
        let case = Case::new(m, k, n, 5);
        case.assert_right_on_gpu(&block_on(case.run(&compute, Device::Gpu)));
        let held = compute.held_bytes();
        assert!((1..=budget_bytes).contains(&held), "{held} bytes held of {budget_bytes}");
    }
}

#[test]
fn sums_too_long_for_the_budget_run_on_the_cpu_and_the_device_stays() {
    let Some(compute) = with_gpu(Options { budget_bytes: 16 << 10, ..Options::default() }) else { return };
    let case = Case::new(2, 4000, 2, 6);
    let outcome = block_on(case.run(&compute, Device::Gpu));
    assert_eq!(outcome.ran_on, RanOn::Cpu(CpuReason::TooLargeForDevice));
    case.assert_twin(&outcome);
    let small = Case::new(2, 40, 2, 6);
    small.assert_right_on_gpu(&block_on(small.run(&compute, Device::Gpu)));
}

#[test]
fn buffers_are_reused_from_call_to_call() {
    let Some(compute) = gpu() else { return };
    let case = Case::new(100, 100, 100, 8);
    block_on(case.run(&compute, Device::Gpu));
    let held = compute.held_bytes();
    for _ in 0..5 {
        block_on(case.run(&compute, Device::Gpu));
    }
    assert_eq!(compute.held_bytes(), held);
}

#[test]
fn calls_at_the_same_time_share_the_device_and_the_budget() {
    // Room for one product at a time.
    let Some(compute) = with_gpu(Options { budget_bytes: 700 << 10, ..Options::default() }) else { return };
    thread::scope(|scope| {
        for seed in 0..4 {
            let compute = &compute;
            scope.spawn(move || {
                for round in 0..4 {
                    let case = Case::new(200, 50 + round, 200, seed);
                    case.assert_right_on_gpu(&block_on(case.run(compute, Device::Gpu)));
                }
            });
        }
    });
    assert!(compute.held_bytes() <= 700 << 10);
}

#[test]
fn a_product_whose_device_is_destroyed_under_way_completes_on_the_cpu() {
    // Many blocks, so that it can't be done yet.
    let Some(compute) = with_gpu(Options { budget_bytes: 128 << 10, ..Options::default() }) else { return };
    let case = Case::new(500, 60, 500, 11);
    let mut product = pin!(case.run(&compute, Device::Gpu));
    let first = product.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(first.is_pending(), "the first block is under way");
    compute.lose_device();
    let outcome = block_on(product);
    assert!(
        matches!(outcome.ran_on, RanOn::Cpu(CpuReason::DeviceLost { requested: true, .. })),
        "{}",
        outcome.ran_on
    );
    case.assert_twin(&outcome);

    let later = block_on(case.run(&compute, Device::Auto));
    assert!(matches!(later.ran_on, RanOn::Cpu(CpuReason::DeviceLost { .. })), "{}", later.ran_on);
    assert_eq!(compute.held_bytes(), 0);

    block_on(compute.reacquire()).expect("there was a device before");
    case.assert_right_on_gpu(&block_on(case.run(&compute, Device::Gpu)));
}

#[test]
fn a_caller_that_gives_up_leaves_the_device_to_the_next() {
    let Some(compute) = with_gpu(Options { budget_bytes: 128 << 10, ..Options::default() }) else { return };
    let case = Case::new(500, 60, 500, 12);
    {
        let mut product = pin!(case.run(&compute, Device::Gpu));
        assert!(product.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(compute.held_bytes(), 0);
    case.assert_right_on_gpu(&block_on(case.run(&compute, Device::Gpu)));
}

#[test]
fn the_caller_chooses_the_device_and_is_told_which_and_why() {
    let small = Case::new(8, 8, 8, 1);
    let disabled = block_on(Compute::new(Preference::CpuOnly));
    for device in [Device::Auto, Device::Gpu] {
        let outcome = block_on(small.run(&disabled, device));
        assert_eq!(outcome.ran_on, RanOn::Cpu(CpuReason::Disabled));
        small.assert_twin(&outcome);
    }
    assert_eq!(disabled.adapter(), Err(CpuReason::Disabled));
    assert_eq!(block_on(disabled.reacquire()), Err(CpuReason::Disabled));

    let Some(compute) = gpu() else { return };
    for (device, reason) in [(Device::Cpu, CpuReason::Requested), (Device::Auto, CpuReason::SmallProduct)] {
        let outcome = block_on(small.run(&compute, device));
        assert_eq!(outcome.ran_on, RanOn::Cpu(reason));
        small.assert_twin(&outcome);
    }
    let large = Case::new(256, 256, 256, 1);
    let outcome = block_on(large.run(&compute, Device::Auto));
    if compute.adapter().expect("it works").fallback {
        assert_eq!(outcome.ran_on, RanOn::Cpu(CpuReason::SoftwareAdapter));
        large.assert_twin(&outcome);
    } else {
        large.assert_right_on_gpu(&outcome);
    }
}

#[test]
fn without_an_adapter_everything_completes_on_the_cpu() {
    const CHILD: &str = "QUILLWORK_TEST_WITHOUT_ADAPTER";
    if env::var_os(CHILD).is_none() {
        // The choice of backends is read from the environment, and a process should not change its own.
        let foreign = if cfg!(target_vendor = "apple") { "dx12" } else { "metal" };
        let status = Command::new(env::current_exe().expect("a test is a file"))
            .args(["--exact", "without_an_adapter_everything_completes_on_the_cpu"])
            .env(CHILD, "1")
            .env("WGPU_BACKEND", foreign)
            .status()
            .expect("a test can be started again");
        assert!(status.success());
        return;
    }
    let compute = block_on(Compute::new(Preference::default()));
    let case = Case::new(20, 30, 10, 2);
    for device in [Device::Gpu, Device::Auto] {
        let outcome = block_on(case.run(&compute, device));
        assert!(matches!(outcome.ran_on, RanOn::Cpu(CpuReason::NoAdapter { .. })), "{}", outcome.ran_on);
        case.assert_twin(&outcome);
    }
}

#[test]
fn wrong_lengths_are_refused_before_any_device_is_bothered() {
    let compute = block_on(Compute::new(Preference::CpuOnly));
    let shape = Shape::new(2, 3, 4).expect("no size is zero");
    let refusal = block_on(compute.matmul(shape, &[0.0; 6], &[0.0; 11], Device::Auto)).unwrap_err();
    assert_eq!(refusal.code(), "ERR_SHAPE");
}

#[test]
fn a_product_may_move_between_threads() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let compute = block_on(Compute::new(Preference::CpuOnly));
    let case = Case::new(3, 3, 3, 1);
    let product = assert_send(compute.matmul(case.shape, &case.a, &case.b, Device::Auto));
    thread::scope(|scope| scope.spawn(|| block_on(product)).join())
        .expect("no panic")
        .expect("the shape fits");
}
