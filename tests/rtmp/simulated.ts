// A door for RTMP with clients at the other end, in virtual time.
import { toHex } from "../../src/bytes/hex.ts";
import { Hub } from "../../src/media/hub.ts";
import type { RtmpMessage } from "../../src/rtmp/control.ts";
import { type LinkHost, RtmpLink } from "../../src/rtmp/link.ts";
import type { Lane } from "../../src/rtmp/out_queue.ts";
import { type RtmpLimits, RtmpServer } from "../../src/rtmp/rtmp_server.ts";
import type { Accepted } from "../../src/rtmp/rtmp_session.ts";
import type { RtmpSession, Wire } from "../../src/rtmp/rtmp_session.ts";
import type { Message } from "../../src/tc/format/messages.ts";
import type { DoorClient, Heard, TestedDoor } from "../doors/door.ts";
import { FakeApplication, FakeApplications, type Steps } from "../media/fakes.ts";
import { hmac, pieces, pseudoRandom, TestLane } from "./support.ts";

const MANAGE = 2_000;
const STEP = 100;

export const NO_LIMITS: RtmpLimits = {
  connections: Infinity,
  connectionsOfAddress: Infinity,
  unconnected: Infinity,
  unconnectedOfAddress: Infinity,
};

/** One TCP connection, whose client reads all bytes by default. */
export class SimulatedWire implements Wire {
  session: RtmpSession | undefined;
  /** Number of bytes that the client reads. */
  room = Infinity;
  ended = false;
  readonly #block = new Uint8Array(4096);

  wake(): void {}

  end(): void {
    this.ended = true;
  }

  /** Bytes of the server for the client. */
  *take(): Generator<Uint8Array> {
    while (this.session && this.room > 0) {
      const block = this.#block.subarray(0, Math.min(this.#block.length, this.room));
      const length = this.session.fill(block);
      if (length === 0) return;
      this.room -= length;
      yield block.slice(0, length);
    }
  }
}

/** A client that sends and receives on message streams. */
export class RtmpClient implements DoorClient, LinkHost {
  readonly heard: Heard[] = [];
  /** User control events, such as `[0, 1]`: StreamBegin of stream 1. */
  readonly events: number[][] = [];
  readonly hmac = hmac;
  readonly random = pseudoRandom(21);
  readonly link: RtmpLink;
  readonly wire = new SimulatedWire();
  readonly #lane: Lane = new TestLane();
  closed = false;

  constructor(readonly door: SimulatedDoor, accepted: Accepted) {
    this.wire.session = door.server.accept(this.wire, accepted);
    this.closed = this.wire.session === undefined;
    this.link = new RtmpLink("initiator", this);
  }

  get now(): number {
    return this.door.hub.now;
  }

  get session(): RtmpSession {
    return this.wire.session!;
  }

  send(stream: number, { type, timestamp, payload }: Message): void {
    this.link.send({ chunkStream: 3 + stream, type, timestamp, stream, payload }, this.#lane);
  }

  close(): void {
    this.closed = true;
    this.session.gone();
  }

  onMessage({ stream, type, timestamp, payload }: RtmpMessage): void {
    this.heard.push({ stream, message: { type, timestamp, payload } });
  }

  onUserControl(event: number, values: readonly number[]): void {
    this.events.push([event, ...values]);
  }

  onWritable(): void {}

  /** Delivers bytes in flight. @returns whether there were any */
  settle(pieceSize: number): boolean {
    let moved = false;
    const block = new Uint8Array(4096);
    for (let length = 1; length > 0 && !this.closed;) {
      length = this.link.fill(block);
      if (length === 0) break;
      moved = true;
      for (const piece of pieces(block.slice(0, length), pieceSize)) this.session.receive(piece);
    }
    for (const bytes of this.wire.take()) {
      moved = true;
      this.link.receive(bytes);
    }
    if (this.wire.ended && this.wire.room > 0) this.closed = true;
    return moved;
  }
}

export class SimulatedDoor implements TestedDoor {
  readonly application: FakeApplication;
  readonly applications: FakeApplications;
  readonly hub: Hub;
  readonly server: RtmpServer;
  readonly clients: RtmpClient[] = [];
  readonly logged: string[] = [];
  #managedAt = 0;

  constructor(
    steps: Steps = {},
    { limits = NO_LIMITS, pieceSize = 1 << 20, ...options }: {
      limits?: RtmpLimits;
      pieceSize?: number;
      sendQueue?: number;
      /** Bytes that a publication keeps since its last key frame. */
      recent?: number;
    } = {},
  ) {
    this.application = new FakeApplication(steps);
    this.applications = new FakeApplications(this.application);
    this.hub = new Hub({
      random: () => 0,
      log: (level, text) => this.logged.push(`${level} ${text}`),
      ip: (text) => text,
      ...options,
    });
    this.hub.serve(this.applications);
    this.pieceSize = pieceSize;
    let ids = 0;
    this.server = new RtmpServer(this.hub, {
      hmac,
      random: (length) => pseudoRandom(++ids)(length),
      limits,
    });
  }

  readonly pieceSize: number;

  open(hostname = "192.0.2.1"): RtmpClient {
    const address = `${hostname}:${1024 + this.clients.length}`;
    const client = new RtmpClient(this, { protocol: "rtmp", address, hostname });
    this.clients.push(client);
    return client;
  }

  pass(milliseconds: number): void {
    const until = this.hub.now + milliseconds;
    for (;;) {
      let moved = true;
      while (moved) {
        moved = false;
        for (const client of this.clients) {
          if (!client.closed) moved = client.settle(this.pieceSize) || moved;
        }
      }
      if (this.hub.now >= until) return;
      this.hub.now = Math.min(until, this.hub.now + STEP);
      this.server.manage();
      if (this.hub.now - this.#managedAt < MANAGE) continue;
      this.#managedAt = this.hub.now;
      this.hub.manage();
    }
  }
}

/** The messages that a client has received, without their bodies. */
export const typesOf = (client: RtmpClient): string[] =>
  client.heard.map(({ stream, message: { type, timestamp, payload } }) =>
    `${stream}: ${type} ${timestamp} ${toHex(payload.subarray(0, 8))}`
  );
