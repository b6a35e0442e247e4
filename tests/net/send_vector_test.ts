import assert from "node:assert/strict";
import { SendVector } from "../../src/net/send_vector.ts";
import { Remote } from "../../src/net/udp_address.ts";

const HEADER = 64;

function remote(port: number): Remote {
  const to = new Remote("127.0.0.1", port, false);
  to.raw = Uint8Array.of(2, 0, port >> 8, port, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
  return to;
}

function vector(count = 200, segmented = true): SendVector {
  return new SendVector(count, 2_048, 16, segmented);
}

function post(to: SendVector, target: Remote, ...lengths: number[]): void {
  for (const length of lengths) to.post(length, target);
}

/** The waiting messages: port, datagrams, and the length of segments, 0 for a single datagram. */
function messages(of: SendVector): number[][] {
  const headers = new DataView(of.headers.buffer, of.headers.byteOffset);
  return Array.from({ length: of.messages }, (_, i) => {
    const at = i * HEADER;
    const name = view(headers.getBigUint64(at, true), 16);
    const control = headers.getBigUint64(at + 40, true) > 0n
      ? view(headers.getBigUint64(at + 32, true), 24).getUint16(16, true)
      : 0;
    return [name.getUint16(2), Number(headers.getBigUint64(at + 24, true)), control];
  });
}

function view(address: bigint, length: number): DataView {
  const pointer = Deno.UnsafePointer.create(address)!;
  return new DataView(Deno.UnsafePointerView.getArrayBuffer(pointer, length));
}

const [a, b] = [remote(1_000), remote(2_000)];

Deno.test("SendVector joins datagrams of one length to one address, and a shorter last one", () => {
  const out = vector();
  post(out, a, 100, 100, 100, 40);
  post(out, a, 40); // the previous message is complete
  post(out, b, 40, 50, 50);
  post(out, a, 50);
  assert.deepEqual(messages(out), [
    [1_000, 4, 100],
    [1_000, 1, 0],
    [2_000, 1, 0],
    [2_000, 2, 50],
    [1_000, 1, 0],
  ]);
  assert.equal(out.waiting, 9);
});

Deno.test("SendVector sends each empty datagram as a message of its own", () => {
  const out = vector();
  post(out, a, 0, 0, 100, 0, 100);
  assert.deepEqual(messages(out), new Array(5).fill([1_000, 1, 0]));
});

Deno.test("SendVector limits a message to 64 datagrams and 65,000 bytes", () => {
  const short = vector();
  post(short, a, ...new Array(150).fill(16));
  assert.deepEqual(messages(short), [[1_000, 64, 16], [1_000, 64, 16], [1_000, 22, 16]]);
  const long = vector();
  post(long, a, ...new Array(60).fill(2_000));
  assert.deepEqual(messages(long), [[1_000, 32, 2_000], [1_000, 28, 2_000]]);
});

Deno.test("SendVector sends each datagram as a message on a system without segments", () => {
  const out = vector(10, false);
  post(out, a, 100, 100);
  assert.deepEqual(messages(out), [[1_000, 1, 0], [1_000, 1, 0]]);
});

Deno.test("SendVector counts sent datagrams, and makes room for others", () => {
  const out = vector(6);
  post(out, a, 100, 100, 100);
  post(out, b, 100, 100, 100);
  assert.ok(out.full);
  assert.equal(out.sent(1), 3);
  assert.deepEqual(messages(out), [[2_000, 3, 100]]);
  assert.equal(out.sent(1), 3);
  assert.ok(!out.full);
  assert.equal(out.waiting, 0);
});

Deno.test("SendVector removes the first datagram of a message, and adds no more datagrams to that message", () => {
  const out = vector();
  out.buffer[0] = 7;
  post(out, a, 100, 100, 100);
  assert.equal(out.first.to, a);
  assert.equal(out.first.datagram.length, 100);
  assert.equal(out.first.datagram[0], 7);
  out.shift();
  assert.notEqual(out.first.datagram[0], 7);
  post(out, a, 100);
  assert.deepEqual(messages(out), [[1_000, 2, 100], [1_000, 1, 0]]);
  out.shift();
  out.shift();
  assert.deepEqual(messages(out), [[1_000, 1, 0]]);
  out.shift();
  assert.equal(out.waiting, 0);
});

Deno.test("SendVector splits a refused message, but not messages to other addresses", () => {
  const out = vector(9);
  const c = remote(3_000);
  post(out, b, 100);
  post(out, c, 100, 100, 40);
  post(out, b, 100, 100);
  post(out, c, 100, 100, 100);
  out.sent(1);
  assert.ok(out.firstIsRun);
  out.split();
  const single = [3_000, 1, 0];
  assert.deepEqual(messages(out), [
    single,
    single,
    single,
    [2_000, 2, 100],
    single,
    single,
    single,
  ]);
  assert.equal(out.waiting, 8);
  assert.ok(!out.firstIsRun);
  out.sent(7);
  post(out, c, 100, 100);
  assert.deepEqual(messages(out), [single, single]);
});
