/** What the app knows about the story, in sections. */

import { Outline } from './Outline';
import { PassagePanel } from './PassagePanel';
import { ReadersPanel } from './ReadersPanel';
import { StructurePanel } from './StructurePanel';
import { DevicePanel } from './DevicePanel';

export function Analysis() {
  return (
    <div className="analysis" aria-label="Analysis">
      <PassagePanel />
      <StructurePanel />
      <ReadersPanel />
      <DevicePanel />
      <Outline />
    </div>
  );
}
