import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { Frame } from "./frame.ts";
import { ListenerClock } from "./listener_clock.ts";
import type { Publication } from "./publication.ts";
import { type Arrival, QualityOfService } from "./quality_of_service.ts";

type Kind = "audio" | "video";

/** A playing stream, implemented by each door. */
export interface ListenerOutput {
  /**
   * Sends a frame.
   * @param time replaces the frame's time, in milliseconds
   * @param reliable false: not sent again when lost, and dropped when late
   */
  send(frame: Frame, time: number, reliable: boolean): void;
  /** Bytes of audio and video that wait, unsent. */
  readonly queuedBytes: number;
  /** The same of data. */
  readonly queuedDataBytes: number;
  /** Whether `bytes` more are too many although the queue's limit is not reached. */
  isFull?(bytes: number): boolean;
  /** Time (ms) at which the oldest video was written that {@link abandon} would drop; Infinity if there is none. */
  readonly videoWaitsSince: number;
  /**
   * Time (ms) at which the oldest audio or video was written of which nothing was sent, if the door has one
   * queue; Infinity if there is none.
   */
  readonly mediaWaitsSince?: number;
  /**
   * Drops the waiting audio or video of which nothing was sent.
   * @returns the number of frames, without codec headers
   */
  abandon(kind: Kind): number;
  /** Sends `|RtmpSampleAccess`. API-443. */
  sampleAccess(audio: boolean, video: boolean): void;
  /** A publisher of the stream began, or ended. API-712, API-713. */
  published(): void;
  unpublished(): void;
  /** The client was too slow: the waiting frames are dropped. */
  overflowed(): void;
  /**
   * A script ends it: sends `NetStream.<code>` to the client if its door can, and unsubscribes. Absent for
   * listeners of the server itself, which scripts cannot end.
   */
  ended?(code: string, description: string): void;
}

export interface ListenerOptions {
  /** Media are sent unreliably: lost frames are not sent again. API-445. */
  readonly unbuffered?: boolean;
  /** Parameters that the client added to the name. */
  readonly properties?: ReadonlyMap<string, string>;
  /**
   * Times begin at 0 with the first frame of this listener. For a listener that subscribes before its
   * publisher, only if they would begin above 1 s, or with `late` not at all.
   */
  readonly rebase?: boolean | "late";
  /** Maximum number of bytes that wait; the configured one by default. */
  readonly queueLimit?: number;
}

const NO_PROPERTIES: ReadonlyMap<string, string> = new Map();
/** Maximum time (ms, media time) that audio waits for the first key frame of a video. */
const MAX_AUDIO_WAIT = 3000;
/** Time (ms, media time) without a video frame after which audio does not wait for video. */
const VIDEO_TIMEOUT = 2000;
/** Maximum number of bytes that wait for an unbuffered listener, or half a second of its rate if that is more. */
const MAX_UNBUFFERED = 128 * 1024;
/** Maximum time (ms) that media wait for a listener that had caught up before. */
const MAX_DELAY = 2_000;
/** Minimum number of waiting bytes for {@link MAX_DELAY} to apply. */
const MIN_DELAYED = 256 * 1024;
/** A stream whose first time (ms) is below keeps its times: its audio and video may begin apart. */
const NEAR_ZERO = 1000;
/** Maximum time (ms) that unbuffered video waits when a key frame follows. */
const MAX_UNBUFFERED_DELAY = 200;

/**
 * A subscription to a publication. API-440 to API-445, rtmfp-wire §6.8.
 *
 * It starts at a key frame, after the codec headers, and again so after a pause, after being muted, and
 * after its client was too slow. Times are those of the publication, or begin at 0, but never go back:
 * with a new publisher they continue.
 */
export class Listener {
  readonly audioQos: QualityOfService;
  readonly videoQos: QualityOfService;
  readonly unbuffered: boolean;
  /** Parameters that the client added to the name, as `name?key=value`. DECISIONS 23. */
  readonly properties: ReadonlyMap<string, string>;
  /** False once the hub has removed it. */
  active = true;
  #started = false;
  #paused = false;
  #receiveAudio = true;
  #receiveVideo = true;
  #audioAccess = false;
  #videoAccess = false;

  /** Whether frames are sent, or wait for their start. */
  #audioFlows = false;
  #videoFlows = false;
  /** Whether video is not sent because its client was too slow or lost some. */
  #behind = false;
  /** Whether the queue was empty at least once since the start, or since frames were dropped. */
  #caughtUp = false;
  /** Whether the current codec headers were sent. */
  #audioHeaded = false;
  #videoHeaded = false;
  /** Time of the first audio frame that was held back. */
  #audioHeldSince: number | undefined;
  readonly #times = new ListenerClock();
  readonly #rebase: boolean | "late";

  /**
   * @param id the server-wide id of the client's stream. API-440.
   * @param client undefined: the server itself listens
   * @param queueLimit maximum number of bytes that wait for a reliable listener
   */
  constructor(
    readonly id: number,
    readonly client: Client | undefined,
    readonly publication: Publication,
    readonly output: ListenerOutput,
    readonly queueLimit: number,
    readonly clock: Clock,
    { unbuffered = false, rebase = false, properties = NO_PROPERTIES }: ListenerOptions = {},
  ) {
    this.properties = properties;
    this.unbuffered = unbuffered;
    this.#rebase = rebase;
    this.audioQos = new QualityOfService(clock);
    this.videoQos = new QualityOfService(clock);
  }

  /**
   * Begins to send, after the door has told the client that it plays: first the sample access that a
   * script allowed, then the publication's kept data, then its frames since the last key frame.
   */
  start(): void {
    if (this.#started || !this.active) return;
    this.#started = true;
    const isLate = this.publication.lastTime !== undefined;
    if (this.#rebase && isLate) this.#times.rebaseFrom = 0;
    else if (this.#rebase === true) this.#times.rebaseFrom = NEAR_ZERO;
    if (this.#audioAccess || this.#videoAccess) {
      this.output.sampleAccess(this.#audioAccess, this.#videoAccess);
    }
    const { publication } = this;
    for (const frame of publication.metadata.values()) {
      this.pushData(frame, publication.lastTime ?? frame.time);
    }
    const { recent } = publication;
    if (this.unbuffered || recent.bytes > this.queueLimit / 2) return;
    for (const { frame, time } of recent.frames) {
      if (frame.kind === "audio") this.pushAudio(frame, time);
      else this.pushVideo(frame, time);
    }
  }

  /** Whether {@link start} was called. */
  get started(): boolean {
    return this.#started;
  }

  get receiveAudio(): boolean {
    return this.#receiveAudio;
  }

  /** Frames of a kind that is off are not sent. API-444. */
  set receiveAudio(on: boolean) {
    if (on && !this.#receiveAudio) this.#restartAudio();
    this.#receiveAudio = on;
  }

  get receiveVideo(): boolean {
    return this.#receiveVideo;
  }

  set receiveVideo(on: boolean) {
    if (on && !this.#receiveVideo) this.#restartVideo();
    this.#receiveVideo = on;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Stops audio and video; after a pause they start anew at a key frame. */
  set paused(on: boolean) {
    if (this.#paused && !on) {
      this.#restartAudio();
      this.#restartVideo();
    }
    this.#paused = on;
  }

  get audioSampleAccess(): boolean {
    return this.#audioAccess;
  }

  /** Sends a change once the listener has started. API-443. */
  set audioSampleAccess(on: boolean) {
    this.#access(on, this.#videoAccess);
  }

  get videoSampleAccess(): boolean {
    return this.#videoAccess;
  }

  set videoSampleAccess(on: boolean) {
    this.#access(this.#audioAccess, on);
  }

  /** @param time of the publication's {@link Timeline} */
  pushAudio(frame: Frame, time: number): void {
    if (!this.#started || this.#paused || !this.#receiveAudio) return;
    if (frame.role === "header") {
      if (!this.#audioHeaded) return this.#sendHeaders("audio", time); // includes this one
      return this.#send(frame, "audio", time);
    }
    if (this.#overflows(frame)) return this.audioQos.gaveUp(1);
    if (!this.#audioFlows) {
      if (this.#holdsAudio(time)) {
        if (this.#behind) this.audioQos.gaveUp(1);
        return;
      }
      this.#audioFlows = true;
      if (!this.#audioHeaded) this.#sendHeaders("audio", time);
    }
    this.#send(frame, "audio", time);
  }

  /** @param time of the publication's {@link Timeline} */
  pushVideo(frame: Frame, time: number): void {
    if (!this.#started || this.#paused || !this.#receiveVideo) return;
    const { role } = frame;
    if (role === "header") {
      if (!this.#videoHeaded) return this.#sendHeaders("video", time);
    } else if (role === "key") {
      if (this.unbuffered) this.#giveWay();
      else this.#overflows(frame);
      if (!this.#videoHeaded) this.#sendHeaders("video", time);
      this.#videoFlows = true;
      this.#behind = false;
    } else {
      if (this.#videoFlows) this.#overflows(frame);
      if (!this.#videoFlows) {
        if (role !== "inter") return;
        if (this.#behind) this.videoQos.gaveUp(1);
        else this.videoQos.skippedFrames++;
        return;
      }
    }
    this.#send(frame, "video", time);
  }

  /**
   * Sends data, reliably and even if audio and video are muted. Data that would exceed the bound is
   * dropped; waiting data is kept.
   *
   * @param time of the publication's {@link Timeline}
   */
  pushData(frame: Frame, time: number): void {
    if (!this.#started) return;
    const waiting = this.output.queuedDataBytes;
    if (waiting > 0 && waiting + frame.payload.length > this.queueLimit) return;
    this.output.send(frame, this.#times.data(time), true);
  }

  /** A publisher has begun, or ended: frames start anew. */
  published(): void {
    this.#times.begin();
    this.#restartAudio();
    this.#restartVideo();
    this.audioQos.reset();
    this.videoQos.reset();
    if (this.#started) this.output.published();
  }

  unpublished(): void {
    if (this.#started) this.output.unpublished();
  }

  /**
   * The door reports the delivery of a frame. Without retransmission, a lost video fragment spoils
   * all frames up to the next key frame.
   */
  delivered(kind: Kind, arrival: Arrival): void {
    (kind === "audio" ? this.audioQos : this.videoQos).add(arrival);
    if (kind === "video" && this.unbuffered && arrival.lost > 0) this.#fallBehind();
  }

  #restartAudio(): void {
    this.#audioFlows = this.#audioHeaded = false;
    this.#audioHeldSince = undefined;
  }

  #restartVideo(): void {
    this.#videoFlows = this.#videoHeaded = this.#behind = false;
  }

  #fallBehind(): void {
    if (this.#videoFlows) this.#behind = true;
    this.#videoFlows = false;
  }

  #access(audio: boolean, video: boolean): void {
    if (audio === this.#audioAccess && video === this.#videoAccess) return;
    this.#audioAccess = audio;
    this.#videoAccess = video;
    if (this.#started) this.output.sampleAccess(audio, video);
  }

  /**
   * Whether audio waits: a listener that subscribes between two key frames starts audio and video together
   * at the next one, if it comes soon.
   */
  #holdsAudio(time: number): boolean {
    const video = this.publication.lastVideoTime;
    if (this.#videoFlows || !this.#receiveVideo || video === undefined) return false;
    if (((time - video) | 0) > VIDEO_TIMEOUT) return false;
    this.#audioHeldSince ??= time;
    return ((time - this.#audioHeldSince) | 0) < MAX_AUDIO_WAIT;
  }

  /** Before a key frame: drops late unbuffered video. */
  #giveWay(): void {
    if (this.output.queuedBytes === 0) return;
    if (this.clock.now - this.output.videoWaitsSince < MAX_UNBUFFERED_DELAY) return;
    this.videoQos.gaveUp(this.output.abandon("video"));
    this.#videoHeaded = false; // a header may have been dropped with it
  }

  /**
   * Limits the queue of a slow client. A reliable listener loses all waiting frames, gets a message, and
   * continues at the next key frame; an unbuffered one skips frames.
   *
   * @returns true if this frame must not be sent
   */
  #overflows(frame: Frame): boolean {
    const waiting = this.output.queuedBytes;
    if (this.unbuffered) {
      if (waiting <= MAX_UNBUFFERED) return false;
      const rate = this.videoQos.byteRate + this.audioQos.byteRate;
      if (waiting <= rate / 2) return false;
      if (frame.kind === "video") this.#fallBehind();
      return true;
    }
    if (waiting === 0) this.#caughtUp = true; // a frame may be larger than the limit
    if (waiting === 0 || !this.#isTooMuch(waiting, frame)) return false;
    this.audioQos.gaveUp(this.output.abandon("audio"));
    this.videoQos.gaveUp(this.output.abandon("video"));
    this.#restartVideo();
    this.#restartAudio();
    this.#behind = true;
    this.#caughtUp = false;
    this.output.overflowed();
    return false;
  }

  /**
   * Whether the queue is too long. Frames that have waited for 2 s are late, except before the listener has
   * caught up with the frames since the last key frame that it got at its start. RTMP-762.
   */
  #isTooMuch(waiting: number, { payload }: Frame): boolean {
    if (waiting + payload.length > this.queueLimit) return true;
    if (this.output.isFull?.(payload.length)) return true;
    if (!this.#caughtUp || waiting < MIN_DELAYED) return false;
    return this.clock.now - (this.output.mediaWaitsSince ?? Infinity) > MAX_DELAY;
  }

  /** @param time of the frame that follows */
  #sendHeaders(kind: Kind, time: number): void {
    for (const header of this.publication.headers(kind)) this.#send(header, kind, time);
    if (kind === "audio") this.#audioHeaded = true;
    else this.#videoHeaded = true;
  }

  /** Sends a frame; headers always reliably, as no later frame decodes without them. */
  #send(frame: Frame, kind: Kind, time: number): void {
    const isHeader = frame.role === "header";
    const onward = isHeader ? this.#times.header(kind, time) : this.#times.frame(kind, time);
    this.output.send(frame, onward, !this.unbuffered || isHeader);
  }
}
