// DirectWriters writes by send(2) to a connection that Deno owns, over loopback.
import assert from "node:assert/strict";
import { openLibc } from "../../src/net/libc.ts";
import { DirectWriters, type StreamEnds } from "../../src/net/native_stream.ts";

const ignore = Deno.build.os !== "linux";
const libc = ignore ? undefined! : openLibc();
const writers = ignore ? undefined! : new DirectWriters(libc, { allows: () => true });

/** Opens a connection. @returns both ends */
async function connect(hostname: string, listening = hostname) {
  using listener = Deno.listen({ hostname: listening, port: 0 });
  const client = await Deno.connect({ hostname, port: listener.addr.port });
  const server = await listener.accept();
  const close = () => {
    for (const end of [client, server]) {
      try {
        end.close();
      } catch {
        // closed by the test
      }
    }
  };
  return { client, server, [Symbol.dispose]: close };
}

const endsOf = ({ localAddr, remoteAddr }: Deno.TcpConn): StreamEnds => ({
  local: localAddr,
  remote: remoteAddr,
});

for (
  const [hostname, listening] of [["127.0.0.1", "127.0.0.1"], ["127.0.0.1", "::"], ["::1", "::"]]
) {
  Deno.test({
    name:
      `DirectWriters writes to the right client at ${hostname} of a server that listens on ${listening}`,
    ignore,
    fn: async () => {
      using one = await connect(hostname, listening);
      using other = await connect(hostname, listening);
      const writer = writers.open(endsOf(one.server))!;
      assert.equal(writer.send(Uint8Array.of(1, 2, 3, 4), 3), 3);
      await one.server.write(Uint8Array.of(9));
      await other.server.write(Uint8Array.of(7));
      const heard = new Uint8Array(10);
      assert.equal(await other.client.read(heard), 1);
      assert.equal(heard[0], 7);
      assert.equal(await readAtLeast(one.client, 4), "1,2,3,9");
      writer.close();
    },
  });
}

Deno.test({
  name: "DirectWriter sends nothing to another client that got the descriptor of its connection",
  ignore,
  fn: async () => {
    const one = await connect("127.0.0.1");
    const writer = writers.open(endsOf(one.server))!;
    one.client.close();
    one.server.close();
    const others = [];
    for (let i = 0; i < 8; i++) others.push(await connect("127.0.0.1"));
    writer.send(Uint8Array.of(1), 1); // the system may not have closed the client's end yet
    writer.send(Uint8Array.of(1), 1);
    assert.equal(writer.send(Uint8Array.of(1), 1), 0);
    writer.close();
    assert.equal(writer.send(Uint8Array.of(1), 1), 0);
    for (const other of others) {
      await other.server.write(Uint8Array.of(5));
      assert.equal(await readAtLeast(other.client, 1), "5");
      other[Symbol.dispose]();
    }
  },
});

Deno.test({
  name: "DirectWriter and Deno's socket end the connection when both are closed, in either order",
  ignore,
  fn: async () => {
    for (const first of ["writer", "owner"]) {
      using all = await connect("127.0.0.1");
      const writer = writers.open(endsOf(all.server))!;
      if (first === "writer") writer.close();
      all.server.close();
      writer.close();
      assert.equal(await all.client.read(new Uint8Array(1)), null, first);
    }
  },
});

Deno.test({
  name:
    "DirectWriters opens no writer for an unknown address, nor when half of the descriptors are in use",
  ignore,
  fn: async () => {
    using all = await connect("127.0.0.1");
    const ends = endsOf(all.server);
    assert.equal(writers.open({ ...ends, remote: { hostname: "127.0.0.1", port: 1 } }), undefined);
    assert.equal(writers.open({ ...ends, local: { hostname: "127.0.0.2", port: 1 } }), undefined);
    assert.equal(writers.open({ ...ends, remote: { hostname: "nobody", port: 1 } }), undefined);
    const asked: number[] = [];
    const scarce = new DirectWriters(libc, { allows: (lowest) => asked.push(lowest) === 0 });
    assert.equal(scarce.open(ends), undefined);
    assert.ok(asked[0] > 2);
  },
});

Deno.test({
  name: "DirectWriter.send() returns how many bytes fit into the system's buffer",
  ignore,
  fn: async () => {
    using all = await connect("127.0.0.1");
    const writer = writers.open(endsOf(all.server))!;
    const bytes = new Uint8Array(1 << 20);
    let taken = 0;
    for (let sent; (sent = writer.send(bytes, bytes.length)) > 0;) taken += sent;
    assert.ok(taken > 0 && taken % bytes.length !== 0, `${taken} bytes`);
    writer.close();
    all.server.close();
    const buffer = new Uint8Array(1 << 16);
    let heard = 0;
    for (let length; (length = await all.client.read(buffer)) !== null;) heard += length;
    assert.equal(heard, taken);
  },
});

async function readAtLeast(client: Deno.TcpConn, count: number): Promise<string> {
  const heard: number[] = [];
  const buffer = new Uint8Array(100);
  while (heard.length < count) {
    const length = await client.read(buffer);
    if (length === null) break;
    heard.push(...buffer.subarray(0, length));
  }
  return heard.join();
}
