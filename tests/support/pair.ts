// Two endpoints on a lossy link, with helpers for tests.
import type { Address } from "../../src/common/address.ts";
import { clientCertificate, serverCertificate } from "../../src/rtmfp/crypto/certificate.ts";
import type { KeyAgreement, KeyPair } from "../../src/rtmfp/crypto/dh.ts";
import { DirectKeyAgreement } from "../../src/rtmfp/crypto/dh.ts";
import type { GroupId } from "../../src/rtmfp/crypto/dh_groups.ts";
import { plainBackend } from "./plain_backend.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import type { Policy } from "../../src/rtmfp/crypto/protection.ts";
import { Endpoint, type EndpointHandler } from "../../src/rtmfp/endpoint.ts";
import type { FlowReceiver } from "../../src/rtmfp/flow/handlers.ts";
import type { ReceiveFlow } from "../../src/rtmfp/flow/receive_flow.ts";
import type { SessionHandler } from "../../src/rtmfp/session/handlers.ts";
import type { Limits } from "../../src/rtmfp/session/limits.ts";
import type { Session } from "../../src/rtmfp/session/session.ts";
import { writeEpd } from "../../src/rtmfp/wire/epd.ts";
import { toUtf8 } from "../../src/bytes/text.ts";
import { type LinkSettings, LossyLink } from "./lossy_link.ts";
import { seededBytes } from "./random.ts";

export const SERVER: Address = { hostname: "192.0.2.1", port: 1935 };
export const CLIENT: Address = { hostname: "198.51.100.7", port: 50_123 };
export const EPD = writeEpd({ ancillary: toUtf8("rtmfp://server.example/live") });
export const METADATA = Uint8Array.of(0x54, 0x43, 0x04, 0x00);
export const plain = plainBackend(portable);

/** Caches each result of the key agreement, so that hundreds of handshakes are quick. */
export class RememberingAgreement implements KeyAgreement {
  readonly #direct: DirectKeyAgreement;
  readonly #pairs = new Map<GroupId, KeyPair[]>();
  readonly #secrets = new Map<KeyPair, Map<string, Uint8Array | undefined>>();
  #turn = 0;
  computed = 0;

  constructor(seed: number) {
    this.#direct = new DirectKeyAgreement(seededBytes(seed));
  }

  keyPair(group: GroupId): KeyPair {
    return this.pair(group, this.#turn++ % 4);
  }

  /** Returns the same pair for the same number. */
  pair(group: GroupId, number: number): KeyPair {
    const pairs = this.#pairs.get(group) ?? [];
    this.#pairs.set(group, pairs);
    while (pairs.length <= number) pairs.push(this.#direct.keyPair(group));
    return pairs[number];
  }

  agree(pair: KeyPair, far: Uint8Array, done: (secret: Uint8Array | undefined) => void): void {
    const key = far.join();
    const secrets = this.#secrets.get(pair) ?? new Map<string, Uint8Array | undefined>();
    this.#secrets.set(pair, secrets);
    this.computed++;
    if (secrets.has(key)) return done(secrets.get(key));
    this.#direct.agree(pair, far, (secret) => {
      secrets.set(key, secret);
      done(secret);
    });
  }
}

export const agreement = new RememberingAgreement(1);
const clientPair = agreement.pair(2, 0);

export interface ServerSettings {
  readonly limits?: Partial<Limits>;
  readonly policy?: Policy;
  readonly crypto?: typeof portable;
  readonly agreement?: KeyAgreement;
}

export function makeServer(
  seed: number,
  handler: EndpointHandler,
  { limits, policy, crypto, agreement: keyAgreement }: ServerSettings = {},
): Endpoint {
  const random = seededBytes(seed * 2 + 1);
  return new Endpoint({
    crypto: crypto ?? plain,
    keyAgreement: keyAgreement ?? agreement,
    random,
    identity: { certificate: serverCertificate(random, [2]), policy },
    handler,
    limits,
  });
}

export function makeClient(
  seed: number,
  { limits, policy, crypto, agreement: keyAgreement }: ServerSettings = {},
  handler: Partial<EndpointHandler> = {},
  keys: KeyPair = clientPair,
): Endpoint {
  return new Endpoint({
    crypto: crypto ?? plain,
    keyAgreement: keyAgreement ?? agreement,
    random: seededBytes(seed * 2),
    identity: { certificate: clientCertificate([keys]), keys: [keys], policy },
    handler: { onSession: () => new Recorder(), ...handler },
    limits,
  });
}

/** Accepts all flows and keeps their messages. */
export class Recorder implements SessionHandler {
  readonly messages: Uint8Array[] = [];
  readonly flows: ReceiveFlow[] = [];
  readonly closed: string[] = [];
  ended = 0;
  bufferCapacity: number | undefined;
  onMessage: ((message: Uint8Array, flow: ReceiveFlow) => void) | undefined;

  onFlow(flow: ReceiveFlow): FlowReceiver | null {
    this.flows.push(flow);
    if (this.bufferCapacity) flow.bufferCapacity = this.bufferCapacity;
    return {
      onMessage: (message) => {
        if (this.onMessage) this.onMessage(message, flow);
        else this.messages.push(message.slice());
      },
      onEnd: () => void this.ended++,
    };
  }

  onClose(reason: string, orderly: boolean): void {
    this.closed.push(`${reason}${orderly ? "" : " (not orderly)"}`);
  }
}

export interface Pair {
  readonly link: LossyLink;
  readonly server: Endpoint;
  readonly client: Endpoint;
  /** Events of the server's and the client's end of the session. */
  readonly atServer: Recorder;
  readonly atClient: Recorder;
  /** Both ends of the session, once it is open. */
  serverSession: Session | undefined;
  clientSession: Session | undefined;
}

/** A server and a client that opens a session to it. */
export function makePair(
  settings: LinkSettings,
  { server: serverSettings, client: clientSettings, rebindEvery }: {
    server?: ServerSettings;
    client?: ServerSettings;
    rebindEvery?: number;
  } = {},
): Pair {
  const link = new LossyLink(settings);
  const atServer = new Recorder();
  const atClient = new Recorder();
  const { seed } = settings;
  const server = makeServer(seed, {
    onSession(session) {
      pair.serverSession = session;
      return atServer;
    },
  }, serverSettings);
  const client = makeClient(seed, clientSettings);
  link.attach(server, SERVER, 0);
  link.attach(client, CLIENT, 1, rebindEvery);
  const pair: Pair = {
    link,
    server,
    client,
    atServer,
    atClient,
    serverSession: undefined,
    clientSession: undefined,
  };
  client.connect(EPD, [SERVER], {
    onOpen(session) {
      pair.clientSession = session;
      return atClient;
    },
  });
  return pair;
}

/** Runs until both ends of the session are open. */
export function open(pair: Pair, until = 95_000): void {
  pair.link.run({ until, done: () => !!pair.serverSession && !!pair.clientSession });
}

/** A message that contains its number, and bytes that reveal damage. */
export function numbered(number: number, length: number): Uint8Array {
  const message = new Uint8Array(Math.max(4, length));
  new DataView(message.buffer).setUint32(0, number);
  for (let i = 4; i < message.length; i++) message[i] = (number * 31 + i * 7) & 255;
  return message;
}

/** The number of a message of {@link message}. @throws {Error} if a byte is wrong */
export function numberOf(message: Uint8Array): number {
  const number = new DataView(message.buffer, message.byteOffset).getUint32(0);
  for (let i = 4; i < message.length; i++) {
    if (message[i] !== ((number * 31 + i * 7) & 255)) {
      throw new Error(`Message ${number} of ${message.length} bytes is wrong at ${i}`);
    }
  }
  return number;
}
