//! GFLOP/s of the GPU kernel and of the CPU twin, beside three nested loops and the crate `matrixmultiply`.
//!
//! `cargo run --release -p quillwork-compute --example gflops [-- EDGE...]`
//!
//! Every round runs each contestant once, so that what slows the machine down slows all of them. A rate is the median over the rounds;
//! the spread is the distance between the quartiles. Times of the GPU include bringing the operands there and the product back.
//! `matrixmultiply` runs on one thread.
//!
//! Lines that begin with `BENCH` are for `cargo xtask bench`: the median over the rounds of our time over the peer's, and the range.

use std::env;
use std::hint::black_box;
use std::time::{Duration, Instant};

use quillwork_compute::accuracy::{Sequence, error_ratio};
use quillwork_compute::{Compute, Device, Preference, RanOn, Shape, cpu};

fn main() {
    let edges = match env::args().skip(1).map(|edge| edge.parse()).collect::<Result<Vec<usize>, _>>() {
        Ok(edges) if edges.is_empty() => vec![128, 256, 512, 1024],
        Ok(edges) if !edges.contains(&0) => edges,
        _ => {
            eprintln!(
                "usage: gflops [EDGE...]   sizes of square matrices, at least 1, such as 256 1024 4096"
            );
            std::process::exit(2);
        }
    };
    pollster::block_on(compare(&edges));
}

async fn compare(edges: &[usize]) {
    let compute = Compute::new(Preference::HighPerformance).await;
    match compute.adapter() {
        Ok(adapter) => println!("GPU: {adapter}"),
        Err(reason) => println!("GPU: none, {reason}"),
    }
    let emulated = compute.adapter().is_ok_and(|adapter| adapter.fallback);
    for &edge in edges {
        let shape = Shape::new(edge, edge, edge).expect("edges are at least 1 and matrices fit");
        let mut numbers = Sequence::new(edge as u64);
        let (a, b) = (numbers.take(edge * edge), numbers.take(edge * edge));
        if compute.adapter().is_ok() {
            check(&compute, shape, &a, &b).await;
        }
        let mut contestants = [
            Contestant::new("three loops"),
            Contestant::new("matrixmultiply"),
            Contestant::new("CPU twin"),
            Contestant::new("GPU kernel"),
        ];
        let rounds = rounds(shape.flops());
        for round in 0..=rounds {
            for (index, contestant) in contestants.iter_mut().enumerate() {
                let start = Instant::now();
                match index {
                    // Seconds per round beyond these; what they show is seen before.
                    0 if edge > 512 => continue,
                    3 if emulated && edge > 256 => continue,
                    0 => drop(black_box(three_loops(shape, &a, &b))),
                    1 => drop(black_box(peer(shape, &a, &b))),
                    2 => drop(black_box(cpu::matmul(shape, &a, &b).expect("the operands fit"))),
                    _ => {
                        let outcome = compute.matmul(shape, &a, &b, Device::Gpu).await;
                        if matches!(outcome.expect("the operands fit").ran_on, RanOn::Cpu(_)) {
                            continue;
                        }
                    }
                }
                // The first round warms up caches, pools and pipelines.
                if round > 0 {
                    contestant.times.push(start.elapsed());
                }
            }
        }
        report(edge, shape.flops(), rounds, &mut contestants);
    }
}

async fn check(compute: &Compute, shape: Shape, a: &[f32], b: &[f32]) {
    // The comparison in f64 takes a hundred times longer than the product.
    if shape.flops() > 1e9 {
        let twin = cpu::matmul(shape, a, b).expect("the operands fit");
        let gpu = compute.matmul(shape, a, b, Device::Gpu).await.expect("the operands fit");
        let difference = twin.iter().zip(&gpu.data).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        println!("{}: {}, at most {difference:e} from the CPU twin", shape.m(), gpu.ran_on);
        return;
    }
    let outcome = compute.matmul(shape, a, b, Device::Gpu).await.expect("the operands fit");
    let ratio = error_ratio(shape, a, b, &outcome.data);
    println!("{}: {}, error {ratio:.4} of the bound", shape.m(), outcome.ran_on);
    assert!(ratio <= 1.0, "the product is wrong");
}

struct Contestant {
    name: &'static str,
    times: Vec<Duration>,
}

impl Contestant {
    const fn new(name: &'static str) -> Self {
        Self { name, times: Vec::new() }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a small range")]
fn rounds(flops: f64) -> usize {
    (2e10 / flops).clamp(5.0, 60.0) as usize
}

fn report(edge: usize, flops: f64, rounds: usize, contestants: &mut [Contestant]) {
    println!("{edge} x {edge} x {edge}, {rounds} rounds");
    let [_, peer, twin, gpu] = &*contestants else { unreachable!("there are four contestants") };
    bench(edge, twin, peer);
    bench(edge, gpu, twin);
    for contestant in contestants.iter_mut() {
        contestant.times.sort_unstable();
    }
    let rate = |time: Duration| flops / time.as_secs_f64() / 1e9;
    let middle = |times: &[Duration]| times.get(times.len() / 2).copied();
    let peer = middle(&contestants[1].times).expect("the peer always runs");
    for Contestant { name, times } in contestants.iter() {
        let Some(median) = middle(times) else { continue };
        let (slow, fast) = (rate(times[times.len() * 3 / 4]), rate(times[times.len() / 4]));
        println!(
            "  {name:15} {:9.2} GFLOP/s  (quartiles {slow:.2} to {fast:.2})  {:6.2} x matrixmultiply",
            rate(median),
            rate(median) / rate(peer),
        );
    }
}

/// One line of JSON. Both took part in the same rounds, or ours in none.
fn bench(edge: usize, ours: &Contestant, theirs: &Contestant) {
    let seconds =
        |contestant: &Contestant| contestant.times.iter().map(Duration::as_secs_f64).collect::<Vec<_>>();
    let middle = |mut values: Vec<f64>| {
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let ratios: Vec<f64> =
        seconds(ours).iter().zip(seconds(theirs)).map(|(ours, theirs)| ours / theirs).collect();
    let (low, high) =
        (ratios.iter().copied().fold(f64::INFINITY, f64::min), ratios.iter().copied().fold(0.0, f64::max));
    let (Some(ratio), Some(mine), Some(peers)) =
        (middle(ratios), middle(seconds(ours)), middle(seconds(theirs)))
    else {
        return;
    };
    println!(
        r#"BENCH {{"name":"{edge} x {edge} matrices, {}","peer":"{}","ratio":{ratio},"low":{low},"high":{high},"ours":{},"theirs":{},"unit":"ms"}}"#,
        ours.name,
        theirs.name,
        mine * 1e3,
        peers * 1e3,
    );
}

fn three_loops(shape: Shape, a: &[f32], b: &[f32]) -> Vec<f32> {
    let (k, n) = (shape.k(), shape.n());
    let mut c = vec![0.0; shape.product_len()];
    for row in 0..shape.m() {
        for column in 0..n {
            let mut sum = 0.0_f32;
            for step in 0..k {
                sum += a[row * k + step] * b[step * n + column];
            }
            c[row * n + column] = sum;
        }
    }
    c
}

#[expect(unsafe_code, reason = "the peer's only interface is raw pointers")]
fn peer(shape: Shape, a: &[f32], b: &[f32]) -> Vec<f32> {
    shape.check_lengths(a, b).expect("the operands fit");
    let (m, k, n) = (shape.m(), shape.k(), shape.n());
    let mut c = vec![0.0_f32; m * n];
    let stride = |columns: usize| isize::try_from(columns).expect("matrices fit the address space");
    // SAFETY: the lengths were checked, the strides are those of row-major matrices of these sizes, and c is not aliased.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.as_ptr(),
            stride(k),
            1,
            b.as_ptr(),
            stride(n),
            1,
            0.0,
            c.as_mut_ptr(),
            stride(n),
            1,
        );
    }
    c
}
