import assert from "node:assert/strict";
import type { Hub } from "../../src/media/hub.ts";
import { BusSeekers } from "../../src/server/bus_seekers.ts";

Deno.test("BusSeekers frees the place of a failed search", async () => {
  let attached = 0;
  const hub = {
    publications: new Map(),
    subscriptions: {
      attach: () => {
        attached++;
        throw new Error("the hub has a fault");
      },
    },
  } as unknown as Hub;
  const input = (_what: string, action: () => void) => {
    try {
      action();
    } catch {
      // the server logs it
    }
  };
  const seekers = new BusSeekers({ hub, now: () => performance.now(), input });
  const searches = Array.from({ length: 300 }, (_, i) => seekers.seek(`first ${i}`));
  assert.equal(attached, 256);
  await Promise.all(searches);
  await seekers.seek("second");
  assert.equal(attached, 257);
});
