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
   * @param time to be written instead of the frame's, in milliseconds
   * @param reliable false: not sent again when lost, and given up when late
   */
  send(frame: Frame, time: number, reliable: boolean): void;
  /** Bytes of audio and video that are waiting, none of which were sent yet. */
  readonly queuedBytes: number;
  /** The same of data. */
  readonly queuedDataBytes: number;
  /** Whether bytes more are too many, though fewer wait than the queue may have. */
  isFull?(bytes: number): boolean;
  /** When the oldest video was written that {@link abandon} would give up; Infinity if there is none. */
  readonly videoWaitsSince: number;
  /**
   * When the oldest audio or video was written that was not begun to be sent, where the door sends
   * in one queue; Infinity if there is none.
   */
  readonly mediaWaitsSince?: number;
  /**
   * Gives up the audio or video that is waiting and was not begun to be sent.
   * @returns how many frames that were, codec headers not counted
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
   * A script ends it: the client is told `NetStream.<code>` where its door has words for that, and
   * the door unsubscribes. Without it the listener is one of the server's own, which stays.
   */
  ended?(code: string, description: string): void;
}

export interface ListenerOptions {
  /** Media goes out unreliably: lost frames are not sent again. API-445. */
  readonly unbuffered?: boolean;
  /** Parameters that the client added to the name. */
  readonly properties?: ReadonlyMap<string, string>;
  /**
   * Times begin at 0 with the first frame of this listener. Of one that comes before its publisher
   * they do so if they would begin above 1 s, or with `late` not at all.
   */
  readonly rebase?: boolean | "late";
  /** Maximum of bytes that wait; by default the one of the configuration. */
  readonly queueLimit?: number;
}

const NO_PROPERTIES: ReadonlyMap<string, string> = new Map();
/** How long audio waits for the first key frame of a video, in media time. */
const AUDIO_WAIT = 3000;
/** A video that was silent for as long does not keep audio waiting. */
const VIDEO_SILENT = 2000;
/** What may wait for an unbuffered listener: this many bytes, or half a second of its rate. */
const UNBUFFERED_QUEUE = 128 * 1024;
/** Media that waits as long, and is as much, is too late for a listener who had caught up before. */
const TOO_LATE = 2_000;
const MUCH = 256 * 1024;
/** A stream whose first time is below, in milliseconds, begins at 0: audio and video may be apart. */
const NEAR_ZERO = 1000;
/** Unbuffered video that has waited longer gives way to a key frame. Milliseconds. */
const LATE = 200;

/**
 * A subscription to a publication. API-440 to API-445, rtmfp-wire §6.8.
 *
 * It starts at a key frame, behind the codec headers; so it does again after a pause, after
 * being muted, and after its client was too slow. Times are those of the publication, or begin
 * at 0, but never go back: after a new publisher began they go on from where they were.
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

  /** Whether frames flow, or wait for their start. */
  #audioFlows = false;
  #videoFlows = false;
  /** Whether video does not flow because its client was too slow, or lost some. */
  #behind = false;
  /** Nothing has waited, once, since the start or since frames were given up. */
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
   * @param client undefined: something of this server listens
   * @param queueLimit bytes that may wait before a reliable listener is told that it is slow
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
   * Lets frames through, after the door has told the client that it plays: first what a
   * script allowed as it was asked, then the publication's kept data, then its frames since the
   * last key frame.
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

  /** Whether the client was told that it plays. */
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

  /** Stops audio and video; when it goes on it starts anew at a key frame. */
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

  /** API-443: a change is sent, once the listener has started. */
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
      if (!this.#audioHeaded) return this.#sendHeaders("audio", time); // this one is among them
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
   * Whether audio waits: a listener that came too late for a video starts both together at the
   * next key frame, if that is not far.
   */
  #holdsAudio(time: number): boolean {
    const video = this.publication.lastVideoTime;
    if (this.#videoFlows || !this.#receiveVideo || video === undefined) return false;
    if (((time - video) | 0) > VIDEO_SILENT) return false;
    this.#audioHeldSince ??= time;
    return ((time - this.#audioHeldSince) | 0) < AUDIO_WAIT;
  }

  /** A key frame comes: unbuffered video that is late is worth nothing any more. */
  #giveWay(): void {
    if (this.output.queuedBytes === 0) return;
    if (this.clock.now - this.output.videoWaitsSince < LATE) return;
    this.videoQos.gaveUp(this.output.abandon("video"));
    this.#videoHeaded = false; // a header may have been among it
  }

  /**
   * Keeps what waits for a slow client within bounds. A reliable listener loses all that
   * waits, is told, and goes on at the next key frame; an unbuffered one just skips frames.
   *
   * @returns true if this frame is not to be sent
   */
  #overflows(frame: Frame): boolean {
    const waiting = this.output.queuedBytes;
    if (this.unbuffered) {
      if (waiting <= UNBUFFERED_QUEUE) return false;
      const rate = this.videoQos.byteRate + this.audioQos.byteRate;
      if (waiting <= rate / 2) return false;
      if (frame.kind === "video") this.#fallBehind();
      return true;
    }
    if (waiting === 0) this.#caughtUp = true; // a frame may be larger than the bound
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
   * Frames that have waited for seconds are late; those since the last key frame, which a listener
   * gets at its start all at once, are not. RTMP-762.
   */
  #isTooMuch(waiting: number, { payload }: Frame): boolean {
    if (waiting + payload.length > this.queueLimit) return true;
    if (this.output.isFull?.(payload.length)) return true;
    if (!this.#caughtUp || waiting < MUCH) return false;
    return this.clock.now - (this.output.mediaWaitsSince ?? Infinity) > TOO_LATE;
  }

  /** @param time of the frame that follows */
  #sendHeaders(kind: Kind, time: number): void {
    for (const header of this.publication.headers(kind)) this.#send(header, kind, time);
    if (kind === "audio") this.#audioHeaded = true;
    else this.#videoHeaded = true;
  }

  /** Headers are sent again when lost: all that follows is worth nothing without. */
  #send(frame: Frame, kind: Kind, time: number): void {
    const isHeader = frame.role === "header";
    const onward = isHeader ? this.#times.header(kind, time) : this.#times.frame(kind, time);
    this.output.send(frame, onward, !this.unbuffered || isHeader);
  }
}
