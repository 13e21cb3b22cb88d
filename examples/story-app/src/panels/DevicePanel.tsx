/** This device: what its GPU and CPU do with a matrix product, and whether they agree. */

import { useState } from 'react';
import type { DeviceReport, DeviceRow } from '../tasks/device';
import { useStudio } from '../state/studio';
import { useStore } from '../state/store';

const SIZES = [128, 256, 512, 1024];

export function DevicePanel() {
  const { device } = useStudio();
  const { status, step, report, error, lost } = useStore(device.store, (state) => state);
  const [largest, setLargest] = useState(512);
  const sizes = SIZES.filter((size) => size <= largest);
  const running = status === 'running';
  return (
    <section className="card" aria-labelledby="device-title" data-testid="device" data-status={status}>
      <h2 id="device-title">This device</h2>
      <p className="why">The likeness of all passages is one matrix product. Here the same kernel runs on the GPU and on its CPU twin, and both are checked against a product in double precision.</p>
      <div className="row readers-form">
        <label>
          Up to
          <select data-testid="device-size" value={largest} disabled={running} onChange={(event) => setLargest(Number(event.target.value))}>
            {SIZES.map((size) => (
              <option key={size} value={size}>
                {size} × {size}
              </option>
            ))}
          </select>
        </label>
        <button type="button" className="button" data-testid="device-run" disabled={running} onClick={() => void device.measure(sizes)}>
          {running ? 'Measuring…' : 'Measure'}
        </button>
        {report && !report.gpu ? (
          <button type="button" className="button" data-testid="device-reacquire" disabled={running} onClick={() => void device.reacquire(sizes)}>
            Ask for the GPU again
          </button>
        ) : null}
        {report?.gpu ? (
          <button type="button" className="button" data-testid="device-lose" disabled={running} title="Destroys the device as a driver crash would, then measures again" onClick={() => void device.lose(sizes)}>
            Lose the device
          </button>
        ) : null}
      </div>
      <p className="step" aria-live="polite">
        {running ? step : ''}
      </p>
      {error ? (
        <p className="failure" role="alert">
          {error}
        </p>
      ) : null}
      {report ? <Report report={report} lost={lost} /> : null}
    </section>
  );
}

function Report({ report, lost }: { report: DeviceReport; lost: string | undefined }) {
  const last = report.rows[report.rows.length - 1];
  if (!last) return null;
  return (
    <div className="device-report">
      <p className="adapter" data-testid="device-adapter">
        <strong>{report.adapter || 'The CPU alone'}</strong>
        <small>
          {report.backend ? `${report.backend} · ` : ''}
          {report.isFallbackAdapter ? 'a software adapter · ' : ''}
          {sentence(report.reason)}
        </small>
      </p>
      {lost ? (
        <p className="remark" data-testid="device-lost">
          The device was destroyed: {lost}. The work went on.
        </p>
      ) : null}
      <table className="lengths">
        <thead>
          <tr>
            <th scope="col">Size</th>
            <th scope="col">GPU asked</th>
            <th scope="col">CPU twin</th>
            <th scope="col">apart by</th>
          </tr>
        </thead>
        <tbody>
          {report.rows.map((row) => (
            <tr key={row.size}>
              <th scope="row">{row.size}</th>
              <Cell row={row} kind="gpu" isLast={row === last} />
              <Cell row={row} kind="cpu" isLast={row === last} />
              <td>{row.gpuVsCpu === 0 ? 'nothing' : row.gpuVsCpu.toExponential(1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="fine" data-testid="device-max-error" data-vs-cpu={last.gpuVsCpu} data-vs-f64={last.vsF64} data-bound={last.bound}>
        At {last.size}: {last.vsF64.toExponential(1)} from the double-precision product on {last.rows} rows; rounding allows {last.bound.toExponential(1)}.{' '}
        {last.vsF64 <= last.bound ? 'Correct.' : 'That is more than rounding explains.'}
      </p>
      {last.gpu.ranOn === 'cpu' ? (
        <p className="remark" data-testid="device-fallback">
          The CPU answered for the GPU: {last.gpu.reason}.
        </p>
      ) : null}
    </div>
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function Cell({ row, kind, isLast }: { row: DeviceRow; kind: 'gpu' | 'cpu'; isLast: boolean }) {
  const run = row[kind];
  const faster = row.gpu.gflops >= row.cpu.gflops === (kind === 'gpu');
  return (
    <td data-faster={faster} {...(isLast ? { 'data-testid': `device-${kind}`, 'data-gflops': run.gflops.toFixed(3), 'data-ran-on': run.ranOn } : {})}>
      {run.gflops < 10 ? run.gflops.toFixed(2) : run.gflops.toFixed(0)} <abbr title="thousand million operations a second">GFLOP/s</abbr>
      {kind === 'gpu' && run.ranOn === 'cpu' ? <small> on the CPU</small> : null}
    </td>
  );
}
