import assert from "node:assert/strict";
import { sleep, until } from "../support/wait.ts";
import { serveHttp } from "../../src/net/http.ts";
import { type ByteSink, StreamedResponse } from "../../src/net/streamed_response.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const serve = (maxConnections?: number) =>
  serveHttp(
    { hostname: "127.0.0.1", port: 0, maxConnections },
    async (request) =>
      new Response(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`),
  );

/** Sends bytes, and reads the answer until the connection ends. */
async function exchange(port: number, bytes: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(encoder.encode(bytes));
  return await rest(conn);
}

async function rest(conn: Deno.TcpConn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(4096);
  try {
    for (;;) {
      const length = await conn.read(buffer);
      if (length === null) return text;
      text += decoder.decode(buffer.subarray(0, length));
    }
  } catch {
    return text; // reset
  }
}

Deno.test({
  name: "http: the server answers requests, and malformed requests with 400",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const server = await serve();
    const { port } = server;
    const answer = await fetch(`http://127.0.0.1:${port}/a`, { method: "POST", body: "body" });
    assert.equal(await answer.text(), "POST /a body");
    const bad = "GET / HTTP/1.1\r\nHost: a:b\r\nConnection: close\r\n\r\n";
    assert.match(await exchange(port, bad), /^HTTP\/1\.1 400 /);
    assert.match(await exchange(port, "nonsense\r\n\r\n"), /^HTTP\/1\.1 400 /);
    const absolute = "GET http://evil.example/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert.match(await exchange(port, absolute), /\r\nGET \/ \r\n/);
    const large = `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`;
    assert.match(await exchange(port, large), /^HTTP\/1\.1 431 /);
    await server.close();
  },
});

Deno.test({
  name: "http: the server closes the oldest of 65 connections that send no request for a second",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const server = await serve();
    const silent: Deno.TcpConn[] = [];
    for (let i = 0; i < 65; i++) {
      if (i === 64) await sleep(1_100);
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      await conn.write(encoder.encode("GET / HTTP/1.1\r\nHost: x\r\n"));
      silent.push(conn);
    }
    assert.equal(await rest(silent[0]), "", "the oldest is closed");
    const honest = await fetch(`http://127.0.0.1:${server.port}/`);
    assert.equal(await honest.text(), "GET / ");
    await silent[64].write(encoder.encode("Connection: close\r\n\r\n"));
    assert.match(await rest(silent[64]), /^HTTP\/1\.1 200 /);
    for (const conn of silent) conn.close();
    await server.close();
  },
});

Deno.test({
  name: "http: the server keeps 100 connections that have sent a request",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const server = await serve();
    const conns: Deno.TcpConn[] = [];
    for (let i = 0; i < 100; i++) {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      await conn.write(encoder.encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
      const buffer = new Uint8Array(1024);
      assert.ok((await conn.read(buffer))! > 0, `${i}`);
      conns.push(conn);
    }
    await conns[0].write(encoder.encode("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    assert.match(await rest(conns[0]), /^HTTP\/1\.1 200 /);
    for (const conn of conns) conn.close();
    await server.close();
  },
});

Deno.test({
  name: "http: the server closes connections beyond the limit",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const server = await serve(2);
    const hold = () => Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const [one, two] = [await hold(), await hold()];
    for (const conn of [one, two]) {
      await conn.write(encoder.encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    const buffer = new Uint8Array(1024);
    for (const conn of [one, two]) assert.ok((await conn.read(buffer))! > 0);
    assert.equal(await exchange(server.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "");
    for (const conn of [one, two]) conn.close();
    await server.close();
  },
});

Deno.test({
  name: "http: the server closes connections without a request in favour of connections with one",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const server = await serve(100);
    const silent: Deno.TcpConn[] = [];
    try {
      for (let i = 0; i < 150; i++) {
        const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
        await conn.write(encoder.encode("GET / HTTP/1.1\r\nHo"));
        silent.push(conn);
      }
      const request = "GET /here HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
      assert.match(await exchange(server.port, request), /GET \/here/);
      assert.equal(await rest(silent[0]), "", "the oldest was closed");
    } finally {
      for (const conn of silent) conn.close();
      await server.close();
    }
  },
});

Deno.test({
  name: "http: the system buffers at most `sendBuffer` bytes for a client that does not read",
  ignore: Deno.build.os !== "linux", // other systems ignore sendBuffer
  async fn() {
    const sendBuffer = 65_536;
    let body: ByteSink | undefined;
    const server = await serveHttp(
      { hostname: "127.0.0.1", port: 0, sendBuffer },
      () =>
        new StreamedResponse({}, (sink) => {
          body = sink;
          return { onDrain() {}, onClose() {} };
        }),
    );
    const client = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await client.write(encoder.encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    const sink = await until(() => body, "the request");
    let written = 0;
    for (let rounds = 0; rounds < 40; rounds++) { // rounds in which the system accepted no byte
      const before = sink.waiting;
      for (; sink.waiting < 65_536; written += 65_536) {
        sink.write(new Uint8Array(65_600), 32, 65_568);
      }
      await sleep(5);
      if (sink.waiting !== before) rounds = 0;
    }
    assert.ok(written < 1_000_000, `${written} bytes`);
    client.close();
    await server.close();
  },
});
