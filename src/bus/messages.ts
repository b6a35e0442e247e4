// The bodies of the messages on the bus. NATS-110 to NATS-116. Texts are `VLU length | UTF-8`.
import type { Reader } from "../bytes/reader.ts";
import { fromUtf8, toUtf8 } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import type { Writer } from "../bytes/writer.ts";
import type { MessageCodec } from "./envelope.ts";

/** Maximum number of entries of a list in a message. */
const MAX_ENTRIES = 8192;
/** Maximum number of applications in a heartbeat; other servers start further ones when clients connect to them. */
const MAX_PATHS = 1024;
/** Maximum length of a heartbeat in bytes: a server keeps those of all others. */
const MAX_HEARTBEAT = 64 << 10;
/** Maximum number of members in one message. */
const MAX_MEMBERS = 64;
const PEER_ID = 32;
/** Length of the begin of a server's id, in characters, that identifies it: 40 random bits. */
const MARK = 8;

/** Load of a server. */
export interface Load {
  readonly clients: number;
  readonly publications: number;
  /** Delay of timers of its event loop, in milliseconds. */
  readonly lag: number;
}

export interface Heartbeat {
  /** Milliseconds since 1970, by that server's clock. */
  readonly startedAt: number;
  readonly sequence: number;
  /** `host:port` for clients. */
  readonly publicAddress: string;
  readonly load: Load;
  readonly properties: ReadonlyMap<string, string>;
  /** Paths of the applications that run there. */
  readonly paths: readonly string[];
}

const text = (to: Writer, value: string): Writer => {
  const bytes = toUtf8(value);
  return to.vlu(bytes.length).bytes(bytes);
};
const readTextFrom = (from: Reader): string => fromUtf8(from.bytes(from.vlu()));

function list<T>(to: Writer, values: readonly T[], write: (value: T) => void): void {
  to.vlu(values.length);
  for (const value of values) write(value);
}

function readList<T>(from: Reader, read: () => T, most = MAX_ENTRIES): T[] {
  const length = from.vlu();
  if (length > most) throw new WireError(`Cannot read a list of ${length} entries`);
  return Array.from({ length }, read);
}

const blob = (to: Writer, bytes: Uint8Array): Writer => to.vlu(bytes.length).bytes(bytes);
const readBlob = (from: Reader): Uint8Array => from.bytes(from.vlu()).slice();

export const heartbeat: MessageCodec<Heartbeat> = {
  kind: 1,
  write(to, { startedAt, sequence, publicAddress, load, properties, paths }) {
    to.vlu(startedAt).u32(sequence);
    text(to, publicAddress).u32(load.clients).u32(load.publications).u16(
      Math.min(load.lag, 0xffff),
    );
    list(to, [...properties], ([name, value]) => text(text(to, name), value));
    list(to, fitting(paths.slice(0, MAX_PATHS), MAX_HEARTBEAT - to.at), (path) => text(to, path));
  },
  read(from) {
    if (from.left > MAX_HEARTBEAT) {
      throw new WireError(`Cannot read a heartbeat of ${from.left} bytes`);
    }
    return {
      startedAt: from.vlu(),
      sequence: from.u32(),
      publicAddress: readTextFrom(from),
      load: { clients: from.u32(), publications: from.u32(), lag: from.u16() },
      properties: new Map(
        readList(from, () => [readTextFrom(from), readTextFrom(from)] as const),
      ),
      paths: readList(from, () => readTextFrom(from)),
    };
  },
};

/** As many of the first texts as fit into `bytes`. */
function fitting(texts: readonly string[], bytes: number): readonly string[] {
  let left = bytes - 64; // for the count, and the head and proof of a message
  const end = texts.findIndex((one) => (left -= toUtf8(one).length + 5) < 0);
  return end < 0 ? texts : texts.slice(0, end);
}

/** A server leaves in order. */
export const bye: MessageCodec<void> = { kind: 2, write() {}, read() {} };

/** Calls a handler of scripts at the other server: `handler | AMF values`. CLU-066. */
export interface Call {
  readonly handler: string;
  readonly payload: Uint8Array;
}

export const call: MessageCodec<Call> = {
  kind: 3,
  write: (to, { handler, payload }) => void text(to, handler).bytes(payload),
  read: (from) => ({ handler: readTextFrom(from), payload: from.rest().slice() }),
};

/** A call of several servers, as one message to all of the cluster. NATS-504. */
export interface CallOfMany extends Call {
  /** {@link markOf} each server. */
  readonly marks: readonly string[];
}

/** @param id base32 */
export const markOf = (id: string): string => id.slice(0, MARK);
/** Additional bytes of a call per server. */
export const MARK_BYTES = MARK;

export const callOfMany: MessageCodec<CallOfMany> = {
  kind: 14,
  write(to, { marks, handler, payload }) {
    list(to, marks, (mark) => to.bytes(toUtf8(mark)));
    call.write(to, { handler, payload });
  },
  read: (from) => ({ marks: readList(from, () => fromUtf8(from.bytes(MARK))), ...call.read(from) }),
};

/** A client looks for a peer that is not at the requesting server. NATS-302. */
export interface Lookup {
  /** Chosen by the requesting server, for the answer. */
  readonly request: number;
  /** 32 bytes. */
  readonly peerId: Uint8Array;
  /** The option sequence and tag of the hello as received. */
  readonly epd: Uint8Array;
  readonly tag: Uint8Array;
  /** Addresses of the seeker, `ip:port`, first the observed one. */
  readonly addresses: readonly string[];
  /** Number of earlier hellos of the same attempt. */
  readonly attempts: number;
}

export const lookup: MessageCodec<Lookup> = {
  kind: 4,
  write(to, { request, peerId, epd, tag, addresses, attempts }) {
    blob(blob(to.u32(request).bytes(peerId), epd), tag);
    list(to, addresses, (address) => text(to, address));
    to.vlu(attempts);
  },
  read: (from) => ({
    request: from.u32(),
    peerId: from.bytes(PEER_ID).slice(),
    epd: readBlob(from),
    tag: readBlob(from),
    addresses: readList(from, () => readTextFrom(from)),
    attempts: from.vlu(),
  }),
};

/** Answer of the peer's server, which has forwarded the hello to the peer. */
export interface Found {
  readonly request: number;
  /** Addresses of the peer, `ip:port`, first the observed one. */
  readonly addresses: readonly string[];
  /** Milliseconds since the server's last packet from the peer. */
  readonly silence: number;
}

export const found: MessageCodec<Found> = {
  kind: 5,
  write(to, { request, addresses, silence }) {
    list(to.u32(request), addresses, (address) => text(to, address));
    to.vlu(silence);
  },
  read: (from) => ({
    request: from.u32(),
    addresses: readList(from, () => readTextFrom(from)),
    silence: from.vlu(),
  }),
};

/** Members of a group at the sending server. NATS-310, NATS-311. */
export interface Members {
  /** 32 bytes. */
  readonly group: Uint8Array;
  /** 32 bytes each. */
  readonly peers: readonly Uint8Array[];
  /** The sender has no others. */
  readonly complete: boolean;
  /** The sender requests members at other servers. */
  readonly asks: boolean;
}

export const members: MessageCodec<Members> = {
  kind: 6,
  write(to, { group, peers, complete, asks }) {
    to.bytes(group).u8(Number(complete) | (Number(asks) << 1));
    list(to, peers, (peer) => to.bytes(peer));
  },
  read(from) {
    const group = from.bytes(PEER_ID).slice();
    const flags = from.u8();
    const peers = readList(from, () => from.bytes(PEER_ID).slice(), MAX_MEMBERS);
    return { group, peers, complete: (flags & 1) !== 0, asks: (flags & 2) !== 0 };
  },
};

/** A member left its group at the sending server. */
export const memberLeft: MessageCodec<{ readonly group: Uint8Array; readonly peer: Uint8Array }> = {
  kind: 7,
  write: (to, { group, peer }) => void to.bytes(group).bytes(peer),
  read: (from) => ({ group: from.bytes(PEER_ID).slice(), peer: from.bytes(PEER_ID).slice() }),
};

/** The sending server publishes a name, or has stopped. NATS-430. */
export interface Claim {
  readonly name: string;
  /** Id of the publication at its server. */
  readonly id: number;
  /** Milliseconds since 1970 by that server's clock: the oldest claim wins. */
  readonly begunAt: number;
}

const claimOf = (kind: number): MessageCodec<Claim> => ({
  kind,
  write: (to, { name, id, begunAt }) => void text(to, name).u32(id).vlu(begunAt),
  read: (from) => ({ name: readTextFrom(from), id: from.u32(), begunAt: from.vlu() }),
});

export const claim = claimOf(8);
export const end = claimOf(9);

/** The sending server has listeners for a name. NATS-410, NATS-413. */
export interface Join {
  readonly name: string;
  /** The server and publication that it gets frames from; "" and 0: none yet. */
  readonly from: string;
  readonly id: number;
  /** Chosen by the sender, for the {@link State} that answers. */
  readonly request: number;
}

const joinOf = (kind: number): MessageCodec<Join> => ({
  kind,
  write: (to, { name, from, id, request }) => void text(text(to, name), from).u32(id).u32(request),
  read: (from) => ({
    name: readTextFrom(from),
    from: readTextFrom(from),
    id: from.u32(),
    request: from.u32(),
  }),
});

export const join = joinOf(10);
/** It has no listeners any more. */
export const leave = joinOf(11);

/** A part of the initial state of a new listener: see {@link Media.frames}. */
export interface State extends Claim {
  /** The join that this answers. */
  readonly request: number;
  /** Sequence number of the next {@link Media}. */
  readonly next: number;
  /** From 0. */
  readonly part: number;
  /** A view of the message. */
  readonly frames: Uint8Array;
}

export const state: MessageCodec<State> = {
  kind: 12,
  write(to, message) {
    claim.write(to, message);
    to.u32(message.request).u32(message.next).vlu(message.part).bytes(message.frames);
  },
  read: (from) => ({
    ...claim.read(from),
    request: from.u32(),
    next: from.u32(),
    part: from.vlu(),
    frames: from.rest(),
  }),
};

/** Frames of a publication, in the order of their sequence numbers. NATS-411. */
export interface Media {
  readonly name: string;
  readonly id: number;
  readonly sequence: number;
  /** The format is in `frames.ts`; a view of the message. */
  readonly frames: Uint8Array;
}

export const media: MessageCodec<Media> = {
  kind: 13,
  write: (to, { name, id, sequence, frames }) =>
    void text(to, name).u32(id).u32(sequence).bytes(frames),
  read: (from) => ({
    name: readTextFrom(from),
    id: from.u32(),
    sequence: from.u32(),
    frames: from.rest(),
  }),
};
