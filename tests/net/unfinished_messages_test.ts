import assert from "node:assert/strict";
import { UnfinishedMessage } from "../../src/net/unfinished_messages.ts";

const MIB = 1 << 20;

Deno.test("UnfinishedMessage closes an untrusted client beyond 192 KiB, but not a trusted one", () => {
  let ended = 0;
  const message = new UnfinishedMessage(() => ended++);
  message.add(192 << 10);
  message.control(0); // a ping has six bytes
  message.add(6);
  assert.equal(ended, 0);
  message.add(1);
  assert.equal(ended, 1);
  message.trusted = true;
  message.add(16 * MIB);
  message.finish();
  assert.equal(ended, 1);
});

Deno.test("UnfinishedMessage does not count pings and pongs", () => {
  let ended = 0;
  const message = new UnfinishedMessage(() => ended++);
  for (let i = 0; i < 100_000; i++) {
    message.add(6 + i % 126);
    message.control(i % 126);
  }
  assert.equal(ended, 0);
});

Deno.test("UnfinishedMessage closes the client with the largest message beyond 256 MiB in all", () => {
  const ended: number[] = [];
  const clients = Array.from({ length: 20 }, (_, i) => {
    const message = new UnfinishedMessage(() => ended.push(i));
    message.trusted = true;
    return message;
  });
  for (const [i, client] of clients.entries()) client.add(i === 3 ? 15 * MIB : 13 * MIB);
  assert.deepEqual(ended, [3]);
  for (const client of clients) client.finish();
  clients[0].add(200 * MIB);
  assert.deepEqual(ended, [3], "finished messages do not count");
  clients[0].finish();
});
