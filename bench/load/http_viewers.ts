// Many viewers of one address, by HTTP or WebSocket: a process of its own, that counts what it reads.
// Arguments: url, viewers, seconds, viewers that never read. Prints "ready", then one JSON object.
const [url, viewers, seconds, dead] = [Deno.args[0], ...Deno.args.slice(1).map(Number)];
const { hostname, port, pathname, protocol } = new URL(url);
let bytes = 0;
let running = true;
let ended = 0;

const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const request = new TextEncoder().encode(
  `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\n${protocol === "ws:" ? upgrade : ""}\r\n`,
);

async function view(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (;;) {
      const length = await conn.read(buffer);
      if (length === null) break;
      bytes += length;
    }
  } catch {
    // closed
  }
  if (running) ended++;
}

const conns: Deno.TcpConn[] = [];
for (let i = 0; i < viewers + dead; i++) {
  const conn = await Deno.connect({ hostname, port: Number(port) });
  await conn.write(request);
  if (i < viewers) view(conn);
  conns.push(conn);
  if (i % 16 === 15) await new Promise((resolve) => setTimeout(resolve, 10));
}
await new Promise((resolve) => setTimeout(resolve, 2000)); // all have their picture
console.log("ready");
const before = bytes;
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
running = false;
console.log(JSON.stringify({ bytes: bytes - before, ended }));
Deno.exit();
