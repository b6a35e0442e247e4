import assert from "node:assert/strict";
import type { Address } from "../../src/common/address.ts";
import type { DatagramHandler, DatagramSocket } from "../../src/net/datagram_socket.ts";
import { newCounters } from "../../src/net/datagram_socket.ts";
import { Loop, type Machine } from "../../src/server/loop.ts";
import { PATIENCE, sleep, until } from "../support/wait.ts";

const from: Address = { hostname: "192.0.2.1", port: 5 };

/** A socket whose datagrams come from the test. */
class TestSocket implements DatagramSocket {
  readonly name = "test";
  readonly address = { hostname: "::", port: 1 };
  readonly counters = newCounters();
  pending = 0;
  room = 1;
  flushes = 0;
  handler: DatagramHandler | undefined;
  #end: (() => void) | undefined;

  buffer(): Uint8Array {
    return new Uint8Array(1500);
  }
  post(): void {}
  flush(): void {
    this.flushes++;
  }
  serve(handler: DatagramHandler): Promise<void> {
    this.handler = handler;
    return new Promise((resolve) => this.#end = resolve);
  }
  close(): void {
    this.#end?.();
  }
}

class TestMachine implements Machine {
  deadline = Infinity;
  readonly calls: string[] = [];
  onReceive = (_datagram: Uint8Array) => {};
  onFlush = () => {};

  receive(datagram: Uint8Array): void {
    this.calls.push(`receive ${datagram[0]}`);
    this.onReceive(datagram);
  }
  flush(): void {
    this.calls.push("flush");
    this.onFlush();
  }
}

/** @param clock start of the loop's clock; `seen.late` is added to it */
function setUp(clock = () => performance.now()) {
  const socket = new TestSocket();
  const machine = new TestMachine();
  const seen = { ticks: 0, nows: [] as number[], bugs: [] as string[], late: 0 };
  const loop = new Loop(socket, {
    clock: () => clock() + seen.late,
    setNow: (now) => seen.nows.push(now),
    bug: (what, error, from) => seen.bugs.push(`${what} ${from?.hostname}: ${error}`),
  });
  const run = () => loop.run(machine, () => seen.ticks++);
  return { socket, machine, seen, loop, run };
}

Deno.test("Loop receives a batch, then flushes once, and sets the time before both", async () => {
  const { socket, machine, seen, loop, run } = setUp();
  const running = run();
  await sleep(5);
  machine.calls.length = seen.nows.length = 0;
  for (const byte of [1, 2, 3]) socket.handler!.receive(Uint8Array.of(byte), from);
  socket.handler!.settle();
  assert.deepEqual(machine.calls, ["receive 1", "receive 2", "receive 3", "flush"]);
  assert.equal(seen.nows.length, 2);
  assert.ok(seen.nows[0] <= seen.nows[1]);
  seen.nows.length = 0;
  seen.late += 1000; // later datagrams get a later time
  socket.handler!.receive(Uint8Array.of(4), from);
  assert.ok(seen.nows[0] >= 1000);
  for (let i = 0; i < 99; i++) socket.handler!.receive(Uint8Array.of(5), from);
  assert.equal(seen.nows.length, 7); // nor is all of a large batch
  await loop.stop();
  await running;
});

Deno.test("Loop runs the first tick at once, and flushes at the deadline", async () => {
  const { machine, seen, loop, run } = setUp();
  const begun = performance.now();
  let due = begun + 40;
  machine.onFlush = () => {
    if (performance.now() >= due) due = Infinity;
  };
  Object.defineProperty(machine, "deadline", { get: () => due });
  const running = run();
  assert.equal(seen.ticks, 1);
  assert.equal(machine.calls.length, 1);
  await until(() => due === Infinity, "the deadline");
  assert.ok(machine.calls.length <= 4, `woken ${machine.calls.length} times`);
  assert.equal(seen.ticks, 1);
  await loop.stop();
  await running;
});

Deno.test("Loop moves its timer forward for a nearer deadline", async () => {
  const { socket, machine, loop, run } = setUp();
  machine.deadline = performance.now() + 10 * PATIENCE;
  const running = run();
  machine.deadline = performance.now() + 10;
  socket.handler!.settle();
  const before = machine.calls.length;
  machine.onFlush = () => machine.deadline = Infinity;
  await until(() => machine.calls.length > before, "the nearer deadline");
  assert.equal(machine.calls.length, before + 1);
  await loop.stop();
  await running;
});

Deno.test("Loop reports an exception of the machine or an input, and continues", async () => {
  const { socket, machine, seen, loop, run } = setUp();
  const running = run();
  machine.onReceive = ([byte]) => {
    if (byte === 2) throw new Error("two");
  };
  let fails = 3;
  machine.onFlush = () => {
    if (fails-- > 0) throw new Error("flush");
  };
  for (const byte of [1, 2, 3]) socket.handler!.receive(Uint8Array.of(byte), from);
  socket.handler!.settle();
  assert.deepEqual(machine.calls.slice(-7), [
    ...["receive 1", "receive 2", "receive 3"],
    ...["flush", "flush", "flush", "flush"],
  ]);
  assert.deepEqual(seen.bugs, [
    "Cannot receive a datagram 192.0.2.1: Error: two",
    ...Array(3).fill("Cannot send undefined: Error: flush"),
  ]);
  loop.input("Cannot do it", () => {
    throw new Error("script");
  });
  assert.equal(seen.bugs.at(-1), "Cannot do it undefined: Error: script");
  await loop.stop();
  await running;
});

Deno.test("Loop flushes once for several inputs from outside the socket", async () => {
  const { machine, loop, run } = setUp();
  const running = run();
  machine.calls.length = 0;
  const done: number[] = [];
  for (const i of [1, 2, 3]) loop.input("Cannot", () => done.push(i));
  assert.deepEqual(done, [1, 2, 3]);
  assert.deepEqual(machine.calls, []);
  await sleep(0);
  assert.deepEqual(machine.calls, ["flush"]);
  await loop.stop();
  loop.input("Cannot", () => done.push(4));
  assert.deepEqual(done, [1, 2, 3], "nothing runs after the end");
  await running;
});

Deno.test("Loop.stop() waits a limited time for the socket to send", async () => {
  const { socket, loop, run } = setUp();
  const running = run();
  socket.pending = 1;
  const begun = performance.now();
  await loop.stop(60);
  const took = performance.now() - begun;
  assert.ok(took >= 55 && took < PATIENCE, `took ${took} ms`);
  await running;
});

Deno.test("Loop runs a tick every 2 s, and repeats none after a stall", async () => {
  const { seen, loop, run } = setUp(() => 0);
  const running = run();
  assert.equal(seen.ticks, 1);
  const skip = async (ms: number) => {
    seen.late += ms;
    loop.input("Cannot", () => {}); // looks at the clock
    await sleep(0);
    return seen.ticks;
  };
  assert.equal(await skip(1_500), 1);
  assert.equal(await skip(500), 2);
  assert.equal(await skip(60_000), 3);
  assert.equal(await skip(10), 3);
  await loop.stop();
  await running;
});
