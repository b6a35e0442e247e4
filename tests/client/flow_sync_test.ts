import assert from "node:assert/strict";
import { FlowSync, type SyncedFlow } from "../../src/client/flow_sync.ts";

/** A stream's flows; a message `[0xff, id, count]` is a sync, any other is logged. */
function stream(names: string[]) {
  const sync = new FlowSync();
  const log: string[] = [];
  const flows = new Map<string, SyncedFlow>();
  for (const name of names) {
    const flow = sync.join((message) => {
      if (message[0] === 0xff) flow.arrive(message[1], message[2]);
      else log.push(`${name}${message[0]}`);
    });
    flows.set(name, flow);
  }
  return {
    log,
    push: (name: string, ...message: number[]) => flows.get(name)!.push(Uint8Array.from(message)),
    end: (name: string) => flows.get(name)!.end(() => log.push(`${name} ended`)),
  };
}
const SYNC = 0xff;

Deno.test("FlowSync holds messages after a sync until all flows have received the sync", () => {
  const { push, log } = stream(["d", "a", "v"]);
  push("d", 1);
  push("a", SYNC, 0, 3);
  push("a", 2);
  push("d", 3);
  push("v", SYNC, 0, 3);
  push("v", 4);
  assert.deepEqual(log, ["d1", "d3"]);
  push("d", SYNC, 0, 3);
  assert.deepEqual(log, ["d1", "d3", "a2", "v4"]);
  push("d", 5);
  push("a", 6);
  assert.deepEqual(log.slice(4), ["d5", "a6"]);
});

Deno.test("FlowSync applies a sync among held messages in order, and accepts its id again", () => {
  const { push, log } = stream(["a", "v"]);
  push("a", SYNC, 0, 2);
  push("a", 1);
  push("a", SYNC, 0, 2);
  push("a", 2);
  push("v", SYNC, 0, 2);
  assert.deepEqual(log, ["a1"]);
  push("v", 3);
  push("v", SYNC, 0, 2);
  assert.deepEqual(log, ["a1", "v3", "a2"]);
});

Deno.test("FlowSync does not wait for a flow that has ended", () => {
  const { push, end, log } = stream(["a", "v"]);
  push("a", SYNC, 7, 2);
  push("a", 1);
  end("v");
  assert.deepEqual(log, ["a1", "v ended"]);
});

Deno.test("FlowSync ends a flow after the messages that it holds for the flow", () => {
  const { push, end, log } = stream(["a", "v"]);
  push("a", SYNC, 7, 2);
  push("a", 1);
  end("a");
  assert.deepEqual(log, []);
  push("v", SYNC, 7, 2);
  assert.deepEqual(log, ["a1", "a ended"]);
});

Deno.test("FlowSync copies the messages that it holds, as the session reuses packet buffers", () => {
  const sync = new FlowSync();
  const seen: number[] = [];
  const flow = sync.join((message) => seen.push(message[0]));
  flow.arrive(1, 2);
  const packet = Uint8Array.of(5);
  flow.push(packet);
  packet[0] = 9;
  sync.join(() => {}).arrive(1, 2);
  assert.deepEqual(seen, [5]);
});
