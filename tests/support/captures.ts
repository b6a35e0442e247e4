// Captured traffic of real implementations; see tests/vectors/captures/README.md.
import { fromHex } from "../../src/bytes/hex.ts";
import { type Address, parseAddress } from "../../src/common/address.ts";
import { portable } from "../../src/rtmfp/crypto/portable.ts";
import { type PacketCipher, startupCipher } from "../../src/rtmfp/crypto/packet_cipher.ts";
import { deriveKeys, sessionCipher } from "../../src/rtmfp/crypto/session_keys.ts";

/** Names of the captures in `tests/vectors/captures`. */
export const captureNames = [
  "librtmfp-cumulus-connect",
  "librtmfp-cumulus-calls",
  "librtmfp-cumulus-publish_play",
  "librtmfp-cumulus-p2p",
  "librtmfp-cumulus-netgroup",
  "rtmfpcpp_g14-tcserver-rpc",
  "rtmfpcpp-tcserver_strict-publish_play",
] as const;

/** Parameters of a captured session. */
export interface CapturedSession {
  /** Diffie-Hellman group. */
  readonly group: number;
  /** Private exponents. */
  readonly initiatorPrivate: Uint8Array;
  readonly responderPrivate: Uint8Array;
  /** Shared secret. */
  readonly secret: Uint8Array;
  /** AES keys. */
  readonly initiatorToResponderKey: Uint8Array;
  readonly responderToInitiatorKey: Uint8Array;
  readonly initiatorNonce: Uint8Array;
  readonly responderNonce: Uint8Array;
  /** Bytes of HMAC on every packet, 0 for none. */
  readonly hmacLength: number;
  readonly initiatorToResponderHmacKey?: Uint8Array;
  readonly responderToInitiatorHmacKey?: Uint8Array;
  /** Whether packets have sequence numbers. */
  readonly sequence: boolean;
  readonly initiatorSessionId: number;
  readonly responderSessionId: number;
  readonly initiatorCertificate: Uint8Array;
  readonly responderCertificate: Uint8Array;
  readonly initiatorComponent: Uint8Array;
  readonly responderComponent: Uint8Array;
}

export interface CapturedDatagram {
  /** Milliseconds since the first one. */
  readonly time: number;
  readonly from: Address;
  readonly to: Address;
  /** Undefined: the default key. */
  readonly session: CapturedSession | undefined;
  /** Whether the initiator of the session sent it. */
  readonly fromInitiator: boolean;
  /** The datagram; a new copy at every access, so it may be opened in place. */
  readonly bytes: Uint8Array;
}

export interface Capture {
  readonly name: string;
  readonly sessions: readonly CapturedSession[];
  readonly datagrams: readonly CapturedDatagram[];
}

/** Reads a capture. */
export function loadCapture(name: string): Capture {
  const url = new URL(`../vectors/captures/${name}.txt`, import.meta.url);
  const sessions: CapturedSession[] = [];
  const datagrams: CapturedDatagram[] = [];
  for (const line of Deno.readTextFileSync(url).split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("session ")) sessions.push(sessionOf(line.slice(8)));
    else datagrams.push(datagramOf(line, sessions));
  }
  return { name, sessions, datagrams };
}

/** The ciphers of both ends of a session, new ones. */
export function ciphersOf(
  session: CapturedSession,
): { initiator: PacketCipher; responder: PacketCipher } {
  const { secret, initiatorComponent, responderComponent, hmacLength, sequence } = session;
  const keys = deriveKeys(portable, secret, initiatorComponent, responderComponent);
  const protection = {
    hmacOut: hmacLength,
    hmacIn: hmacLength,
    sequenceOut: sequence,
    sequenceIn: sequence,
  };
  return {
    initiator: sessionCipher(portable, keys, protection, "initiator"),
    responder: sessionCipher(portable, keys, protection, "responder"),
  };
}

/** Every datagram of a capture with its plain packet, padding included, in order. */
export function* openedPackets(
  capture: Capture,
): Generator<{ datagram: CapturedDatagram; packet: Uint8Array }> {
  const startup = startupCipher(portable);
  const ciphers = new Map(capture.sessions.map((session) => [session, ciphersOf(session)]));
  for (const datagram of capture.datagrams) {
    const pair = datagram.session && ciphers.get(datagram.session);
    const cipher = !pair ? startup : datagram.fromInitiator ? pair.responder : pair.initiator;
    const packet = cipher.open(datagram.bytes);
    if (!packet) {
      throw new Error(`${capture.name} at ${datagram.time} ms: ${cipher.dropped}`);
    }
    yield { datagram, packet };
  }
}

function sessionOf(json: string): CapturedSession {
  const members = Object.entries(JSON.parse(json)).map(([name, value]) => [
    name,
    typeof value === "string" ? fromHex(value) : value,
  ]);
  return Object.fromEntries(members);
}

function datagramOf(line: string, sessions: readonly CapturedSession[]): CapturedDatagram {
  const [time, from, to, key, hex] = line.split(" ");
  const bytes = fromHex(hex);
  return {
    time: Number(time) / 1000,
    from: parseAddress(from)!,
    to: parseAddress(to)!,
    session: key === "-" ? undefined : sessions[parseInt(key)],
    fromInitiator: key.endsWith(">"),
    get bytes() {
      return bytes.slice();
    },
  };
}
