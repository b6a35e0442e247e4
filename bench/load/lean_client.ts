import { AmfReader, type AmfValue, encodeAmf0 } from "../../src/amf/mod.ts";
import { Writer } from "../../src/bytes/writer.ts";
import { WireError } from "../../src/bytes/wire_error.ts";
import { readCommand } from "../../src/tc/format/commands.ts";
import {
  flowMessage,
  type Message,
  MessageType,
  readMessage,
  readUserControl,
  UserControl,
} from "../../src/tc/format/messages.ts";
import { joinMessage } from "../../src/client/net_group.ts";
import {
  GROUP_METADATA,
  isGroupMetadata,
  readTcMetadata,
  writeTcMetadata,
} from "../../src/tc/format/metadata.ts";
import {
  type Certificate,
  clientCertificate,
  readCertificate,
} from "../../src/rtmfp/crypto/certificate.ts";
import {
  publicKeyIn,
  readComponent,
  SIGNATURE,
  writeInitiatorComponent,
} from "../../src/rtmfp/crypto/component.ts";
import { type KeyPair, publicKeyOf, sharedSecret } from "../../src/rtmfp/crypto/dh.ts";
import type { PacketCipher } from "../../src/rtmfp/crypto/packet_cipher.ts";
import { agreeOnProtection, offer } from "../../src/rtmfp/crypto/protection.ts";
import { deriveKeys, sessionCipher } from "../../src/rtmfp/crypto/session_keys.ts";
import { Ack, readBitmapAck, readRangeAck, writeRangeAck } from "../../src/rtmfp/wire/ack.ts";
import { ChunkType, writeChunk } from "../../src/rtmfp/wire/chunk.ts";
import { readFlowOptions } from "../../src/rtmfp/wire/flow_options.ts";
import { iHello } from "../../src/rtmfp/wire/ihello.ts";
import { iiKeying } from "../../src/rtmfp/wire/iikeying.ts";
import { Mode, PacketFlag, timestampOf, writePacketHeader } from "../../src/rtmfp/wire/packet.ts";
import { ping, pingReply } from "../../src/rtmfp/wire/ping.ts";
import { riKeying } from "../../src/rtmfp/wire/rikeying.ts";
import { sessionCloseAck } from "../../src/rtmfp/wire/session_close.ts";
import {
  readNextUserData,
  readUserData,
  UserData,
  writeUserData,
} from "../../src/rtmfp/wire/user_data.ts";
import { assembling, InFlow, OutFlow, type Sink } from "./flows.ts";
import type { Generator } from "./generator.ts";

/** Milliseconds until an unanswered handshake packet is repeated. */
const RETRY_INTERVAL = 1000;
/** Maximum delay (ms) of an acknowledgement. RFC 7016 §3.6.3.4.1. */
const MAX_ACK_DELAY = 200;
/** Free receive buffer that acknowledgements advertise, in blocks of 1,024 bytes, as Flash Player does. */
const BUFFER_BLOCKS = 16383;
/** Bytes of a private exponent: short, for speed; benchmarks need no security. */
const EXPONENT = 6;

const NOTHING: Sink = () => {};
const chunk = new UserData();
const outgoing = new UserData();
const ack = new Ack();

/** Receives the answer of a call; `values` are valid only during the call. */
export type Answer = (failed: boolean, values: AmfReader) => void;

/** One client: a session, its control flow and the flows of one stream. */
export class LeanClient {
  /** When to call {@link tick} (ms, `performance.now()`). */
  deadline = Infinity;
  state: "new" | "hello" | "keying" | "open" | "closed" = "new";
  onOpen: () => void = () => {};
  onClose: () => void = () => {};
  /** @returns the sink of a stream's flow; without it {@link onMessage} receives the messages */
  streamSink: ((flow: InFlow, metadata: Uint8Array) => Sink) | undefined;
  /** Receives the messages of the stream. @param timestamp milliseconds */
  onMessage: (type: number, timestamp: number, payload: Uint8Array) => void = () => {};
  /** Receives messages about shared objects; the payload is a view. */
  onShared: (payload: Uint8Array) => void = () => {};
  /** The server names another member of a joined group. @param peerId 32 bytes, valid during the call */
  onMember: (peerId: Uint8Array) => void = () => {};
  /** Whether packets carry the flag for time-critical data. */
  timeCritical = false;
  /** Whether it ignores all packets and sends none, like a client whose machine hangs. */
  stalled = false;

  #keys: KeyPair | undefined;
  #certificate!: Uint8Array;
  #component!: Uint8Array;
  #serverCertificate: Certificate | undefined;
  #cookie!: Uint8Array;
  #cipher: PacketCipher | undefined;
  #farId = 0;
  #retryAt = Infinity;
  readonly #tag = crypto.getRandomValues(new Uint8Array(16));

  readonly #out: OutFlow[] = [];
  readonly #in = new Map<number, InFlow>();
  #control!: OutFlow;
  /** The server's control flow. */
  #farControl: number | undefined;
  readonly #calls = new Map<number, Answer>();
  #lastTransaction = 0;

  #unacknowledged = 0;
  #ackAt = Infinity;
  #timestamp = -1;
  #timestampAt = 0;
  #keepAlive = 15_000;
  #pingAt = Infinity;

  /** @param id session id */
  constructor(readonly generator: Generator, readonly id: number, readonly socket: number) {
    new DataView(this.#tag.buffer).setUint32(0, id);
  }

  /** Generates the key pair before the measurement, as that takes time. */
  prepare(): this {
    if (this.#keys) return this;
    const { group } = this.generator;
    const privateKey = crypto.getRandomValues(new Uint8Array(EXPONENT));
    privateKey[0]! |= 0x80;
    const publicKey = publicKeyOf(group, privateKey);
    this.#keys = { group, publicKey, privateKey };
    this.#certificate = clientCertificate([{ group, publicKey }]);
    this.#component = writeInitiatorComponent({
      ...offer(this.generator.policy),
      selectedGroup: group,
      randomness: crypto.getRandomValues(new Uint8Array(64)),
    });
    return this;
  }

  // Handshake

  open(): void {
    this.prepare();
    this.state = "hello";
    this.#sendHello();
  }

  onRHello(cookie: Uint8Array, certificate: Uint8Array): void {
    if (this.state !== "hello") return;
    this.state = "keying";
    this.#cookie = cookie;
    this.#serverCertificate = readCertificate(this.generator.crypto, certificate);
    this.#sendKeying();
  }

  #sendHello(): void {
    const { epd } = this.generator;
    this.#startup((to) => writeChunk(to, iHello, { epd, tag: this.#tag }));
  }

  #sendKeying(): void {
    this.#startup((to) =>
      writeChunk(to, iiKeying, {
        initiatorSessionId: this.id,
        cookie: this.#cookie,
        certificate: this.#certificate,
        component: this.#component,
        signature: SIGNATURE,
      })
    );
  }

  #startup(write: (to: Writer) => void): void {
    const { writer, buffer, startup, now } = this.generator;
    writePacketHeader(writer.reset(buffer, startup.headroom), Mode.startup, timestampOf(now));
    write(writer);
    this.generator.post(startup.seal(buffer, writer.at, 0), this.socket);
    this.#retryAt = this.deadline = now + RETRY_INTERVAL;
  }

  #onRIKeying(datagram: Uint8Array): void {
    const { startup, packet, crypto, policy } = this.generator;
    const plain = startup.open(datagram);
    if (!plain) return void this.generator.dropped++;
    for (packet.open(plain); packet.next();) {
      if (packet.type !== ChunkType.riKeying) continue;
      const { responderSessionId, component } = riKeying.read(packet.payload);
      const far = readComponent(component);
      const key = publicKeyIn(this.#serverCertificate!, far, this.#keys!.group);
      const secret = key && sharedSecret(this.#keys!, key.publicKey);
      const protection = agreeOnProtection(policy, far);
      if (!secret || !protection) return this.#close();
      const keys = deriveKeys(crypto, secret, this.#component, component.slice());
      this.#cipher = sessionCipher(crypto, keys, protection, "initiator");
      this.#farId = responderSessionId;
      this.state = "open";
      this.#retryAt = Infinity;
      this.deadline = this.#pingAt = this.generator.now + this.#keepAlive;
      this.#control = this.openFlow(writeTcMetadata(0));
      return this.onOpen();
    }
  }

  // Packets in

  receive(datagram: Uint8Array): void {
    if (this.stalled) return;
    if (this.state === "keying") return this.#onRIKeying(datagram);
    const cipher = this.#cipher;
    const start = this.state === "open" ? cipher!.unseal(datagram) : -1;
    if (start < 0) {
      this.generator.dropped++;
      return;
    }
    const { packet, now } = this.generator;
    packet.open(datagram, start, cipher!.packetEnd);
    if (packet.timestamp !== undefined && packet.timestamp !== this.#timestamp) {
      this.#timestamp = packet.timestamp;
      this.#timestampAt = now;
    }
    let data = false;
    let atOnce = false;
    while (packet.next()) {
      const { type, payload } = packet;
      switch (type) {
        case ChunkType.userData:
          readUserData(payload, chunk);
          data = true;
          if (this.#onData()) atOnce = true;
          break;
        case ChunkType.nextUserData:
          readNextUserData(payload, chunk);
          if (this.#onData()) atOnce = true;
          break;
        case ChunkType.rangeAck:
        case ChunkType.bitmapAck:
          ack.ranges.length = 0;
          if (type === ChunkType.rangeAck) readRangeAck(payload, ack);
          else readBitmapAck(payload, ack);
          this.#out.find(({ id }) => id === ack.flowId)?.acknowledge(ack, now);
          break;
        case ChunkType.ping: {
          const message = payload.rest().slice();
          this.#send((to) => writeChunk(to, pingReply, message));
          break;
        }
        case ChunkType.sessionClose:
        case ChunkType.sessionCloseAck:
          this.#send((to) => writeChunk(to, sessionCloseAck, undefined));
          return this.#close();
      }
      if (this.state !== "open") return;
    }
    if (!data) return;
    if (atOnce || ++this.#unacknowledged >= this.generator.ackEvery) this.#sendAcks();
    else if (this.#ackAt === Infinity) {
      this.#ackAt = now + MAX_ACK_DELAY;
      this.deadline = Math.min(this.deadline, this.#ackAt);
    }
  }

  /** @returns whether the acknowledgement must not wait */
  #onData(): boolean {
    let flow = this.#in.get(chunk.flowId);
    let fresh = false;
    if (!flow) {
      if (!chunk.options) return false;
      const { metadata } = readFlowOptions(chunk.options);
      flow = this.#accept(chunk.flowId, metadata ?? new Uint8Array(0));
      fresh = true;
    }
    flow.pending = true;
    const atOnce = flow.receive(chunk);
    return fresh || atOnce;
  }

  #accept(id: number, metadata: Uint8Array): InFlow {
    const stream = readTcMetadata(metadata)?.stream;
    let sink: Sink = NOTHING;
    const flow: InFlow = new InFlow(id, (part, data) => sink(part, data));
    if (stream === 0) {
      this.#farControl ??= id;
      sink = assembling((message) => this.#onControl(message));
    } else if (stream !== undefined) {
      sink = this.streamSink?.(flow, metadata) ?? assembling((bytes) => {
        const message = readMessage(bytes);
        if (message) this.onMessage(message.type, message.timestamp, message.payload);
      });
    } else if (isGroupMetadata(metadata)) {
      sink = assembling((message) => this.onMember(message.subarray(1)));
    }
    this.#in.set(id, flow);
    return flow;
  }

  #onControl(bytes: Uint8Array): void {
    const message = readMessage(bytes);
    if (!message) return;
    if (message.type === MessageType.userControl) {
      const { event, values } = readUserControl(message.payload);
      if (event === UserControl.setKeepAlive) this.#keepAlive = Math.max(values[0] ?? 0, 5000);
      return;
    }
    if (message.type === MessageType.sharedObjectAmf3) return this.onShared(message.payload);
    try {
      const command = readCommand(message);
      if (!command) return;
      const { name, transaction, values } = command;
      if (name !== "_result" && name !== "_error") return;
      const answer = this.#calls.get(transaction);
      this.#calls.delete(transaction);
      answer?.(name === "_error", values);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }

  // Packets out

  /** @returns a new sending flow; all but the first are associated with the server's control flow */
  openFlow(metadata: Uint8Array): OutFlow {
    const flow = new OutFlow(this.#out.length + 2, metadata, this.#farControl, (flow, sent) => {
      this.#send((to) => writeUserData(to, flow.fill(outgoing, sent)));
      this.deadline = Math.min(this.deadline, this.generator.now + RETRY_INTERVAL / 4);
    });
    this.#out.push(flow);
    return flow;
  }

  /** Fragments sent again. */
  get resent(): number {
    return this.#out.reduce((sum, { resent }) => sum + resent, 0);
  }

  #begin(flags: number): Writer {
    const { writer, buffer, now } = this.generator;
    const elapsed = now - this.#timestampAt;
    const echo = this.#timestamp < 0 || elapsed > 128_000
      ? undefined
      : (this.#timestamp + Math.floor(elapsed / 4)) % 0x10000;
    writer.reset(buffer, this.#cipher!.headroom);
    return writePacketHeader(writer, Mode.initiator | flags, timestampOf(now), echo);
  }

  #end(to: Writer): void {
    const length = this.#cipher!.seal(this.generator.buffer, to.at, this.#farId);
    this.generator.post(length, this.socket);
    this.#pingAt = this.generator.now + this.#keepAlive;
  }

  #send(write: (to: Writer) => void): void {
    const to = this.#begin(this.timeCritical ? PacketFlag.timeCritical : 0);
    this.#writeAcks(to);
    write(to);
    this.#end(to);
  }

  #sendAcks(): void {
    const to = this.#begin(0);
    this.#writeAcks(to);
    this.#end(to);
  }

  #writeAcks(to: Writer): void {
    if (this.#unacknowledged === 0 && this.#ackAt === Infinity && !this.#anyPending()) return;
    for (const flow of this.#in.values()) {
      if (!flow.pending) continue;
      flow.pending = false;
      writeRangeAck(to, flow.id, BUFFER_BLOCKS, flow.cumulative, flow.ranges);
      if (flow.finished) this.#in.delete(flow.id);
    }
    this.#unacknowledged = 0;
    this.#ackAt = Infinity;
  }

  #anyPending(): boolean {
    for (const flow of this.#in.values()) if (flow.pending) return true;
    return false;
  }

  tick(): void {
    const { now } = this.generator;
    this.deadline = Infinity;
    if (this.stalled) return;
    if (this.state === "hello" || this.state === "keying") {
      if (now >= this.#retryAt) {
        if (this.state === "hello") this.#sendHello();
        else this.#sendKeying();
      }
      this.deadline = this.#retryAt;
      return;
    }
    if (this.state !== "open") return;
    if (now >= this.#ackAt) this.#sendAcks();
    let next = Infinity;
    for (const flow of this.#out) next = Math.min(next, flow.tick(now));
    if (now >= this.#pingAt) this.#send((to) => writeChunk(to, ping, new Uint8Array(0)));
    this.deadline = Math.min(next, this.#ackAt, this.#pingAt);
  }

  /** Ends the session abruptly, as Flash Player does. */
  close(): void {
    if (this.state === "open") {
      this.generator.now = performance.now();
      this.#send((to) => writeChunk(to, sessionCloseAck, undefined));
    }
    this.#close();
  }

  #close(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.deadline = Infinity;
    this.#cipher?.free();
    this.onClose();
  }

  // Commands

  /** @param values AMF of the command object and the arguments */
  call(name: string, values: Uint8Array, answer: Answer): void {
    const transaction = ++this.#lastTransaction;
    this.#calls.set(transaction, answer);
    this.#control.write(writeInvocation(name, transaction, values), this.generator.now);
  }

  /** Sends a message on message stream 0. */
  control(message: Message): void {
    this.#control.write(flowMessage(message), this.generator.now);
  }

  /** Connects to an application. */
  connect(app: string, url: string, answer: Answer): void {
    const object: AmfValue = {
      app,
      flashVer: "WIN 32,0,0,465",
      tcUrl: url,
      fpad: false,
      capabilities: 235,
      audioCodecs: 3575,
      videoCodecs: 252,
      videoFunction: 1,
      objectEncoding: 3,
    };
    this.call("connect", encodeAmf0(object), answer);
  }

  /** SHA-256 of its certificate. */
  get peerId(): Uint8Array {
    return this.generator.crypto.sha256(this.prepare().#certificate);
  }

  /** Joins a group. @param id 32 bytes */
  joinGroup(id: Uint8Array): OutFlow {
    const flow = this.openFlow(GROUP_METADATA);
    flow.write(joinMessage(id), this.generator.now);
    return flow;
  }

  /** Sends a command, such as play or publish, on a new flow. @returns the flow */
  streamCommand(stream: number, name: string, ...args: AmfValue[]): OutFlow {
    const flow = this.openFlow(writeTcMetadata(stream));
    flow.write(writeInvocation(name, 0, encodeAmf0(null, ...args)), this.generator.now);
    return flow;
  }
}

function writeInvocation(name: string, transaction: number, values: Uint8Array): Uint8Array {
  const head = encodeAmf0(name, transaction);
  return new Writer(5 + head.length + values.length)
    .u8(MessageType.command).u32(0).bytes(head).bytes(values).view();
}
