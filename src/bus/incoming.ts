// A publication of another server with listeners at this one. NATS-410, NATS-412.
import { WireError } from "../bytes/wire_error.ts";
import { type BusFrame, FrameReader } from "./frames.ts";
import { type Claim, join, leave, type Media, type State } from "./messages.ts";
import type { Post } from "./post.ts";

/** Time (ms) between two joins, which state that a server has listeners. */
const JOIN_INTERVAL = 5_000;
/** The same while no publisher has answered. */
const FIRST_JOIN_INTERVAL = 1_000;
/** Maximum number of joins at the shorter interval. */
const FIRST_JOINS = 3;
/** Minimum time (ms) between a join and the next one after a claim: its answer may be in flight. */
const ANSWER_TIMEOUT = 200;

export interface IncomingUser {
  /** A server publishes a name with listeners here. */
  onBegin(name: string, server: string): void;
  /** @param lost data before this frame were lost */
  onFrame(name: string, frame: BusFrame, lost: boolean): void;
  onEnd(name: string): void;
}

/** Whether `a` owns a name rather than `b`: the one that began first. NATS-431. */
export function isBefore(
  a: { begunAt: number; server: string },
  b: { begunAt: number; server: string },
): boolean {
  return a.begunAt !== b.begunAt ? a.begunAt < b.begunAt : a.server < b.server;
}

interface Source extends Claim {
  readonly server: string;
}

export class Incoming {
  readonly #post: Post;
  readonly #user: IncomingUser;
  readonly #reader = new FrameReader();
  #source: Source | undefined;
  /** Sequence number of the next batch. */
  #next = 0;
  /** The next expected part of the state, after the last join. */
  #part = 0;
  #request = 0;
  readonly #lost = { audio: false, video: false };
  #joinAt: number;
  /** Number of joins since the last answer of a publisher, or its end. */
  #joins = 0;
  #joinedAt = -Infinity;

  constructor(post: Post, user: IncomingUser, readonly name: string, now: number) {
    this.#post = post;
    this.#user = user;
    this.#joinAt = now;
    post.subscribe(post.subjects.media(name));
  }

  /** The server that sends the frames: base32 of its id. */
  get source(): string | undefined {
    return this.#source?.server;
  }

  onClaim(server: string, claim: Claim, now: number): void {
    const source = this.#source;
    if (source && source.server === server && source.id !== claim.id) this.#end(now);
    if (this.#source && !isBefore({ ...claim, server }, this.#source)) return;
    this.#joins = 0;
    this.#joinAt = Math.min(this.#joinAt, Math.max(now, this.#joinedAt + ANSWER_TIMEOUT));
  }

  onEnd(server: string, id: number, now: number): void {
    if (this.#isSource(server, id)) this.#end(now);
  }

  onState(server: string, message: State, now: number): void {
    if (message.request !== this.#request) return;
    const source = this.#source;
    if (this.#isSource(server, message.id)) {
      if (message.part < this.#part) return; // a duplicate
      if (message.part === 0) this.#gap();
    } else {
      if (message.part !== 0) return; // its first part was lost: it will be requested again
      if (source && !isBefore({ ...message, server }, source)) return;
      if (source) this.#end(now);
      this.#source = { name: this.name, id: message.id, begunAt: message.begunAt, server };
      this.#lost.audio = this.#lost.video = false;
      this.#joinAt = now + JOIN_INTERVAL;
      this.#part = 0;
      this.#user.onBegin(this.name, server);
    }
    if (message.part !== this.#part) this.#gap();
    this.#part = message.part + 1;
    this.#next = message.next;
    this.#deliver(message.frames);
  }

  onMedia(server: string, { id, sequence, frames }: Media): void {
    if (!this.#isSource(server, id)) return;
    const ahead = (sequence - this.#next) | 0;
    if (ahead < 0) return; // a duplicate, or late
    if (ahead > 0) this.#gap();
    this.#next = (sequence + 1) >>> 0;
    this.#deliver(frames);
  }

  onServerGone(server: string, now: number): void {
    if (this.#source?.server === server) this.#end(now);
  }

  /** The bus is connected again. */
  connected(now: number): void {
    this.#joins = 0;
    this.#joinAt = now;
  }

  /** The last listener here has left, or a client here publishes the name. */
  close(now: number): void {
    const { subjects } = this.#post;
    this.#post.unsubscribe(subjects.media(this.name));
    const source = this.#source;
    if (!source) return;
    const { name } = this;
    const message = { name, from: source.server, id: source.id, request: 0 };
    this.#post.send(subjects.control(name), leave, message);
    this.#end(now);
  }

  get deadline(): number {
    return this.#joinAt;
  }

  flush(now: number): void {
    if (now < this.#joinAt) return;
    const source = this.#source;
    this.#joinedAt = now;
    this.#part = 0;
    this.#request = (this.#request + 1) >>> 0;
    const isEager = !source && this.#joins++ < FIRST_JOINS;
    this.#joinAt = now + (isEager ? FIRST_JOIN_INTERVAL : JOIN_INTERVAL);
    const { name } = this;
    const request = this.#request;
    const message = { name, from: source?.server ?? "", id: source?.id ?? 0, request };
    this.#post.send(this.#post.subjects.control(name), join, message);
  }

  #isSource(server: string, id: number): boolean {
    return this.#source?.server === server && this.#source.id === id;
  }

  #gap(): void {
    this.#lost.audio = this.#lost.video = true;
    this.#reader.reset();
  }

  #deliver(batch: Uint8Array): void {
    let frames: BusFrame[];
    try {
      frames = this.#reader.read(batch);
    } catch (error) {
      this.#gap();
      if (error instanceof WireError) return;
      throw error;
    }
    for (const frame of frames) {
      const { kind } = frame;
      const isMedia = kind === "audio" || kind === "video";
      this.#user.onFrame(this.name, frame, isMedia && this.#lost[kind]);
      if (isMedia) this.#lost[kind] = false;
    }
  }

  #end(now: number): void {
    this.#source = undefined;
    this.#joins = 0;
    this.#joinAt = Math.min(this.#joinAt, now + FIRST_JOIN_INTERVAL);
    this.#reader.reset();
    this.#user.onEnd(this.name);
  }
}
