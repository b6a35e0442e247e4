// Hostile clients of the web door, as raw bytes: the door answers or closes each, and serves others.
import assert from "node:assert/strict";
import { publish, startWeb } from "./support.ts";

const encoder = new TextEncoder();

/** A TCP connection to the door. */
class Raw implements Disposable {
  private constructor(readonly conn: Deno.TcpConn) {}

  static async open(http: string): Promise<Raw> {
    return new Raw(await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(http).port) }));
  }

  /** Sends a text or bytes. @returns false if the door has closed */
  async send(what: string | readonly number[]): Promise<boolean> {
    let bytes = typeof what === "string" ? encoder.encode(what) : Uint8Array.from(what);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(await this.conn.write(bytes));
      return true;
    } catch {
      return false;
    }
  }

  /** Bytes received until the door closes the connection. */
  async rest(): Promise<number[]> {
    const all: number[] = [];
    const block = new Uint8Array(4096);
    try {
      for (let n; (n = await this.conn.read(block)) !== null;) all.push(...block.subarray(0, n));
    } catch {
      // it was closed at once
    }
    return all;
  }

  async text(): Promise<string> {
    return String.fromCharCode(...await this.rest());
  }

  [Symbol.dispose](): void {
    this.conn.close();
  }
}

const upgradeTo = (path: string, protocol: string) =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n` +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/** Frames that no client may send, with the codes they are closed with. RFC 6455 §5, §7.4.1. */
const FRAMES: readonly [what: string, frame: readonly number[], code: number][] = [
  ["without a mask", [0x82, 1, 0], 1002],
  ["with reserved bits", [0xf2, 0x80, 0, 0, 0, 0], 1002],
  ["of an unknown kind", [0x83, 0x80, 0, 0, 0, 0], 1002],
  ["a ping of 200 bytes", [0x89, 0xfe, 0, 200, 0, 0, 0, 0], 1002],
  ["a ping in pieces", [0x09, 0x80, 0, 0, 0, 0], 1002],
  ["a continuation of nothing", [0x80, 0x80, 0, 0, 0, 0], 1002],
  ["of 2^63 - 1 bytes", [0x82, 0xff, 0x7f, ...Array(7).fill(255), 0, 0, 0, 0], 1009],
  ["of 17 MiB", [0x82, 0xff, 0, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0], 1009],
  ["text in invalid UTF-8", [0x81, 0x81, 0, 0, 0, 0, 0xff], 1007],
];

Deno.test("The web door answers or closes hostile requests and frames without effect on others", async () => {
  const { server, http, ws } = await startWeb({ "": "", "/live": "" });
  const publisher = await publish(`${ws}/live`, "cam");
  try {
    using slow = await Raw.open(http);
    await slow.send("GET / HTTP/1.1\r\nX-Slow: ");
    const drip = setInterval(() => void slow.send("x"), 500);
    const slowAnswer = slow.text();

    using flood = await Raw.open(http);
    const floodAnswer = flood.text();
    await flood.send("GET / HTTP/1.1\r\nHost: localhost\r\n");
    for (let i = 0; i < 1_000 && await flood.send(`X-${i}: ${"y".repeat(100)}\r\n`);) i++;
    assert.match(await floodAnswer, /^HTTP\/1\.1 431 /);

    for (
      const [request, answer] of [
        [
          upgradeTo("/nowhere/x.flv", "websocket"),
          /^HTTP\/1\.1 404 Not Found\r\n.*No publisher of/s,
        ],
        [upgradeTo("/tcp/1", "websocket"), /^HTTP\/1\.1 404 Not Found\r\n/],
        [upgradeTo("/tcp/99999", "websocket"), /^HTTP\/1\.1 404 Not Found\r\n/],
        [upgradeTo("/live/cam", "h2c"), /^HTTP\/1\.1 200 OK\r\n/],
        [upgradeTo("/rtws", "nothing"), /^HTTP\/1\.1 426 Upgrade Required\r\n/],
        ["\0\0\0\0 / HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
        ["GET / HTTP/9.9\r\n\r\n", /^HTTP\/1\.1 400 /],
      ] as const
    ) {
      using client = await Raw.open(http);
      await client.send(request);
      assert.match(await client.text(), answer, JSON.stringify(request));
    }

    for (const path of ["/rtws", "/rtmp", "/live/cam.flv"]) {
      for (const [what, frame, code] of FRAMES) {
        using client = await Raw.open(http);
        await client.send(upgradeTo(path, "websocket"));
        const block = new Uint8Array(4096);
        const head = String.fromCharCode(...block.subarray(0, await client.conn.read(block) ?? 0));
        assert.match(head, /^HTTP\/1\.1 101 /, path);
        await client.send(frame);
        await client.conn.closeWrite();
        const bytes = await client.rest();
        const close = bytes.lastIndexOf(0x88); // after the door's earlier frames
        assert.equal(bytes[close + 2] << 8 | bytes[close + 3], code, `${path}: ${what}`);
      }
    }

    // An endless message closes an unconnected client's connection before it takes much memory.
    for (const path of ["/rtws", "/rtmp", "/live/cam.flv"]) {
      using client = await Raw.open(http);
      await client.send(upgradeTo(path, "websocket"));
      const over = client.rest();
      await client.send([0x82, 0xff, 0, 0, 0, 0, 0, 0xf0, 0, 0, 0, 0, 0, 0]);
      const part = Array<number>(65_536).fill(0);
      let parts = 0;
      while (parts < 0xf0 && await client.send(part)) parts++;
      assert.ok(parts < 0xe0, `${path}: ${parts} parts of 64 KiB`);
      await over;
    }

    assert.match(await slowAnswer, /^HTTP\/1\.1 408 /);
    clearInterval(drip);
    const page = await fetch(`${http}/live/cam`);
    assert.match(await page.text(), /<video/);
    assert.ok(publisher.connection.connected);
    assert.deepEqual(server.log.items.filter((line) => /^(ERROR|FATAL|CRIT)/.test(line)), []);
  } finally {
    publisher.connection.close();
    await server.stop();
  }
});
