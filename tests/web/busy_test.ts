// Requests to a busy application: remoting waits, then both get a 503.
import assert from "node:assert/strict";
import { encodeAmf0 } from "../../src/amf/mod.ts";
import type { DoorHost } from "../../src/server/doors.ts";
import { RemotingSessions } from "../../src/server/remoting_sessions.ts";
import { FlvViewer, NotViewable } from "../../src/web/flv_viewer.ts";
import { world } from "../media/fakes.ts";
import { remotingPacket } from "./support.ts";
import { viewing } from "./viewing.ts";

/** Sends a POST to an application that is busy for `busyFor` attempts of 2 s each. */
async function post(busyFor: number) {
  let attempts = 0;
  let places = 0;
  const { hub, application } = world({
    waits: (what) => what === "call" && attempts <= busyFor,
    call: (client) => {
      client.writer.result(encodeAmf0(7));
      return true;
    },
  });
  const host = {
    hub,
    now: () => hub.now,
    random: (length: number) => new Uint8Array(length).fill(attempts),
    input: (_what: string, action: () => void) => {
      attempts++;
      hub.now += 2_000;
      action();
    },
  };
  const sessions = new RemotingSessions(host as unknown as DoorHost);
  const request = new Request("http://localhost/", {
    method: "POST",
    headers: { "content-type": "application/x-amf" },
    body: remotingPacket("f"),
  });
  const place = () => {
    places++;
    return () => void places--;
  };
  const peer = { hostname: "192.0.2.1", port: 1000 };
  const response = await sessions.answer(request, "", peer, place);
  return { response, attempts, places, sessions: sessions.size, events: application.events };
}

Deno.test("A remoting call waits for a busy application, and runs once", async () => {
  const { response, attempts, places, sessions, events } = await post(2);
  assert.equal(response.status, 200);
  assert.match(response.cookie!, /^cumulus=/);
  assert.deepEqual([attempts, places, sessions], [3, 1, 1]);
  assert.deepEqual(events, ["onConnection", "call f"]);
});

Deno.test("A remoting call gets 503 from an application that stays busy, and keeps no place", async () => {
  const { response, attempts, places, sessions, events } = await post(Infinity);
  assert.deepEqual(response, { status: 503, body: "The application is busy: try again" });
  assert.deepEqual([attempts, places, sessions], [5, 0, 0]);
  assert.deepEqual(events, []);
});

Deno.test("A viewer gets 503 from a busy application, which keeps no state for it", () => {
  const { hub, application } = world({ waits: () => true });
  const view = () => new FlvViewer(hub, viewing({ wait: true }), { wake() {}, over() {} });
  assert.throws(view, (error) => error instanceof NotViewable && error.status === 503);
  assert.deepEqual([application.events, hub.clients.size, hub.sessions.size], [[], 0, 0]);
});
