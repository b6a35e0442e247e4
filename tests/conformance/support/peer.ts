// A client whose application lets it run Lua: see `probe` in probe.ts.
import { type AmfValue, MixedArray, TypedObject } from "../../../src/amf/mod.ts";
import { type ConnectOptions, NetConnection } from "../../../src/client/net_connection.ts";
import { NetStream, type StreamData } from "../../../src/client/net_stream.ts";
import type { Status } from "../../../src/tc/format/status.ts";
import { PATIENCE } from "../../support/wait.ts";
import { Inbox } from "./inbox.ts";

export interface PeerOptions extends Omit<ConnectOptions, "handler"> {
  /** Answers to calls of the server, by name. */
  readonly answers?: Readonly<Record<string, (...args: AmfValue[]) => AmfValue>>;
}

export interface Call {
  readonly name: string;
  readonly args: AmfValue[];
}

/** A connected client. */
export class Peer {
  /** Calls of the server, in order. */
  readonly calls = new Inbox<Call>();
  readonly statuses = new Inbox<Status>();
  /** Why the connection ended, once it has. */
  readonly ends = new Inbox<string>();
  #connection: NetConnection | undefined;

  private constructor() {}

  /** @throws {StatusError | ConnectionError} */
  static async connect(url: string, options: PeerOptions = {}): Promise<Peer> {
    const peer = new Peer();
    peer.#connection = await NetConnection.connect(url, {
      timeout: PATIENCE,
      ...options,
      handler: {
        onCall: (name, args) => {
          peer.calls.push({ name, args: args.map(plain) });
          return options.answers?.[name]?.(...args);
        },
        onStatus: (status) => peer.statuses.push(status),
        onClose: (reason) => peer.ends.push(reason),
      },
    });
    return peer;
  }

  get connection(): NetConnection {
    return this.#connection!;
  }

  get id(): string {
    return this.connection.nearId;
  }

  /** The info object that connect was answered with. */
  get info(): Record<string, AmfValue> {
    return plain(this.connection.info) as Record<string, AmfValue>;
  }

  /** Calls a function of the application. @throws {StatusError} */
  async call(name: string, ...args: AmfValue[]): Promise<AmfValue> {
    return plain(await this.connection.call(name, ...args));
  }

  /**
   * Runs Lua in the application; `client` and the arguments are `...` there.
   * @returns its first result
   * @throws {StatusError} if it fails there
   */
  // deno-lint-ignore no-explicit-any -- whatever the test returns
  lua(code: string, ...args: AmfValue[]): Promise<any> {
    return this.call("lua", code, ...args);
  }

  /** The arguments of a call that the server makes, or has made. @throws {Timeout} */
  async called(name: string, from = 0): Promise<AmfValue[]> {
    return (await this.calls.find((call) => call.name === name, `a call of ${name}`, from)).args;
  }

  /** @throws {Timeout} */
  status(code: string): Promise<Status> {
    return this.statuses.find((status) => status.code === code, `the status ${code}`);
  }

  /** Waits until the connection has ended. @throws {Timeout} */
  ended(patience?: number): Promise<string> {
    return this.ends.find(() => true, "the end of the connection", 0, patience);
  }

  async stream(): Promise<PeerStream> {
    return new PeerStream(await this.connection.createStream());
  }

  async publish(name: string): Promise<PeerStream> {
    const stream = await this.stream();
    await stream.net.publish(name);
    return stream;
  }

  async play(name: string, start?: number): Promise<PeerStream> {
    const stream = await this.stream();
    await stream.net.play(name, start);
    return stream;
  }

  /** Vanishes without a packet. */
  async vanish(): Promise<void> {
    this.connection.session.abort();
    await this.connection.close();
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

export interface Packet {
  readonly kind: "audio" | "video";
  /** When it came, as `Date.now()` has it. */
  readonly at: number;
  readonly time: number;
  readonly data: Uint8Array;
}

/** A stream that keeps all that comes. */
export class PeerStream {
  readonly packets = new Inbox<Packet>();
  readonly data = new Inbox<{ name: string; values: AmfValue[] }>();
  readonly statuses = new Inbox<Status>();
  readonly commands = new Inbox<string>();

  constructor(readonly net: NetStream) {
    net.handler = {
      onAudio: (time, data) => this.#keep("audio", time, data),
      onVideo: (time, data) => this.#keep("video", time, data),
      onData: (data: StreamData) =>
        this.data.push({ name: data.name, values: data.values().map(plain) }),
      onStatus: (status) => this.statuses.push(status),
      onCommand: (name) => this.commands.push(name),
    };
  }

  #keep(kind: Packet["kind"], time: number, data: Uint8Array): void {
    this.packets.push({ kind, at: Date.now(), time, data: data.slice() });
  }

  /** The nth packet of a kind. @throws {Timeout} */
  packet(kind: "audio" | "video", place = 0): Promise<Packet> {
    let left = place;
    return this.packets.find((packet) => packet.kind === kind && left-- === 0, `${kind} ${place}`);
  }

  /** @throws {Timeout} */
  status(code: string): Promise<Status> {
    return this.statuses.find((status) => status.code === code, `the status ${code}`);
  }

  /** @throws {Timeout} */
  dataOf(name: string): Promise<AmfValue[]> {
    return this.data.find((data) => data.name === name, `data ${name}`).then(({ values }) =>
      values
    );
  }
}

/** The value with ordinary objects and arrays, for `assert.deepEqual`. */
export function plain(value: AmfValue): AmfValue {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof MixedArray) {
    return new MixedArray(members(value.named), value.dense.map(plain));
  }
  if (value instanceof TypedObject) return new TypedObject(value.type, members(value.members));
  if (typeof value !== "object" || value === null) return value;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype
    ? members(value as Record<string, AmfValue>)
    : value;
}

function members(object: Record<string, AmfValue>): Record<string, AmfValue> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, plain(value)]));
}
