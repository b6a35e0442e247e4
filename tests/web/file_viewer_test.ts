import assert from "node:assert/strict";
import type { Recorded } from "../../src/media/recordings.ts";
import { FileViewer } from "../../src/web/file_viewer.ts";
import type { Viewing } from "../../src/web/flv_viewer.ts";
import { world } from "../media/fakes.ts";

Deno.test("FileViewer stops playing when a script stops it, and is closed by the door", () => {
  let listening: { output: { ended?(code: string, description: string): void } } | undefined;
  const { hub, events } = world({ subscribe: (_, listener) => void (listening = listener) });
  let closed = 0, over = 0;
  const recorded = { metadata: undefined, close: () => closed++ } as unknown as Recorded;
  const viewing: Viewing = {
    rawId: new Uint8Array(32),
    path: "",
    properties: new Map(),
    flashVersion: "",
    pageUrl: "",
    swfUrl: "",
    protocol: "http",
    address: "192.0.2.1:4000",
    hostname: "192.0.2.1",
    name: "film",
    wait: false,
    audio: true,
    video: true,
  };
  const viewer = new FileViewer(hub, viewing, recorded, () => over++);
  events();
  assert.equal(viewer.ended, false);
  listening!.output.ended!("Play.Stop", "");
  assert.equal(viewer.ended, true);
  assert.deepEqual(events(), ["onUnsubscribe film"]);
  assert.deepEqual([closed, over, hub.clients.size], [0, 0, 1]);
  viewer.close();
  assert.deepEqual(events(), ["onDisconnection"]);
  assert.deepEqual([closed, over, hub.clients.size], [1, 1, 0]);
});
