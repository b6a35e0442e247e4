import { createHmac } from "node:crypto";
import { fromHex } from "../../src/bytes/hex.ts";
import type { RtmpMessage } from "../../src/rtmp/control.ts";
import { type LinkHost, RtmpLink } from "../../src/rtmp/link.ts";
import type { OutgoingMessage } from "../../src/rtmp/chunk_writer.ts";
import type { Lane } from "../../src/rtmp/out_queue.ts";
import { ChunkReader } from "../../src/rtmp/chunk_reader.ts";
import { ControlType } from "../../src/rtmp/control.ts";

export const hmac = (key: Uint8Array, bytes: Uint8Array) =>
  new Uint8Array(createHmac("sha256", key).update(bytes).digest());

/** Bytes that look random and are the same in each run. */
export function pseudoRandom(seed = 1): (length: number) => Uint8Array {
  let state = seed >>> 0;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    });
}

/** Captured bytes of one direction; see tests/vectors/rtmp/README.md. */
export const captured = (name: string): Uint8Array =>
  Deno.readFileSync(new URL(`../vectors/rtmp/${name}.bin`, import.meta.url));

/** `[type, timestamp, stream, length]` of the first messages of each captured direction. */
export const capturedMessages: Record<string, [number, number, number, number][]> = JSON.parse(
  Deno.readTextFileSync(new URL("../vectors/rtmp/messages.json", import.meta.url)),
);

export interface HandshakeVector {
  readonly c1: Uint8Array;
  readonly s1: Uint8Array;
  readonly s2: Uint8Array;
  readonly c2: Uint8Array;
  readonly c1_digest: readonly [scheme: 0 | 1, offset: number];
  readonly s1_digest: readonly [scheme: 0 | 1, offset: number];
}

export function handshakeVector(name: "play" | "publish"): HandshakeVector {
  const url = new URL(`../vectors/rtmp/handshake-${name}.json`, import.meta.url);
  const { c1, s1, s2, c2, ...rest } = JSON.parse(Deno.readTextFileSync(url));
  return { ...rest, c1: fromHex(c1), s1: fromHex(s1), s2: fromHex(s2), c2: fromHex(c2) };
}

/** Splits bytes into pieces of `size`. */
export function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export function joined(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The messages that a chunk reader reads from pieces of `size` bytes. */
export function read(bytes: Uint8Array, size = bytes.length): RtmpMessage[] {
  const messages: RtmpMessage[] = [];
  const reader = new ChunkReader((message) => {
    messages.push(message);
    if (message.type !== ControlType.setChunkSize) return;
    reader.chunkSize = new DataView(message.payload.buffer).getUint32(0);
  });
  for (const piece of pieces(bytes, Math.max(size, 1))) reader.receive(piece);
  return messages;
}

/** A lane that records the times of sent messages. */
export class TestLane implements Lane {
  queuedBytes = 0;
  queuedMessages = 0;
  readonly handedOut: number[] = [];

  constructor(readonly media = false) {}

  onHandedOut({ timestamp }: OutgoingMessage): void {
    this.handedOut.push(timestamp);
  }
}

/** A link whose host records its events. */
export class LinkEnd implements LinkHost {
  now = 0;
  opened = 0;
  readonly messages: RtmpMessage[] = [];
  readonly acknowledged: number[] = [];
  readonly events: [number, readonly number[]][] = [];
  readonly hmac = hmac;
  readonly random = pseudoRandom(7);
  readonly link: RtmpLink;

  constructor(role: "initiator" | "responder") {
    this.link = new RtmpLink(role, this);
  }

  onOpen(): void {
    this.opened++;
  }

  onMessage(message: RtmpMessage): void {
    this.messages.push(message);
  }

  onAcknowledged(bytes: number): void {
    this.acknowledged.push(bytes);
  }

  onUserControl(event: number, values: readonly number[]): void {
    this.events.push([event, values]);
  }

  onWritable(): void {}

  /** All bytes that wait to be sent. */
  take(blockSize = 4096): Uint8Array {
    const block = new Uint8Array(blockSize);
    const parts: Uint8Array[] = [];
    for (let length = 1; length > 0;) {
      length = this.link.fill(block);
      parts.push(block.slice(0, length));
    }
    return joined(...parts);
  }
}

/** Carries bytes between two ends until neither has more. */
export function settle(a: LinkEnd, b: LinkEnd, pieceSize = 1 << 20): void {
  for (;;) {
    const [toB, toA] = [a.take(), b.take()];
    if (toA.length === 0 && toB.length === 0) return;
    for (const piece of pieces(toB, pieceSize)) b.link.receive(piece);
    for (const piece of pieces(toA, pieceSize)) a.link.receive(piece);
  }
}
