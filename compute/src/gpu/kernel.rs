//! The WGSL kernel: its source for each tile size, and its compiled pipelines.

use std::fmt::Write as _;
use std::sync::OnceLock;

use super::plan::UNIFORM_BYTES;

/// Size of the block of `C` that one workgroup computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Rows and columns per thread, a multiple of 4.
    per_thread: usize,
    /// Steps of k per strip in shared memory.
    step: usize,
}

impl Tile {
    /// 64 x 64: more workgroups, so that small products still fill a device.
    pub(crate) const SMALL: Self = Self { per_thread: 4, step: 16 };
    /// 128 x 128: every number in shared memory is used twice as often.
    pub(crate) const LARGE: Self = Self { per_thread: 8, step: 8 };

    /// The tile that suits a block of `C`: the large one once it makes enough workgroups to fill a device.
    pub(crate) fn for_block(rows: usize, columns: usize) -> Self {
        let groups = rows.div_ceil(Self::LARGE.edge()) * columns.div_ceil(Self::LARGE.edge());
        if groups >= GROUPS_TO_FILL_A_DEVICE { Self::LARGE } else { Self::SMALL }
    }

    /// Rows and columns of the block.
    pub(crate) const fn edge(self) -> usize {
        self.per_thread * WORKGROUP_EDGE
    }

    fn source(self) -> String {
        let header = format!(
            "const ROWS = {0}u;\nconst TILE = {1}u;\nconst STEP = {2}u;\n",
            self.per_thread,
            self.edge(),
            self.step
        );
        let body = TEMPLATE
            .replace("//{{declare sums}}", &self.declare_sums())
            .replace("//{{accumulate}}", &self.accumulate())
            .replace("//{{store sums}}", &self.store_sums());
        header + &body
    }

    fn vectors(self) -> usize {
        self.per_thread / 4
    }

    fn declare_sums(self) -> String {
        let mut text = String::new();
        for (row, vector) in self.sums() {
            let _ = writeln!(text, "    var sum_{row}_{vector} = vec4<f32>();");
        }
        text
    }

    fn accumulate(self) -> String {
        let mut text = String::new();
        for step in 0..self.step {
            text.push_str("        {\n");
            for vector in 0..self.vectors() {
                // Neighbouring threads read neighbouring vectors.
                let first = vector * WORKGROUP_EDGE;
                let _ = writeln!(
                    text,
                    "            let b_{vector} = strip_b[{step}u * B_STRIDE + {first}u + thread.x];"
                );
            }
            for row in 0..self.per_thread {
                let _ =
                    writeln!(text, "            let a_{row} = strip_a[(row + {row}u) * A_STRIDE + {step}u];");
            }
            for (row, vector) in self.sums() {
                let _ = writeln!(text, "            sum_{row}_{vector} += a_{row} * b_{vector};");
            }
            text.push_str("        }\n");
        }
        text
    }

    fn store_sums(self) -> String {
        let mut text = String::new();
        for (row, vector) in self.sums() {
            let first = vector * WORKGROUP_EDGE * 4;
            for (lane, component) in ["x", "y", "z", "w"].into_iter().enumerate() {
                let _ = writeln!(
                    text,
                    "    store(first_row + row + {row}u, first_column + {first}u + thread.x * 4u + {lane}u, sum_{row}_{vector}.{component});"
                );
            }
        }
        text
    }

    fn sums(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.per_thread).flat_map(move |row| (0..self.vectors()).map(move |vector| (row, vector)))
    }
}

/// The pipelines of one device, each compiled when first used.
#[derive(Debug, Default)]
pub(crate) struct Kernels {
    small: OnceLock<wgpu::ComputePipeline>,
    large: OnceLock<wgpu::ComputePipeline>,
}

impl Kernels {
    pub(crate) fn pipeline(&self, device: &wgpu::Device, tile: Tile) -> &wgpu::ComputePipeline {
        let slot = if tile == Tile::SMALL { &self.small } else { &self.large };
        slot.get_or_init(|| compile(device, tile))
    }
}

fn compile(device: &wgpu::Device, tile: Tile) -> wgpu::ComputePipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("matmul"),
        source: wgpu::ShaderSource::Wgsl(tile.source().into()),
    });
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("matmul"),
        entries: &[
            entry(0, wgpu::BufferBindingType::Uniform, UNIFORM_BYTES),
            entry(1, wgpu::BufferBindingType::Storage { read_only: true }, 4),
            entry(2, wgpu::BufferBindingType::Storage { read_only: true }, 4),
            entry(3, wgpu::BufferBindingType::Storage { read_only: false }, 4),
        ],
    });
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some("matmul"),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("matmul"),
        layout: Some(&layout),
        module: &module,
        entry_point: Some("matmul"),
        // Every number of shared memory is written before it is read.
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    })
}

fn entry(binding: u32, ty: wgpu::BufferBindingType, smallest: u64) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: false,
            min_binding_size: std::num::NonZeroU64::new(smallest),
        },
        count: None,
    }
}

const TEMPLATE: &str = include_str!("kernel.wgsl");

/// Threads of a workgroup in each direction.
const WORKGROUP_EDGE: usize = 16;

/// Large devices have up to about 130 multiprocessors; below one workgroup for each of them, smaller tiles spread better.
const GROUPS_TO_FILL_A_DEVICE: usize = 128;
