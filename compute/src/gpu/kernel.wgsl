// C = A * B in tiles of C. A workgroup of 16 x 16 threads walks along k in strips: each strip of A and of B is brought into
// shared memory once, and each thread multiplies a block of ROWS x COLUMNS from there, its sums in registers.
//
// ROWS, COLUMNS, TILE, STEP and the three marked parts are filled in by kernel.rs: what a loop over constants would do, unrolled,
// because a loop that the compiler doesn't unroll keeps the sums in memory.

struct Sizes {
    m: u32,
    k: u32,
    n: u32,
    unused: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

// One number of padding per row keeps rows in different banks of shared memory.
const A_STRIDE = STEP + 1u;
const B_STRIDE = TILE / 4u;

var<workgroup> strip_a: array<f32, TILE * A_STRIDE>;
var<workgroup> strip_b: array<vec4<f32>, STEP * B_STRIDE>;

// Beyond the edge of a matrix there are zeros.
fn a_at(row: u32, column: u32) -> f32 {
    if row < sizes.m && column < sizes.k {
        return a[row * sizes.k + column];
    }
    return 0.0;
}

fn b_at(row: u32, column: u32) -> f32 {
    if row < sizes.k && column < sizes.n {
        return b[row * sizes.n + column];
    }
    return 0.0;
}

fn store(row: u32, column: u32, value: f32) {
    if row < sizes.m && column < sizes.n {
        c[row * sizes.n + column] = value;
    }
}

@compute @workgroup_size(16, 16)
fn matmul(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) thread: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let first_row = group.y * TILE;
    let first_column = group.x * TILE;
    let row = thread.y * ROWS;

    //{{declare sums}}

    let strips = (sizes.k + STEP - 1u) / STEP;
    for (var strip = 0u; strip < strips; strip++) {
        let depth = strip * STEP;
        for (var i = index; i < TILE * STEP; i += 256u) {
            strip_a[i / STEP * A_STRIDE + i % STEP] = a_at(first_row + i / STEP, depth + i % STEP);
        }
        for (var i = index; i < STEP * B_STRIDE; i += 256u) {
            let step = depth + i / B_STRIDE;
            let column = first_column + i % B_STRIDE * 4u;
            strip_b[i] = vec4<f32>(
                b_at(step, column),
                b_at(step, column + 1u),
                b_at(step, column + 2u),
                b_at(step, column + 3u),
            );
        }
        workgroupBarrier();
        //{{accumulate}}
        workgroupBarrier();
    }

    //{{store sums}}
}
