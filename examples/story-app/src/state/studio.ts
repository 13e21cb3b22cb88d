/** The parts of the app, put together once. */

import { createContext, useContext } from 'react';
import { MAX_DOCUMENT_BYTES } from '../story/document';
import type { OpenInput } from '../story/open';
import { Device } from './device';
import { Library } from './library';
import { Pool } from './pool';
import { Readers } from './readers';
import { Reading } from './reading';
import { createCaches, type StoryRuntime } from './runtime';
import { Settings } from './settings';
import sample from '../stories/the-tide-clock.ink?raw';

export class Studio {
  readonly settings = new Settings();
  readonly library: Library;
  readonly reading: Reading;
  readonly readers: Readers;
  readonly device: Device;
  readonly pool: Pool;

  constructor(runtime: StoryRuntime) {
    const caches = createCaches(runtime);
    this.reading = new Reading(runtime);
    this.readers = new Readers(runtime, caches);
    this.device = new Device(runtime);
    this.pool = new Pool(runtime);
    this.library = new Library(runtime, caches, (story) => {
      this.readers.reset();
      this.settings.colourBy('kind');
      void this.reading.begin(story);
    });
    this.#followReading();
  }

  /** The selection goes along with the reading until somebody selects another passage. */
  #followReading(): void {
    let before = -1;
    this.reading.store.subscribe(() => {
      const { current } = this.reading.store.get();
      const { selected } = this.library.store.get();
      if (current >= 0 && current !== before && (selected === before || before < 0)) this.library.select(current);
      before = current;
    });
  }

  open(input: OpenInput): void {
    void this.library.open(input);
  }

  openSample(): void {
    this.open({ name: 'the-tide-clock.ink', content: sample });
  }

  async openFile(file: File): Promise<void> {
    if (file.size > MAX_DOCUMENT_BYTES) {
      // Refused before it is read: a film dropped by mistake would fill the memory.
      this.library.reject(file.name, `It has ${Math.round(file.size / 1024 / 1024).toLocaleString()} MB; the largest story that opens here has 32 MB.`);
      return;
    }
    try {
      this.open({ name: file.name, content: new Uint8Array(await file.arrayBuffer()) });
    } catch (error) {
      this.library.reject(file.name, `The browser could not read it: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

const StudioContext = createContext<Studio | null>(null);
export const StudioProvider = StudioContext.Provider;

export function useStudio(): Studio {
  const studio = useContext(StudioContext);
  if (!studio) throw new Error('invariant: components stand inside StudioProvider');
  return studio;
}
