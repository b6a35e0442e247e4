// A client of Flash remoting stays for a minute after its last call. WEB-603.
import assert from "node:assert/strict";
import { encodeAmf0 } from "../../src/amf/mod.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import { RemotingSession } from "../../src/web/remoting.ts";
import { world } from "../media/fakes.ts";

const MANAGE = 2_000;

/** A packet with one call without values. */
function packetOf(target: string): Uint8Array {
  const values = new Writer(16).u8(0x0a).u32(0).copy();
  const to = new Writer(64).u16(0).u16(0).u16(1);
  for (const text of [target, "/1"]) to.u16(text.length).bytes(toUtf8(text));
  return to.u32(values.length).bytes(values).copy();
}

Deno.test("A remoting client stays one client until 60 s after its last call", () => {
  const { hub, application } = world({
    call: (client) => {
      client.writer.result(encodeAmf0(7));
      return true;
    },
  });
  let over = 0;
  const session = new RemotingSession(hub, {
    rawId: new Uint8Array(32).fill(5),
    path: "",
    properties: new Map(),
    flashVersion: "",
    pageUrl: "",
    swfUrl: "",
    address: "192.0.2.1:1000",
    hostname: "192.0.2.1",
  }, () => over++);
  const pass = (milliseconds: number) => {
    for (const end = hub.now + milliseconds; hub.now < end;) {
      hub.now += MANAGE;
      hub.sessions.manage();
    }
  };
  for (let call = 0; call < 3; call++) {
    assert.ok(new TextDecoder().decode(session.answer(packetOf("f"))).includes("/1/onResult"));
    pass(58_000);
  }
  assert.deepEqual([over, hub.clients.size], [0, 1]);
  pass(4_000);
  assert.deepEqual([over, hub.clients.size, hub.sessions.size], [1, 0, 0]);
  assert.deepEqual(application.events, [
    "onConnection",
    "call f",
    "call f",
    "call f",
    "onDisconnection",
  ]);
});
