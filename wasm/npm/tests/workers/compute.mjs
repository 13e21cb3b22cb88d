import { compute } from 'quillwork/compute';
import { expose } from 'quillwork/worker';

expose({
  square: (n) => n * n,

  async multiply({ a, b, size, device }) {
    const kernels = await compute();
    return kernels.matmul(a, b, size, { device });
  },

  async similarity({ vectors, size }) {
    const kernels = await compute();
    return kernels.similarity(vectors, size, { device: 'cpu' });
  },

  async info() {
    const kernels = await compute();
    return kernels.info();
  },

  async sameTwice() {
    return (await compute()) === (await compute());
  },

  /** Loses the device before and while a product is under way, then asks for another one. */
  async loseDevice({ a, b, size }) {
    const kernels = await compute();
    const before = await kernels.matmul(a, b, size, { device: 'gpu' });
    kernels.loseDevice();
    const after = await kernels.matmul(a, b, size, { device: 'gpu' });
    const info = await kernels.reacquire();
    return { before, after, info };
  },

  async missing() {
    return compute({ wasm: new URL('./missing.wasm', import.meta.url) });
  },
});
