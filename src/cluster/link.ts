// One end of the connection between two servers, without the connection: bytes in, bytes out.
// CLU-060 to CLU-068; DECISIONS 19 for the secret.
import { fromUtf8, toUtf8 } from "../bytes/text.ts";
import { WireError } from "../bytes/wire_error.ts";
import { Writer } from "../bytes/writer.ts";
import { Authentication, type End, type Hmac } from "./authentication.ts";
import { type Frame, FrameReader, FrameWriter, MAX_FRAME } from "./frame.ts";
import { RecordReader, RecordWriter } from "./signed_records.ts";
import {
  type Identity,
  MAX_PATHS,
  readIdentity,
  readPaths,
  writeIdentity,
  writePaths,
} from "./identity.ts";

/** Handler of frames with paths of running applications (CLU-065). */
const RUNNING = ".";
/** Maximum length of a handler name in bytes (CLU-024). */
const MAX_NAME = 255;
/** Time (ms) without a sent frame after which an empty one is sent as heartbeat. */
const BEAT_INTERVAL = 10_000;
/** Time (ms) without received data after which a server that sends heartbeats counts as lost. */
const SILENCE_TIMEOUT = 35_000;
/** Maximum time (ms) until the other end has identified itself, its proof of the secret included. */
const IDENTIFY_TIMEOUT = 5_000;
/** Maximum length (bytes) of a frame before that. */
const MAX_UNIDENTIFIED = 65_536;
/** Time (ms) in which at most {@link MAX_PATHS} paths are accepted: each may start an application. */
const PATHS_INTERVAL = 10_000;
/** Maximum number of unreadable messages in {@link UNREADABLE_INTERVAL} (ms): each is logged. */
const MAX_UNREADABLE = 1_000;
const UNREADABLE_INTERVAL = 10_000;

export interface LinkHandler {
  /** The other server has identified itself, and counts as linked (CLU-008). Called once. */
  onIdentified(identity: Identity): void;
  /** The server identified itself again, which only adds properties (CLU-064). */
  onUpdated(identity: Identity): void;
  /** Paths of applications that run there. */
  onRunning(paths: string[]): void;
  /**
   * A message for a handler; `payload` has AMF values and is a view, valid until the call returns.
   *
   * @returns false if they cannot be read
   */
  onMessage(handler: string, payload: Uint8Array): boolean | void;
}

interface LinkOptions {
  /** Whether this end has opened the connection. */
  readonly initiator: boolean;
  readonly identity: Identity;
  readonly handler: LinkHandler;
  /** Paths of the applications of this server. */
  readonly paths: Iterable<string>;
  /** With a secret both ends must prove that they know it. */
  readonly secret?: { readonly key: Uint8Array; readonly hmac: Hmac; readonly end: End };
}

/**
 * `receive` and `tick` throw `WireError` on a fatal error: the owner closes the connection. After any
 * call `take` returns the bytes to send.
 */
export class Link {
  readonly #handler: LinkHandler;
  readonly #identity: Identity;
  readonly #secret: LinkOptions["secret"];
  readonly #authentication: Authentication | undefined;
  readonly #reader = new FrameReader(fromUtf8);
  readonly #writer = new FrameWriter(toUtf8);
  readonly #paths: string[];
  #out = new Writer(256);
  /** Signs sent records, and checks received ones, after authentication. */
  #records: { readonly out: RecordWriter; readonly in: RecordReader } | undefined;
  /** Bytes of the authentication to send. */
  #proofs = new Writer(128);
  #identified = false;
  #openedAt: number;
  #sentAt: number;
  #heardAt: number;
  #taken = { since: -Infinity, paths: 0 };
  #unreadable = { since: -Infinity, messages: 0 };
  /** Whether the other end sends heartbeats; a CumulusServer of 2016 does not. */
  #beats = false;

  constructor(options: LinkOptions, now: number) {
    this.#handler = options.handler;
    this.#identity = options.identity;
    this.#paths = [...options.paths];
    this.#reader.limit = MAX_UNIDENTIFIED;
    this.#openedAt = now;
    this.#sentAt = now;
    this.#heardAt = now;
    const secret = this.#secret = options.secret;
    if (secret) {
      this.#authentication = new Authentication(
        options.initiator,
        secret.key,
        secret.hmac,
        secret.end,
      );
      this.#flushAuthentication();
    } else this.#introduce();
  }

  /** Whether the other end identified itself. */
  get identified(): boolean {
    return this.#identified;
  }

  /** Number of ignored frames with an undefined handler id. */
  get unknownHandlers(): number {
    return this.#reader.unknown;
  }

  /** Bytes of incomplete frames. */
  get buffered(): number {
    return this.#reader.buffered + (this.#records?.in.buffered ?? 0);
  }

  /** Reason to log if the other end closes the connection now. */
  get closing(): string {
    if (this.#identified) return "the connection was closed";
    return this.#authentication?.answered
      ? "the other server does not accept this server's secret"
      : "the other server closed the connection before it identified itself";
  }

  receive(bytes: Uint8Array, now: number): void {
    this.#heardAt = now;
    if (this.#authentication && !this.#authentication.done) {
      bytes = this.#authentication.receive(bytes);
      this.#flushAuthentication();
      if (!this.#authentication.done) return;
      const { near, far } = this.#authentication.keys();
      const { hmac } = this.#secret!;
      this.#records = { out: new RecordWriter(near, hmac), in: new RecordReader(far, hmac) };
      this.#introduce();
    }
    if (this.#records) this.#records.in.push(bytes, (content) => this.#take(content, now));
    else this.#take(bytes, now);
  }

  #take(bytes: Uint8Array, now: number): void {
    this.#reader.push(bytes);
    for (let frame = this.#next(); frame; frame = this.#next()) {
      if (frame.handler === undefined) this.#identify(frame.payload);
      else if (frame.handler === RUNNING) this.#running(frame.payload, now);
      else if (this.#handler.onMessage(frame.handler, frame.payload) === false) {
        this.#countUnreadable(now);
      }
    }
  }

  #countUnreadable(now: number): void {
    const since = this.#unreadable.since;
    if (now - since >= UNREADABLE_INTERVAL) this.#unreadable = { since: now, messages: 0 };
    if (++this.#unreadable.messages <= MAX_UNREADABLE) return;
    throw new WireError(
      `Cannot take more than ${MAX_UNREADABLE} unreadable messages in ${
        UNREADABLE_INTERVAL / 1000
      } s`,
    );
  }

  /** Both ends identify themselves first (CLU-064); another first frame is a protocol error. */
  #next(): Frame | undefined {
    if (this.#identified) return this.#reader.next();
    try {
      const frame = this.#reader.next();
      if (!frame && this.#reader.unknown === 0) return undefined;
      if (frame && frame.handler === undefined) {
        readIdentity(frame.payload);
        return frame;
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
    throw new WireError(
      "the other server speaks another protocol" +
        (this.#authentication ? "" : ", or uses a secret"),
    );
  }

  /**
   * Sends a message of AMF values to a handler of the other server.
   *
   * @returns whether the name had to be cut to 255 bytes (CLU-024)
   * @throws {RangeError} if the name is empty or reserved
   */
  send(handler: string, payload: Uint8Array, now: number): boolean {
    if (handler === "" || handler === RUNNING) {
      throw new RangeError(`Cannot send to the handler "${handler}": invalid name`);
    }
    const name = cutName(handler);
    this.#writer.write(this.#out, name, payload);
    this.#sentAt = now;
    return name !== handler;
  }

  /** Sends the other end the paths of newly started applications. */
  announce(paths: Iterable<string>, now: number): void {
    if (this.#authentication && !this.#authentication.done) {
      this.#paths.push(...paths);
      return;
    }
    this.#writer.write(this.#out, RUNNING, writePaths(paths));
    this.#sentAt = now;
  }

  /**
   * Call every few seconds.
   *
   * @returns the reason if the link has failed, otherwise undefined
   */
  tick(now: number): string | undefined {
    if (!this.#identified) {
      return now - this.#openedAt > IDENTIFY_TIMEOUT ? "no identification in time" : undefined;
    }
    if (this.#beats && now - this.#heardAt > SILENCE_TIMEOUT) {
      return `it was silent for ${SILENCE_TIMEOUT / 1000} s`;
    }
    if (now - this.#sentAt >= BEAT_INTERVAL) this.announce([], now);
    return undefined;
  }

  /** Takes the bytes to be sent. */
  take(): Uint8Array {
    const all = this.#proofs;
    if (this.#records) this.#records.out.write(all, this.#out.view());
    else all.bytes(this.#out.view());
    this.#out.clear();
    const bytes = all.copy();
    all.clear();
    return bytes;
  }

  #flushAuthentication(): void {
    for (const part of this.#authentication!.take()) this.#proofs.bytes(part);
  }

  /** Both ends open with their identification and their applications (CLU-064, CLU-065). */
  #introduce(): void {
    this.#writer.write(this.#out, undefined, writeIdentity(this.#identity));
    this.#writer.write(this.#out, RUNNING, writePaths(this.#paths));
  }

  #identify(payload: Uint8Array): void {
    const identity = readIdentity(payload);
    if (this.#identified) return this.#handler.onUpdated(identity);
    this.#identified = true;
    this.#reader.limit = MAX_FRAME;
    this.#handler.onIdentified(identity);
  }

  #running(payload: Uint8Array, now: number): void {
    const paths = readPaths(payload);
    if (now - this.#taken.since >= PATHS_INTERVAL) this.#taken = { since: now, paths: 0 };
    if ((this.#taken.paths += paths.length) > MAX_PATHS) {
      throw new WireError(
        `Cannot take more than ${MAX_PATHS} paths in ${PATHS_INTERVAL / 1000} s`,
      );
    }
    // Only a server that sends heartbeats sends empty lists; from then on silence is a failure.
    if (paths.length === 0) this.#beats = true;
    if (paths.length > 0 && this.#identified) this.#handler.onRunning(paths);
  }
}

/** A handler's name in at most 255 bytes of UTF-8. */
function cutName(handler: string): string {
  let name = handler.slice(0, MAX_NAME);
  while (toUtf8(name).length > MAX_NAME) name = name.slice(0, -1);
  return name;
}
