import { SocketPoll } from "../../src/net/socket_poll.ts";
import assert from "node:assert/strict";

const open = () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });

/** Blocks the event loop for some ms in the next turn, as a script may. */
const busy = (ms: number) =>
  setImmediate(() => {
    const began = performance.now();
    while (performance.now() - began < ms) { /* blocks */ }
  });

Deno.test("SocketPoll receives datagrams that arrived during a long turn, also after a late poll", async () => {
  const look = new SocketPoll(500);
  const [near, far] = [open(), open()];
  const buffer = new Uint8Array(1);
  let told = 0;
  const receiving = (async () => {
    for (;; told++) await near.receive(buffer);
  })().catch(() => {});
  const found = async () => {
    let count = 0;
    for (let i = 0; i < 50; i++) {
      const before = told;
      await far.send(buffer, near.addr);
      await look.now();
      if (told > before) count++;
    }
    return count;
  };
  assert.ok(await found() >= 45);
  for (let i = 0; i < 2; i++) {
    busy(600);
    await look.now();
  }
  assert.ok(await found() >= 45, "late polls do not delay later ones");
  look.close();
  look.close();
  near.close();
  far.close();
  await receiving;
});
