// What groups and introductions cost a server.
import { numberOption } from "../src/client/cli/arguments.ts";
import { canonicalEpd } from "../src/rtmfp/crypto/certificate.ts";
import { ChunkType, writeChunk } from "../src/rtmfp/wire/chunk.ts";
import { iHello } from "../src/rtmfp/wire/ihello.ts";
import { Mode, PacketReader, timestampOf, writePacketHeader } from "../src/rtmfp/wire/packet.ts";
import { redirect } from "../src/rtmfp/wire/redirect.ts";
import { Writer } from "../src/bytes/writer.ts";
import { Generator } from "./load/generator.ts";
import type { LeanClient } from "./load/lean_client.ts";
import { openTransport, type Target } from "./load/transport.ts";
import { type Bench, runBench } from "./support/options.ts";
import { ownCpu, type Usage, usageOf } from "./support/process.ts";
import { rounded, Samples } from "./support/samples.ts";
import { connectAll } from "./support/steps.ts";

/** Maximum number of members that the server names to a joining client. */
const MAX_TOLD = 6;
/** Maximum number of unanswered joins. */
const MAX_PENDING_JOINS = 64;
/** Time (ms) for all joins, besides 1 ms for each client. */
const JOIN_TIMEOUT = 30_000;
/** Sockets that ask for peers, and unanswered questions of each. */
const SEEKERS = 16;
const WINDOW = 8;
/** Milliseconds until an unanswered question is repeated. */
const REPEAT_INTERVAL = 200;

async function measure({ args, server, generator: options, app }: Bench) {
  const sizes = (args.options.get("members") ?? "1000,10000").split(",").map(Number);
  const seconds = numberOption(args, "seconds", 0.1, 600) ?? 5;
  const generator = new Generator({ ...options, clientsPerSocket: 16 });
  const usage = (): Usage | undefined => server.pid === undefined ? undefined : usageOf(server.pid);
  try {
    const results: Record<string, unknown>[] = [];
    for (const [i, size] of sizes.entries()) {
      const missing = size - generator.clients.length;
      const clients = Array.from({ length: missing }, () => generator.add().prepare());
      await connectAll(generator, clients, app);
      await generator.run(() => false, performance.now() + 2000);
      const joined = await join(generator, generator.clients.slice(0, size), i, usage);
      const introduced = await introduce(options.target, generator, size, seconds, usage);
      results.push({ members: size, ...joined, ...introduced });
    }
    return { sizes: results };
  } finally {
    generator.close();
  }
}

/** All clients join one group. */
async function join(
  generator: Generator,
  clients: LeanClient[],
  number: number,
  usage: () => Usage | undefined,
) {
  const group = new Uint8Array(32).fill(number + 1);
  const samples = new Samples();
  const before = usage();
  const cpuBefore = ownCpu();
  const started = performance.now();
  let begun = 0;
  let done = 0;
  let told = 0;
  const next = () => {
    const client = clients[begun];
    if (!client || begun - done >= MAX_PENDING_JOINS) return false;
    const expected = Math.min(begun++, MAX_TOLD); // the server handles joins in their order
    const begin = generator.now = performance.now();
    let got = 0;
    const settle = () => {
      done++;
      samples.add(generator.now - begin);
    };
    client.onMember = () => {
      told++;
      if (++got === expected) settle();
    };
    client.joinGroup(group);
    if (expected === 0) settle();
    return true;
  };
  const all = await generator.run(() => {
    while (next());
    return done >= clients.length;
  }, started + JOIN_TIMEOUT + clients.length);
  if (!all) throw new Error(`${done} of ${clients.length} clients joined in time`);
  const elapsed = performance.now() - started;
  const after = usage();
  await generator.run(() => false, performance.now() + 2000);
  const settled = usage();
  return {
    joins_per_second: rounded(clients.length / elapsed * 1000, 0),
    server_cpu_us_per_join: perOne(before, after, clients.length),
    join_p50_ms: rounded(samples.quantile(0.5), 2),
    join_p99_ms: rounded(samples.quantile(0.99), 2),
    told_per_join: rounded(told / clients.length, 2),
    memory_per_member_bytes: rounded(
      before && settled ? (settled.memory - before.memory) / clients.length : NaN,
      0,
    ),
    join_generator_cpu_share: rounded((ownCpu() - cpuBefore) / elapsed / 1000, 3),
  };
}

/** Asks the server for members by their peer ids, as fast as it answers. */
async function introduce(
  target: Target,
  generator: Generator,
  size: number,
  seconds: number,
  usage: () => Usage | undefined,
) {
  const { startup } = generator;
  const ids = generator.clients.slice(0, size).map((client) => client.peerId);
  const packet = new PacketReader();
  const buffer = new Uint8Array(2048);
  const writer = Writer.over(buffer);
  const questions = Array.from({ length: SEEKERS * WINDOW }, () => ({ serial: 0, at: 0 }));
  let next = 0;
  let answers = 0;
  const transport = openTransport(target, (_socket, datagram) => {
    const plain = startup.open(datagram);
    if (!plain) return;
    for (packet.open(plain); packet.next();) {
      if (packet.type !== ChunkType.redirect) continue;
      const { tag, addresses } = redirect.read(packet.payload);
      const view = new DataView(tag.buffer, tag.byteOffset);
      const slot = view.getUint32(0);
      if (view.getUint32(4) !== questions[slot]?.serial || addresses.length === 0) continue;
      answers++;
      ask(slot);
    }
  });
  const ask = (slot: number) => {
    const question = questions[slot]!;
    const tag = new Uint8Array(16);
    const view = new DataView(tag.buffer);
    view.setUint32(0, slot);
    view.setUint32(4, ++question.serial);
    question.at = performance.now();
    writePacketHeader(
      writer.reset(buffer, startup.headroom),
      Mode.startup,
      timestampOf(question.at),
    );
    const epd = canonicalEpd(ids[next++ * 7919 % ids.length]!);
    writeChunk(writer, iHello, { epd, tag });
    transport.send(slot % SEEKERS, buffer, startup.seal(buffer, writer.at, 0));
  };
  try {
    for (let i = 0; i < SEEKERS; i++) transport.open();
    const before = usage();
    const cpuBefore = ownCpu();
    const started = performance.now();
    let asked = 0;
    for (let i = 0; i < questions.length; i++) ask(i);
    while (performance.now() < started + seconds * 1000) {
      const waiting = transport.poll(1);
      if (waiting) await waiting;
      generator.now = performance.now();
      await generator.run(() => true);
      for (const [slot, { at }] of questions.entries()) {
        if (generator.now - at < REPEAT_INTERVAL) continue;
        asked++;
        ask(slot);
      }
    }
    const elapsed = performance.now() - started;
    return {
      introductions_per_second: rounded(answers / elapsed * 1000, 0),
      server_cpu_us_per_introduction: perOne(before, usage(), answers),
      introductions_asked_again: asked,
      introduction_generator_cpu_share: rounded((ownCpu() - cpuBefore) / elapsed / 1000, 3),
    };
  } finally {
    transport.close();
  }
}

const perOne = (before: Usage | undefined, after: Usage | undefined, count: number) =>
  rounded(before && after ? (after.cpu - before.cpu) / count : NaN, 2);

await runBench(
  "bench/groups.ts",
  "Has clients join a group, then asks the server for each of them by its peer id.",
  {
    members: { value: "LIST", help: "sizes of the groups (default 1000,10000)" },
    seconds: { value: "N", help: "how long to ask for peers at each size (default 5)" },
  },
  measure,
);
