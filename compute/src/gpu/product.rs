//! One product on the device: upload, dispatch, read back, block by block.

use std::future::Future;
use std::ops::Range;

use futures_channel::oneshot;
use wgpu::BufferUsages;

use super::kernel::Tile;
use super::lost::Loss;
use super::plan::{BlockBytes, Plan, UNIFORM_BYTES};
use super::pool::{Lease, Reservation};
use super::{Failure, Gpu};
use crate::shape::Shape;

impl Gpu {
    /// Computes `c = a * b`. The lengths have been checked. After a failure `c` holds anything.
    ///
    /// Waits for room in the byte budget if other products are under way. Dropping the future abandons what follows the block
    /// under way, and leaves nothing behind.
    pub(crate) async fn multiply_into(
        &self,
        shape: Shape,
        a: &[f32],
        b: &[f32],
        c: &mut [f32],
    ) -> Result<(), Failure> {
        let plan = Plan::new(shape, &self.limits).ok_or(Failure::TooLarge)?;
        let reservation = self.pool.reserve(plan.reserved_bytes()).await;
        let (buffers, checked) = self.buffers(&reservation, plan.block_bytes());
        checked.await?;
        let (k, n) = (shape.k(), shape.n());
        for columns in plan.panels() {
            let packed;
            let panel = if columns.len() == n {
                b
            } else {
                packed = pack_columns(b, n, columns.clone());
                &packed
            };
            // The panel stays on the device while the bands go by.
            let mut panel = Some(panel);
            for rows in plan.bands() {
                self.check_alive()?;
                let block = Block { rows: rows.len(), k, columns: columns.len() };
                let (mapped, checked) =
                    self.submit(&buffers, block, &a[rows.start * k..rows.end * k], panel.take());
                // First of all: what was refused is never mapped.
                checked.await?;
                if !matches!(mapped.await, Ok(Ok(()))) {
                    return Err(self.failed_mapping());
                }
                let whole_rows = &mut c[rows.start * n..rows.end * n];
                read_back(buffers.readback.buffer(), block, whole_rows, n, columns.start)
                    .map_err(|_| self.failed_mapping())?;
            }
        }
        buffers.give_back();
        Ok(())
    }

    /// Nothing here waits: error scopes belong to the thread that opened them.
    fn buffers(
        &self,
        reservation: &Reservation,
        bytes: BlockBytes,
    ) -> (Buffers, impl Future<Output = Result<(), Failure>> + use<>) {
        let scopes = ErrorScopes::open(&self.device);
        let buffer = |usage, bytes| reservation.buffer(&self.device, usage, bytes);
        let buffers = Buffers {
            sizes: buffer(BufferUsages::UNIFORM | BufferUsages::COPY_DST, UNIFORM_BYTES),
            a: buffer(BufferUsages::STORAGE | BufferUsages::COPY_DST, bytes.a),
            b: buffer(BufferUsages::STORAGE | BufferUsages::COPY_DST, bytes.b),
            c: buffer(BufferUsages::STORAGE | BufferUsages::COPY_SRC, bytes.c),
            readback: buffer(BufferUsages::MAP_READ | BufferUsages::COPY_DST, bytes.c),
        };
        (buffers, scopes.close())
    }

    /// Nothing here waits either.
    fn submit(
        &self,
        buffers: &Buffers,
        block: Block,
        band: &[f32],
        panel: Option<&[f32]>,
    ) -> (
        oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>,
        impl Future<Output = Result<(), Failure>> + use<>,
    ) {
        let scopes = ErrorScopes::open(&self.device);
        let tile = Tile::for_block(block.rows, block.columns);
        let pipeline = self.kernels.pipeline(&self.device, tile);
        let bindings = [
            (&buffers.sizes, UNIFORM_BYTES),
            (&buffers.a, bytes(block.rows * block.k)),
            (&buffers.b, bytes(block.k * block.columns)),
            (&buffers.c, bytes(block.rows * block.columns)),
        ];
        let entries: Vec<_> =
            (0..).zip(&bindings).map(|(index, (lease, size))| lease.entry(index, *size)).collect();
        let bind_group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("matmul"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });

        self.queue.write_buffer(buffers.sizes.buffer(), 0, bytemuck::cast_slice(&block.sizes()));
        self.queue.write_buffer(buffers.a.buffer(), 0, bytemuck::cast_slice(band));
        if let Some(panel) = panel {
            self.queue.write_buffer(buffers.b.buffer(), 0, bytemuck::cast_slice(panel));
        }
        let mut encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("matmul") });
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups(groups(block.columns, tile), groups(block.rows, tile), 1);
        }
        let product_bytes = bytes(block.rows * block.columns);
        encoder.copy_buffer_to_buffer(
            buffers.c.buffer(),
            0,
            buffers.readback.buffer(),
            0,
            Some(product_bytes),
        );
        let submission = self.queue.submit([encoder.finish()]);

        let (resolve, mapped) = oneshot::channel();
        buffers.readback.buffer().map_async(wgpu::MapMode::Read, ..product_bytes, move |result| {
            // Nobody listens any more if the caller dropped the product.
            let _ = resolve.send(result);
        });
        #[cfg(not(target_arch = "wasm32"))]
        self.poller.wake_after(submission);
        #[cfg(target_arch = "wasm32")]
        let _ = submission;
        (mapped, scopes.close())
    }

    fn check_alive(&self) -> Result<(), Failure> {
        self.loss().map_or(Ok(()), |loss| Err(Failure::Lost(loss)))
    }

    /// A mapping of ours fails for one reason only.
    fn failed_mapping(&self) -> Failure {
        Failure::Lost(
            self.loss().unwrap_or_else(|| Loss {
                requested: false,
                detail: "its memory could not be read back".into(),
            }),
        )
    }
}

/// Copies a mapped block into its place in the rows of `C`.
fn read_back(
    buffer: &wgpu::Buffer,
    block: Block,
    whole_rows: &mut [f32],
    n: usize,
    first_column: usize,
) -> Result<(), wgpu::MapRangeError> {
    let view = buffer.get_mapped_range(..bytes(block.rows * block.columns))?;
    if block.columns == n {
        copy(&view, 0, whole_rows);
    } else {
        for (row, target) in whole_rows.chunks_exact_mut(n).enumerate() {
            copy(&view, row * block.columns, &mut target[first_column..][..block.columns]);
        }
    }
    drop(view);
    buffer.unmap();
    Ok(())
}

#[cfg(not(target_arch = "wasm32"))]
fn copy(view: &wgpu::BufferView, first: usize, target: &mut [f32]) {
    let target: &mut [u8] = bytemuck::cast_slice_mut(target);
    target.copy_from_slice(&view[first * size_of::<f32>()..][..target.len()]);
}

/// Reading a browser's mapping through a slice would copy all of it once more.
#[cfg(target_arch = "wasm32")]
#[expect(clippy::cast_possible_truncation, reason = "a mapping fits the 32-bit address space")]
fn copy(view: &wgpu::BufferView, first: usize, target: &mut [f32]) {
    let target: &mut [u8] = bytemuck::cast_slice_mut(target);
    let start = first * size_of::<f32>();
    view.as_uint8array().subarray(start as u32, (start + target.len()) as u32).copy_to(target);
}

fn pack_columns(b: &[f32], n: usize, columns: Range<usize>) -> Vec<f32> {
    b.chunks_exact(n).flat_map(|row| &row[columns.clone()]).copied().collect()
}

/// A block of `C` and the strips of `A` and `B` that make it.
#[derive(Debug, Clone, Copy)]
struct Block {
    rows: usize,
    k: usize,
    columns: usize,
}

impl Block {
    fn sizes(self) -> [u32; 4] {
        let size = |side: usize| u32::try_from(side).expect("a binding has fewer than 2^32 numbers");
        [size(self.rows), size(self.k), size(self.columns), 0]
    }
}

#[derive(Debug)]
struct Buffers {
    sizes: Lease,
    a: Lease,
    b: Lease,
    c: Lease,
    readback: Lease,
}

impl Buffers {
    fn give_back(self) {
        for lease in [self.sizes, self.a, self.b, self.c, self.readback] {
            lease.give_back();
        }
    }
}

impl Lease {
    fn entry(&self, binding: u32, bytes: u64) -> wgpu::BindGroupEntry<'_> {
        wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: self.buffer(),
                offset: 0,
                size: std::num::NonZeroU64::new(bytes),
            }),
        }
    }
}

/// Catches what goes wrong between opening and closing, which must be on one thread.
struct ErrorScopes {
    validation: wgpu::ErrorScopeGuard,
    memory: wgpu::ErrorScopeGuard,
}

impl ErrorScopes {
    fn open(device: &wgpu::Device) -> Self {
        let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
        Self { validation, memory: device.push_error_scope(wgpu::ErrorFilter::OutOfMemory) }
    }

    fn close(self) -> impl Future<Output = Result<(), Failure>> + use<> {
        let memory = self.memory.pop();
        let validation = self.validation.pop();
        async move {
            // What was made without memory is invalid to use: the first error is the cause.
            let (memory, validation) = (memory.await, validation.await);
            if memory.is_some() {
                return Err(Failure::OutOfMemory);
            }
            validation.map_or(Ok(()), |error| Err(Failure::Rejected(error.to_string())))
        }
    }
}

fn groups(side: usize, tile: Tile) -> u32 {
    u32::try_from(side.div_ceil(tile.edge())).expect("the plan keeps to the device's limit")
}

fn bytes(numbers: usize) -> u64 {
    numbers as u64 * size_of::<f32>() as u64
}
