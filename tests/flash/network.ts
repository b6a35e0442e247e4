// Flash clients and a server on a simulated network.
import { type AmfValue, encodeAmf } from "../../src/amf/mod.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import type { Address } from "../../src/common/address.ts";
import { FlashServer } from "../../src/flash/flash_server.ts";
import {
  HEADER_LENGTH,
  type Message,
  MessageType,
  readMessage,
  writeMessage,
} from "../../src/tc/format/messages.ts";
import { readTcMetadata, writeTcMetadata } from "../../src/tc/format/metadata.ts";
import { DirectKeyAgreement } from "../../src/rtmfp/crypto/dh.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import type { Endpoint } from "../../src/rtmfp/endpoint.ts";
import type { ReceiveFlow } from "../../src/rtmfp/flow/receive_flow.ts";
import type { SendFlow } from "../../src/rtmfp/flow/send_flow.ts";
import type { Session } from "../../src/rtmfp/session/session.ts";
import { writeEpd } from "../../src/rtmfp/wire/epd.ts";
import { type LineSettings, type LinkSettings, LossyLink } from "../support/lossy_link.ts";
import { makeClient, makeServer, SERVER } from "../support/pair.ts";
import { seededBytes } from "../support/random.ts";
import type { HubOptions } from "../../src/media/hub.ts";
import { type FakeApplication, type Steps, world } from "../media/fakes.ts";
import { command, textOf } from "./fakes.ts";

/** A received media message. */
export interface Came {
  readonly kind: "audio" | "video";
  readonly time: number;
  readonly payload: Uint8Array;
  /** Time of arrival in ms. */
  readonly at: number;
}

export class Network {
  readonly link: LossyLink;
  readonly endpoint: Endpoint;
  readonly server: FlashServer;
  readonly hub;
  readonly application: FakeApplication;
  #clients = 0;

  constructor(readonly settings: LinkSettings, steps: Steps = {}, options?: Partial<HubOptions>) {
    const here = world(steps, options);
    this.hub = here.hub;
    this.application = here.application;
    this.hub.now = 0;
    this.server = new FlashServer(this.hub, {
      keepAliveServer: 15_000,
      keepAlivePeer: 10_000,
      sha256: (bytes) => portable.sha256(bytes),
      resolve: () => undefined,
    });
    this.link = new LossyLink(settings);
    this.endpoint = makeServer(settings.seed, this.server);
    const { hub, endpoint } = this;
    this.link.attach(
      {
        receive(datagram, from, now) {
          hub.now = now;
          endpoint.receive(datagram, from, now);
        },
        flush(now, out) {
          hub.now = now;
          hub.sharedObjects.flush(now);
          endpoint.flush(now, out);
        },
        get deadline() {
          return Math.min(endpoint.deadline, hub.sharedObjects.deadline);
        },
      },
      SERVER,
      0,
    );
  }

  /** Opens a session without a connect command. */
  open(): NetClient {
    const client = new NetClient(this, ++this.#clients, undefined);
    this.run(() => client.session !== undefined, 30_000);
    return client;
  }

  /**
   * Connects a client.
   * @param line its own, unless it shares that of the network
   */
  connect(app = "live", line?: LineSettings): NetClient {
    const client = new NetClient(this, ++this.#clients, app, line);
    this.run(() => client.log.length > 0, 30_000);
    return client;
  }

  /** Runs until `done`, for at most a given time. */
  run(done: () => boolean, most: number): void {
    const until = this.link.now + most;
    this.link.run({ until, done });
    if (!done()) throw new Error(`Not within ${most} ms`);
  }

  /** Runs for a time, with a tick of the server every 2 s. */
  pass(milliseconds: number): void {
    const end = this.link.now + milliseconds;
    while (this.link.now < end) {
      this.link.run({ until: Math.min(end, this.link.now + 2000) });
      this.hub.now = this.link.now;
      this.hub.manage();
    }
  }
}

/** A client that writes raw messages and records received ones. */
export class NetClient {
  readonly endpoint: Endpoint;
  readonly address: Address;
  /** Commands, data and events in order of arrival. */
  readonly log: string[] = [];
  readonly came: Came[] = [];
  /** All messages but media, each with its stream. */
  readonly heard: { readonly stream: number; readonly message: Message }[] = [];
  session: Session | undefined;
  control: SendFlow | undefined;
  /** The server's control flow. */
  answers: ReceiveFlow | undefined;
  closed: string | undefined;
  /** All flows of the server. */
  readonly flows: ReceiveFlow[] = [];
  /** Called for each received message, whose payload is valid only until the call returns. */
  onMessage: (message: Message) => void = () => {};
  /** Messages at which this client rejects the flow that brings them; they are not logged. */
  rejects: (text: string) => boolean = () => false;
  rejected = 0;
  #transaction = 1;

  /** @param app connected to once the session is open; undefined: no connect */
  constructor(
    readonly network: Network,
    number: number,
    app: string | undefined,
    line?: LineSettings,
  ) {
    const random = seededBytes(network.settings.seed * 1000 + number);
    const agreement = new DirectKeyAgreement(random);
    this.endpoint = makeClient(
      network.settings.seed * 1000 + number,
      { agreement },
      {},
      agreement.keyPair(2),
    );
    this.address = { hostname: `198.51.100.${number}`, port: 50_000 };
    network.link.attach(this.endpoint, this.address, 1, Infinity, line);
    const url = `rtmfp://server.example/${app ?? ""}`;
    this.endpoint.connect(writeEpd({ ancillary: toUtf8(url) }), [SERVER], {
      onOpen: (session) => {
        this.session = session;
        if (app !== undefined) {
          this.control = session.openFlow(writeTcMetadata(0));
          const object = { app, tcUrl: url, objectEncoding: 3 };
          this.control.write(command("connect", 1, object));
        }
        return {
          onFlow: (flow) => this.#onFlow(flow),
          onClose: (reason) => void (this.closed = reason),
        };
      },
    });
  }

  call(name: string, ...values: AmfValue[]): number {
    this.control!.write(command(name, ++this.#transaction, null, ...values));
    return this.#transaction;
  }

  /** Opens a flow of a stream that createStream returned. */
  stream(id = 1): SendFlow {
    this.call("createStream");
    this.network.run(() => this.log.some((line) => /^_result [2-9]/.test(line)), 30_000);
    return this.session!.openFlow(writeTcMetadata(id), { association: this.answers });
  }

  #onFlow(flow: ReceiveFlow) {
    const { stream } = readTcMetadata(flow.metadata)!;
    this.flows.push(flow);
    if (stream === 0) this.answers ??= flow;
    flow.bufferCapacity = 4 << 20;
    return {
      onMessage: (bytes: Uint8Array) => {
        const message = readMessage(bytes)!;
        const { type, timestamp: time, payload } = message;
        this.onMessage(message);
        this.heard.push({ stream, message: { ...message, payload: payload.slice() } });
        if (type === MessageType.audio || type === MessageType.video) {
          const kind = type === MessageType.audio ? "audio" : "video";
          this.came.push({ kind, time, payload: payload.slice(), at: this.network.link.now });
        } else {
          const text = textOf(bytes);
          if (!this.rejects(text)) return void this.log.push(text);
          this.rejected++;
          flow.reject(0);
        }
      },
    };
  }
}

/** A media message for the wire whose payload begins with `head` and holds a number. */
export function numberedFrame(
  kind: "audio" | "video",
  time: number,
  head: number[],
  number: number,
  length: number,
): Uint8Array {
  const payload = new Uint8Array(Math.max(length, head.length + 4));
  payload.set(head);
  new DataView(payload.buffer).setUint32(head.length, number);
  return writeMessage(kind === "audio" ? MessageType.audio : MessageType.video, time, payload);
}

export const play = (name: string, ...more: AmfValue[]) => command("play", 0, null, name, ...more);
export const publish = (name: string) => command("publish", 0, null, name, "live");
export const echo: Steps = {
  call: (client, _name, values) => {
    client.writer.result(encodeAmf(values.readValue()));
    return true;
  },
};
export { HEADER_LENGTH };
