// The release binary, started and stopped as an operator would.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const START_LIMIT_MILLIS = 60_000;
const STOP_LIMIT_MILLIS = 30_000;

/** A host that can be stopped and started again on the same port, with its data kept in between. */
export class Host {
  #process;
  #output = [];
  #dataDir;
  #flags;
  /** Where it listens, from the first start on. */
  url;

  constructor(flags = []) {
    this.#flags = flags;
  }

  get pid() {
    return this.#process?.pid;
  }

  /** All that it printed, over all starts. */
  get output() {
    return this.#output.join('\n');
  }

  get running() {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  async start() {
    const binary = process.env.QUILLWORK_HOST;
    if (!binary) throw new Error('QUILLWORK_HOST names no binary: run these tests by `cargo xtask test`');
    if (this.running) throw new Error('the host is running');
    this.#dataDir ??= await mkdtemp(join(tmpdir(), 'quillwork-host-'));
    const port = this.url === undefined ? '0' : new URL(this.url).port;
    const args = ['serve', '--port', port, '--bind', '127.0.0.1', '--data-dir', this.#dataDir, ...this.#flags];
    this.#process = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    createInterface({ input: this.#process.stderr }).on('line', (line) => this.#output.push(line));
    this.url = await this.#address();
    return this;
  }

  /** Resolves with the address of the line that says that it listens. */
  #address() {
    const child = this.#process;
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`the host did not start: ${why}\n${this.output}`));
      const timer = setTimeout(() => fail(`no address within ${START_LIMIT_MILLIS} ms`), START_LIMIT_MILLIS);
      child.once('error', (error) => fail(error.message));
      // The last of what it printed may come after its exit, not after this.
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        fail(`it ended with ${signal ?? code}`);
      });
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.#output.push(line);
        const address = /^Listening on (http:\S+)/.exec(line)?.[1];
        if (address !== undefined) {
          clearTimeout(timer);
          resolve(address.replace(/\/$/, ''));
        }
      });
    });
  }

  /** Asks it to end and gives its exit code. With SIGKILL it has no say. */
  async stop(signal = 'SIGTERM') {
    if (!this.running) return this.#process?.exitCode ?? null;
    const ended = once(this.#process, 'close');
    this.#process.kill(signal);
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_LIMIT_MILLIS);
    const [code, killedBy] = await ended;
    clearTimeout(timer);
    if (killedBy === 'SIGKILL' && signal !== 'SIGKILL') {
      throw new Error(`the host did not end within ${STOP_LIMIT_MILLIS} ms of ${signal}\n${this.output}`);
    }
    return code;
  }

  /** Stops it and removes its data. */
  async dispose() {
    await this.stop('SIGKILL');
    if (this.#dataDir !== undefined) await rm(this.#dataDir, { recursive: true, force: true });
  }
}
