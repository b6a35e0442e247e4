// One shared object of all clients (SO-083): each client sets its own slot at a steady rate, and the
// server tells all others.
import { encodeAmf0 } from "../src/amf/mod.ts";
import { numberOption } from "../src/client/cli/arguments.ts";
import { MessageType } from "../src/tc/format/messages.ts";
import { type SharedObjectEvent, writeSharedObject } from "../src/tc/format/shared_object.ts";
import { Generator } from "./load/generator.ts";
import type { LeanClient } from "./load/lean_client.ts";
import { type Bench, runBench } from "./support/options.ts";
import { ownCpu, usageOf } from "./support/process.ts";
import { rounded, Samples } from "./support/samples.ts";
import { connectAll } from "./support/steps.ts";

const NAME = "object";
/** Offset of the first event in a message: after format byte, name, version and flags. */
const EVENT = 1 + 2 + NAME.length + 12;
const CHANGE = 4;
/** Bytes of an event's type and length. */
const EVENT_HEADER = 5;

function send(client: LeanClient, event: SharedObjectEvent): void {
  const message = { name: NAME, version: 0xffffffff, persistent: false, events: [event] };
  const payload = writeSharedObject(message, true);
  client.control({ type: MessageType.sharedObjectAmf3, timestamp: 0, payload });
}

async function measure({ args, server, generator: options, app }: Bench) {
  const count = numberOption(args, "clients", 2, 10_000) ?? 200;
  const rate = numberOption(args, "rate", 0.01, 1000) ?? 20;
  const seconds = numberOption(args, "seconds", 0.5, 3600) ?? 5;
  const generator = new Generator(options);
  try {
    const clients = Array.from({ length: count }, () => generator.add());
    await connectAll(generator, clients, app);
    const delays = new Samples();
    let using = 0;
    for (const client of clients) {
      client.onShared = () => {
        using++;
        client.onShared = onChange;
      };
    }
    let messages = 0;
    /** A change's value is its sending time: the last 8 bytes of the event. */
    const onChange = (payload: Uint8Array) => {
      messages++;
      const now = performance.now();
      const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
      for (let at = EVENT; at < payload.length;) {
        const end = at + EVENT_HEADER + view.getUint32(at + 1);
        if (payload[at] === CHANGE) delays.add(now - view.getFloat64(end - 8));
        at = end;
      }
    };
    for (const client of clients) send(client, { type: "use" });
    await generator.run(() => using === count, performance.now() + 10_000);
    if (using < count) throw new Error(`Only ${using} of ${count} clients use the object`);

    let sent = 0;
    const start = performance.now();
    const drive = (until: number) =>
      generator.run(() => {
        const due = (performance.now() - start) / 1000 * rate * count;
        for (; sent < due; sent++) {
          const slot = `slot ${sent % count}`;
          const value = encodeAmf0(performance.now() + 1e-6); // not an integer, so that AMF encodes a double
          send(clients[sent % count]!, { type: "requestChange", slot, value });
        }
        return false;
      }, until);
    await drive(start + 1000); // to warm up
    delays.clear();
    messages = 0;
    const before = server.pid === undefined ? undefined : usageOf(server.pid);
    const cpuBefore = ownCpu();
    const started = performance.now();
    const sentBefore = sent;
    await drive(started + seconds * 1000);
    const elapsed = performance.now() - started;
    const after = server.pid === undefined ? undefined : usageOf(server.pid);
    const changes = sent - sentBefore;
    const cpu = before && after ? after.cpu - before.cpu : NaN;
    return {
      clients: count,
      changes_per_second: rounded(changes / elapsed * 1000, 0),
      deliveries_per_second: rounded(delays.count / elapsed * 1000, 0),
      messages_per_second: rounded(messages / elapsed * 1000, 0),
      delivered_share: rounded(delays.count / (changes * (count - 1)), 3),
      delay_p50_ms: rounded(delays.quantile(0.5), 2),
      delay_p99_ms: rounded(delays.quantile(0.99), 2),
      server_cpu_us_per_change: rounded(cpu / changes, 1),
      server_cpu_us_per_delivery: rounded(cpu / delays.count, 2),
      server_cpu_share: rounded(cpu / elapsed / 1000, 3),
      generator_cpu_share: rounded((ownCpu() - cpuBefore) / elapsed / 1000, 3),
    };
  } finally {
    generator.close();
  }
}

await runBench(
  "bench/shared_objects.ts",
  "Clients that share one object, each setting a slot of its own.",
  {
    clients: { value: "N", help: "how many clients (default 200)" },
    rate: { value: "N", help: "changes of each a second (default 20)" },
    seconds: { value: "N", help: "how long to measure (default 5)" },
  },
  measure,
);
