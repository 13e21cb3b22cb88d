//! How a product is cut up so that every piece fits the device.
//!
//! A product that is too large for one binding, for the byte budget, or for the patience of a driver's watchdog is cut into
//! blocks of `C`: bands of rows times panels of columns. The sums over k are never cut, so that every element is still one sum
//! with one error bound.

use std::ops::Range;

use super::kernel::Tile;
use super::pool::size_class;
use crate::shape::Shape;

/// What a device allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeviceLimits {
    /// Largest range of a buffer that a kernel may see.
    pub(crate) binding_bytes: u64,
    /// Largest buffer.
    pub(crate) buffer_bytes: u64,
    /// Largest number of workgroups in each direction.
    pub(crate) workgroups: u32,
    /// Bytes that all buffers of this device may take together.
    pub(crate) budget_bytes: u64,
    /// Operations that one submission may take, so that no watchdog believes the device hung.
    pub(crate) flops_per_submission: f64,
}

/// Blocks of at most `band_rows x panel_columns`, each one submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    shape: Shape,
    band_rows: usize,
    panel_columns: usize,
}

/// Bytes of each buffer that a block needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockBytes {
    pub(crate) a: u64,
    pub(crate) b: u64,
    pub(crate) c: u64,
}

impl Plan {
    /// The fewest blocks that the device allows, or none if even one row times one column is too much for it.
    pub(crate) fn new(shape: Shape, limits: &DeviceLimits) -> Option<Self> {
        let mut plan = Self { shape, band_rows: shape.m(), panel_columns: shape.n() };
        while let Some(excess) = plan.excess(limits) {
            let rows_first = match excess {
                Excess::Rows => true,
                Excess::Columns => false,
                Excess::Either => plan.band_rows >= plan.panel_columns,
            };
            let side = if rows_first { &mut plan.band_rows } else { &mut plan.panel_columns };
            if *side == 1 {
                let other = if rows_first { &mut plan.panel_columns } else { &mut plan.band_rows };
                if *other == 1 || !matches!(excess, Excess::Either) {
                    return None;
                }
                *other = halve(*other);
            } else {
                *side = halve(*side);
            }
        }
        Some(plan)
    }

    /// Column ranges of the panels, left to right.
    pub(crate) fn panels(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        ranges(self.shape.n(), self.panel_columns)
    }

    /// Row ranges of the bands, top to bottom.
    pub(crate) fn bands(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        ranges(self.shape.m(), self.band_rows)
    }

    /// Bytes of the largest block.
    pub(crate) fn block_bytes(&self) -> BlockBytes {
        let k = self.shape.k();
        BlockBytes {
            a: bytes(self.band_rows * k),
            b: bytes(k * self.panel_columns),
            c: bytes(self.band_rows * self.panel_columns),
        }
    }

    /// Bytes of all buffers of a block in the pool's size classes: `C` is there twice, to write and to read back.
    pub(crate) fn reserved_bytes(&self) -> u64 {
        let block = self.block_bytes();
        [block.a, block.b, block.c, block.c, UNIFORM_BYTES].into_iter().map(size_class).sum()
    }

    fn excess(&self, limits: &DeviceLimits) -> Option<Excess> {
        let block = self.block_bytes();
        let largest = limits.binding_bytes.min(limits.buffer_bytes);
        if size_class(block.a) > largest || groups(self.band_rows) > limits.workgroups {
            return Some(Excess::Rows);
        }
        if size_class(block.b) > largest || groups(self.panel_columns) > limits.workgroups {
            return Some(Excess::Columns);
        }
        let fits = size_class(block.c) <= largest
            && self.reserved_bytes() <= limits.budget_bytes
            && (self.block_flops() <= limits.flops_per_submission
                || (self.band_rows == 1 && self.panel_columns == 1));
        (!fits).then_some(Excess::Either)
    }

    #[expect(clippy::cast_precision_loss, reason = "compared with a round number")]
    fn block_flops(&self) -> f64 {
        2.0 * self.band_rows as f64 * self.shape.k() as f64 * self.panel_columns as f64
    }
}

/// What has to shrink.
enum Excess {
    Rows,
    Columns,
    Either,
}

/// Half, in whole tiles as long as there are any.
fn halve(side: usize) -> usize {
    let half = side.div_ceil(2);
    let tile = Tile::SMALL.edge();
    if half > tile { half.next_multiple_of(tile).min(side - 1) } else { half }
}

fn ranges(total: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    (0..total).step_by(step).map(move |start| start..total.min(start.saturating_add(step)))
}

/// Workgroups along a side, for the smaller tile.
fn groups(side: usize) -> u32 {
    u32::try_from(side.div_ceil(Tile::SMALL.edge())).unwrap_or(u32::MAX)
}

fn bytes(numbers: usize) -> u64 {
    numbers as u64 * size_of::<f32>() as u64
}

/// The kernel's shape arguments.
pub(crate) const UNIFORM_BYTES: u64 = 16;

/// Operating systems reset a device that is busy for some seconds, Windows after 2. On an integrated GPU with 200 GFLOP/s this takes a tenth.
pub(crate) const FLOPS_PER_SUBMISSION: f64 = (1_u64 << 34) as f64;

/// The same for an adapter in software, which does some tenths of a GFLOP/s.
pub(crate) const FLOPS_PER_SOFTWARE_SUBMISSION: f64 = (1_u64 << 28) as f64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOMY: DeviceLimits = DeviceLimits {
        binding_bytes: 128 << 20,
        buffer_bytes: 256 << 20,
        workgroups: 65_535,
        budget_bytes: 512 << 20,
        flops_per_submission: FLOPS_PER_SUBMISSION,
    };

    fn shape(m: usize, k: usize, n: usize) -> Shape {
        Shape::new(m, k, n).unwrap()
    }

    #[test]
    fn what_fits_is_one_block() {
        let plan = Plan::new(shape(1000, 300, 1000), &ROOMY).unwrap();
        assert_eq!((plan.bands().count(), plan.panels().count()), (1, 1));
    }

    #[test]
    fn a_large_left_factor_is_cut_into_bands_of_rows() {
        let plan = Plan::new(shape(1 << 20, 64, 4), &ROOMY).unwrap();
        assert!(plan.bands().count() > 1);
        assert_eq!(plan.panels().count(), 1);
    }

    #[test]
    fn a_large_right_factor_is_cut_into_panels_of_columns() {
        let plan = Plan::new(shape(4, 64, 1 << 20), &ROOMY).unwrap();
        assert_eq!(plan.bands().count(), 1);
        assert!(plan.panels().count() > 1);
    }

    #[test]
    fn long_work_is_cut_for_the_watchdog() {
        let plan = Plan::new(shape(4096, 4096, 4096), &ROOMY).unwrap();
        assert!(plan.bands().count() * plan.panels().count() >= 8);
        let software = DeviceLimits { flops_per_submission: FLOPS_PER_SOFTWARE_SUBMISSION, ..ROOMY };
        let plan = Plan::new(shape(1024, 1024, 1024), &software).unwrap();
        assert!(plan.bands().count() * plan.panels().count() >= 8);
    }

    #[test]
    fn sums_too_long_for_one_binding_have_no_plan() {
        let limits = DeviceLimits { binding_bytes: 4096, ..ROOMY };
        assert_eq!(Plan::new(shape(3, 2000, 3), &limits), None);
        let limits = DeviceLimits { budget_bytes: 1024, ..ROOMY };
        assert_eq!(Plan::new(shape(3, 2000, 3), &limits), None);
    }

    proptest! {
        #[test]
        fn blocks_cover_the_product_once_within_the_limits(
            m in 1_usize..3000, k in 1_usize..300, n in 1_usize..3000,
            binding_kib in 1_u64..256, budget_kib in 4_u64..1024, workgroups in 1_u32..40,
        ) {
            let limits = DeviceLimits {
                binding_bytes: binding_kib << 10, buffer_bytes: binding_kib << 10, workgroups, budget_bytes: budget_kib << 10,
                flops_per_submission: FLOPS_PER_SUBMISSION,
            };
            let Some(plan) = Plan::new(shape(m, k, n), &limits) else {
                // Even a single sum was too much.
                let single = Plan { shape: shape(m, k, n), band_rows: 1, panel_columns: 1 };
                prop_assert!(single.excess(&limits).is_some());
                return Ok(());
            };
            prop_assert!(plan.reserved_bytes() <= limits.budget_bytes);
            let block = plan.block_bytes();
            prop_assert!(block.a.max(block.b).max(block.c) <= limits.binding_bytes);
            for (total, pieces) in [(m, plan.bands().collect::<Vec<_>>()), (n, plan.panels().collect())] {
                let mut next = 0;
                for piece in pieces {
                    prop_assert_eq!(piece.start, next);
                    prop_assert!(groups(piece.len()) <= workgroups && !piece.is_empty());
                    next = piece.end;
                }
                prop_assert_eq!(next, total);
            }
        }
    }
}
