// Cost and garbage of a datagram of fan-out in the protocol code alone, in one process without sockets
// and scripts.
import { openLibcrypto } from "../src/openssl/libcrypto.ts";
import { NativeCrypto } from "../src/openssl/native_crypto.ts";
import type { CryptoBackend } from "../src/rtmfp/crypto/backend.ts";
import { portable } from "../src/rtmfp/crypto/portable.ts";
import { Generator } from "./load/generator.ts";
import { frame, publish, STREAM } from "./support/fan_out.ts";
import { allocations } from "./support/heap.ts";
import { type Cost, innerServer, InnerTransport } from "./support/inner_server.ts";
import { quantile } from "./support/numbers.ts";
import { rounded } from "./support/samples.ts";
import { connectAll, createStream } from "./support/steps.ts";

const LISTENERS = 200;
/** Bytes of a frame: 1 Mb/s at 25 a second. */
const SIZE = 5000;
const WARM_UP = 100;
const FRAMES = 300;
const COUNTED = 50;

const bytes = { received: 0 };

async function measure(backend: CryptoBackend) {
  let transport!: InnerTransport;
  const server = innerServer(backend);
  const generator = new Generator({
    url: "rtmfp://127.0.0.1/bench",
    target: { hostname: "127.0.0.1", port: 1935 },
    transport: (receive) => transport = new InnerTransport(server, receive),
  });
  const publisher = generator.add();
  const clients = Array.from({ length: LISTENERS }, () => generator.add());
  await connectAll(generator, [publisher, ...clients], "bench", { atOnce: 8 });
  const video = await publish(generator, publisher);
  for (const client of clients) {
    client.streamSink = () => (_part, data) => bytes.received += data.length;
    client.streamCommand(await createStream(generator, client), "play", STREAM, -2, -1, true);
  }
  const { cost } = transport;
  const run = async (from: number, count: number) => {
    const rounds: Cost[] = [];
    for (let i = from; i < from + count; i++) {
      Object.assign(cost, { sent: 0, received: 0, sending: 0, receiving: 0 });
      const before = bytes.received;
      generator.now = performance.now();
      video.write(frame(i, SIZE, generator.now), generator.now);
      let tries = 0;
      await generator.run(() => bytes.received - before >= SIZE * LISTENERS || ++tries > 100);
      transport.poll(); // the last acknowledgements
      rounds.push({ ...cost });
    }
    return rounds;
  };
  await run(0, WARM_UP);
  const rounds = await run(WARM_UP, FRAMES);
  let counted = 0;
  const sites = await allocations(
    (name, url) => {
      if (url.endsWith("/inner_server.ts")) return false;
      const entry = name === "receive" || name === "flush";
      return entry && url.endsWith("/rtmfp/endpoint.ts") ? true : undefined;
    },
    async () => {
      const rounds = await run(WARM_UP + FRAMES, COUNTED);
      counted = rounds.reduce((sum, { sent }) => sum + sent, 0);
    },
  );
  const garbage: Record<string, number | null> = {};
  for (const { where, bytes } of sites.slice(0, 12)) garbage[where] = rounded(bytes / counted, 1);
  const each = (of: (cost: Cost) => number) =>
    rounded(least(rounds.map((cost) => 1000 * of(cost) / cost.sent)), 3);
  return {
    crypto: backend.name,
    received_per_sent: rounded(least(rounds.map(({ received, sent }) => received / sent)), 3),
    receiving_us: each(({ receiving }) => receiving),
    sending_us: each(({ sending }) => sending),
    total_us: each(({ sending, receiving }) => sending + receiving),
    garbage_bytes: rounded(sites.reduce((sum, { bytes }) => sum + bytes, 0) / counted, 1),
    garbage,
  };
}

/** @returns the 5th percentile, which excludes most of the time that other programs take */
function least(values: number[]): number {
  return quantile(values, 1 / 20);
}

/** "native" or "portable". Default: both. */
const only = Deno.args[0];
const results: Record<string, unknown> = {};
if (only !== "portable") {
  results.native = await measure(new NativeCrypto(openLibcrypto()));
}
if (only !== "native") results.portable = await measure(portable);
console.log(JSON.stringify(results));
