// Measures one publisher of video and many listeners.
import { MessageType, writeMessage } from "../../src/tc/format/messages.ts";
import { writeTcMetadata } from "../../src/tc/format/metadata.ts";
import { Fragment } from "../../src/rtmfp/wire/user_data.ts";
import type { OutFlow, Sink } from "../load/flows.ts";
import { Generator, type GeneratorOptions } from "../load/generator.ts";
import type { LeanClient } from "../load/lean_client.ts";
import { ownCpu, type Usage, usageOf } from "./process.ts";
import { rounded, Samples } from "./samples.ts";
import { connectAll, createStream } from "./steps.ts";

export interface FanOut {
  readonly listeners: number;
  /** Listeners that stop acknowledging when the measurement begins. */
  readonly stalled?: number;
  /** Bits per second of the video. */
  readonly rate: number;
  /** Length of the measurement. */
  readonly seconds: number;
  /** Other load during the measurement; awaited at its end. */
  readonly meanwhile?: () => Promise<unknown>;
}

export const FRAMES_PER_SECOND = 25;
/** Bytes before a frame's number and sending time: message and video headers. */
export const MARK = 5 + 5;
export const STREAM = "bench";

/** Data received by the listeners of a measurement. */
class Tally {
  /** Numbers of the first and the last frame that count. */
  first = Infinity;
  last = Infinity;
  frames = 0;
  packets = 0;
  bytes = 0;
  readonly delays = new Samples();

  /** Counts the fragments of one listener's video flow. */
  sink(generator: Generator): Sink {
    let number = -1;
    let sentAt = 0;
    return (part, data) => {
      if (part === Fragment.whole || part === Fragment.begin) {
        if (data[0] !== MessageType.video || data.length < MARK + 12 || data[6] !== 1) {
          number = -1;
          return;
        }
        const view = new DataView(data.buffer, data.byteOffset + MARK);
        number = view.getUint32(0);
        sentAt = view.getFloat64(4);
      }
      if (number < this.first || number > this.last) return;
      this.packets++;
      this.bytes += data.length;
      if (part !== Fragment.end && part !== Fragment.whole) return;
      this.frames++;
      this.delays.add(generator.now - sentAt);
    };
  }
}

/**
 * Connects, publishes for two seconds to warm up, and measures.
 * @param pid the server's process id, if known
 * @returns figures by name; null for figures that need the process
 * @throws {Error} if a client cannot connect, publish or play
 */
export async function measureFanOut(
  { listeners, stalled = 0, rate, seconds, meanwhile }: FanOut,
  options: GeneratorOptions,
  app: string,
  pid: number | undefined,
) {
  const generator = new Generator(options);
  const usage = (): Usage | undefined => pid === undefined ? undefined : usageOf(pid);
  const tally = new Tally();
  try {
    const publisher = generator.add();
    const clients = Array.from({ length: listeners }, () => generator.add());
    await connectAll(generator, [publisher, ...clients], app);
    const video = await publish(generator, publisher);
    const idle = usage();
    for (const client of clients) {
      client.streamSink = (_flow, _metadata) => tally.sink(generator);
      const stream = await createStream(generator, client);
      client.streamCommand(stream, "play", STREAM, -2, -1, true);
    }

    const size = Math.max(MARK + 12, Math.round(rate / 8 / FRAMES_PER_SECOND));
    const start = performance.now();
    let number = 0;
    const sendDue = () => {
      const now = performance.now();
      generator.now = now;
      while (now >= start + number * 1000 / FRAMES_PER_SECOND) {
        video.write(frame(number++, size, now), now);
      }
    };
    const runFor = (milliseconds: number) => {
      const until = performance.now() + milliseconds;
      return generator.run(() => (sendDue(), performance.now() >= until), until);
    };
    await runFor(2000); // to warm up
    for (const client of clients.slice(0, stalled)) client.stalled = true;
    tally.first = number;
    const other = meanwhile?.();
    const before = usage();
    const cpuBefore = ownCpu();
    const startedAt = performance.now();
    await runFor(seconds * 1000);
    const elapsed = performance.now() - startedAt;
    const after = usage();
    const ownShare = (ownCpu() - cpuBefore) / elapsed / 1000;
    tally.last = number - 1;
    const packets = tally.packets;
    const sent = number - tally.first;
    const counted = { frames: tally.frames };
    await generator.run(
      () => tally.frames >= sent * (listeners - stalled),
      performance.now() + 2000,
    );
    const expected = sent * (listeners - stalled);
    await other;
    const cpu = before && after ? after.cpu - before.cpu : NaN;
    return {
      listeners,
      stalled,
      rate_bps: rate,
      seconds: rounded(elapsed / 1000, 2),
      packets_per_second: rounded(packets / elapsed * 1000, 0),
      server_cpu_us_per_packet: rounded(cpu / packets, 2),
      server_user_us_per_packet: rounded(
        before && after ? (after.user - before.user) / packets : NaN,
        2,
      ),
      server_cpu_share: rounded(cpu / elapsed / 1000, 3),
      delivered_share: rounded(tally.frames / expected, 5),
      delivered_in_time_share: rounded(counted.frames / expected, 5),
      delay_p50_ms: rounded(tally.delays.quantile(0.5), 2),
      delay_p99_ms: rounded(tally.delays.quantile(0.99), 2),
      delay_max_ms: rounded(tally.delays.quantile(1), 2),
      memory_per_listener_bytes: idle && after
        ? rounded((after.memory - idle.memory) / listeners, 0)
        : null,
      publisher_resent: publisher.resent,
      generator_cpu_share: rounded(ownShare, 3),
      generator_transport: generator.transport.name,
      generator_crypto: generator.crypto.name,
    };
  } finally {
    generator.close();
  }
}

/** Starts publishing. @returns the flow for video */
export async function publish(
  generator: Generator,
  publisher: LeanClient,
  name = STREAM,
): Promise<OutFlow> {
  const stream = await createStream(generator, publisher);
  let started = false;
  publisher.onMessage = () => started = true;
  publisher.streamCommand(stream, "publish", name, "live");
  if (!await generator.run(() => started, performance.now() + 5000)) {
    throw new Error("The server does not answer publish");
  }
  publisher.timeCritical = true;
  const flow = publisher.openFlow(writeTcMetadata(stream));
  const header = Uint8Array.of(0x17, 0, 0, 0, 0, 1, 0x42, 0, 0x1e, 0xff);
  flow.write(writeMessage(MessageType.video, 0, header), generator.now);
  return flow;
}

/** A frame with its number and sending time; every 25th is a key frame. */
export function frame(number: number, size: number, now: number): Uint8Array {
  const payload = new Uint8Array(size - 5);
  payload.set([number % FRAMES_PER_SECOND === 0 ? 0x17 : 0x27, 1, 0, 0, 0]);
  const view = new DataView(payload.buffer);
  view.setUint32(5, number);
  view.setFloat64(9, now);
  return writeMessage(MessageType.video, Math.round(number * 1000 / FRAMES_PER_SECOND), payload);
}
