import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { Frame } from "./frame.ts";
import type { Publication } from "./publication.ts";
import { type Arrival, QualityOfService } from "./quality_of_service.ts";

/** What a door implements for a stream that plays. */
export interface ListenerOutput {
  /**
   * Sends a frame.
   * @param time to be written instead of the frame's; 0 for data
   * @param reliable false: not sent again when lost, and given up when late
   */
  send(frame: Frame, time: number, reliable: boolean): void;
  /** Bytes of audio and video that are waiting, none of which were sent yet. */
  readonly queuedBytes: number;
  /** The same of data. */
  readonly queuedDataBytes: number;
  /**
   * Gives up the audio and video that is waiting and was not begun to be sent.
   * @returns how many video frames that were
   */
  abandon(): number;
  /** Sends `|RtmpSampleAccess`. API-443. */
  sampleAccess(audio: boolean, video: boolean): void;
  /** Somebody publishes now what is listened to, or does no more. API-712, API-713. */
  published(): void;
  unpublished(): void;
  /** The client was too slow: what was waiting is given up. */
  overflowed(): void;
}

export interface ListenerOptions {
  /** Media goes out unreliably: what is lost or late is not sent again. API-445. */
  readonly unbuffered?: boolean;
  /** What the client said with the name. */
  readonly properties?: ReadonlyMap<string, string>;
}

const NO_PROPERTIES: ReadonlyMap<string, string> = new Map();
/** How long audio waits for the first key frame of a video, in media time. */
const AUDIO_WAIT = 3000;
/** A video that was silent for as long does not keep audio waiting. */
const VIDEO_SILENT = 2000;
/** Going back by less is jitter, by more a new beginning. */
const JITTER = 1000;
/** What may wait for an unbuffered listener: this many bytes, or half a second of its rate. */
const UNBUFFERED_QUEUE = 128 * 1024;

/**
 * One client's subscription to a publication. API-440 to API-445, rtmfp-wire §6.8.
 *
 * It starts at a key frame, behind the codec headers; so it does again after a pause, after
 * being muted, and after its client was too slow. Times are those of the publisher, but never
 * go back: after a new publisher began they go on from where they were.
 */
export class Listener {
  readonly audioQos: QualityOfService;
  readonly videoQos: QualityOfService;
  readonly unbuffered: boolean;
  /** What the client said with the name, as `name?key=value`. DECISIONS 23. */
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
  /** Whether the current codec headers were sent. */
  #audioHeaded = false;
  #videoHeaded = false;
  /** Time of the first audio frame that was held back. */
  #audioHeldSince: number | undefined;
  #lastTime: { audio: number | undefined; video: number | undefined } = {
    audio: undefined,
    video: undefined,
  };
  /** Added to the publisher's times. */
  #offset = 0;
  /** A new publisher has begun, whose times may have nothing to do with those before. */
  #rebase = false;

  /**
   * @param id the server-wide id of the client's stream. API-440.
   * @param queueLimit bytes that may wait before a reliable listener is told that it is slow
   */
  constructor(
    readonly id: number,
    readonly client: Client,
    readonly publication: Publication,
    readonly output: ListenerOutput,
    readonly queueLimit: number,
    clock: Clock,
    { unbuffered = false, properties = NO_PROPERTIES }: ListenerOptions = {},
  ) {
    this.properties = properties;
    this.unbuffered = unbuffered;
    this.audioQos = new QualityOfService(clock);
    this.videoQos = new QualityOfService(clock);
  }

  /**
   * Lets frames through, after the door has told the client that it plays: first what a
   * script allowed as it was asked, then the publication's data to remember.
   */
  start(): void {
    if (this.#started || !this.active) return;
    this.#started = true;
    if (this.#audioAccess || this.#videoAccess) {
      this.output.sampleAccess(this.#audioAccess, this.#videoAccess);
    }
    for (const frame of this.publication.metadata.values()) this.pushData(frame);
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

  pushAudio(frame: Frame): void {
    if (!this.#started || this.#paused || !this.#receiveAudio) return;
    if (this.#overflows(frame)) return;
    if (frame.role === "header") {
      if (!this.#audioHeaded) return this.#sendHeaders("audio", frame); // this one is among them
    } else if (!this.#audioFlows) {
      if (this.#holdsAudio(frame)) return;
      this.#audioFlows = true;
      if (!this.#audioHeaded) this.#sendHeaders("audio", frame);
    }
    this.#send(frame, "audio");
  }

  pushVideo(frame: Frame): void {
    if (!this.#started || this.#paused || !this.#receiveVideo) return;
    const { role } = frame;
    if (role === "header") {
      if (!this.#videoHeaded) return this.#sendHeaders("video", frame);
    } else if (role === "key") {
      if (this.unbuffered) this.videoQos.droppedFrames += this.output.abandon();
      else this.#overflows(frame);
      if (!this.#videoHeaded) this.#sendHeaders("video", frame);
      this.#videoFlows = true;
    } else {
      if (this.#videoFlows) this.#overflows(frame);
      if (!this.#videoFlows) {
        if (role === "inter") this.videoQos.droppedFrames++;
        return;
      }
    }
    this.#send(frame, "video");
  }

  /**
   * Data goes out whatever is muted, always reliably, at time 0 (rtmfp-wire trap 26). None is
   * given up once it waits; what would exceed the bound is dropped.
   */
  pushData(frame: Frame): void {
    if (!this.#started) return;
    const waiting = this.output.queuedDataBytes;
    if (waiting > 0 && waiting + frame.payload.length > this.queueLimit) return;
    this.output.send(frame, 0, true);
  }

  /** A publisher has begun, or ended: frames start anew. */
  published(): void {
    this.#rebase = this.#lastTime.audio !== undefined || this.#lastTime.video !== undefined;
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
   * The door tells what came through to the client. Of a stream that sends nothing again a
   * lost video fragment spoils all frames up to the next key frame.
   */
  delivered(kind: "audio" | "video", arrival: Arrival): void {
    (kind === "audio" ? this.audioQos : this.videoQos).add(arrival);
    if (kind === "video" && this.unbuffered && arrival.lost > 0) this.#videoFlows = false;
  }

  #restartAudio(): void {
    this.#audioFlows = this.#audioHeaded = false;
    this.#audioHeldSince = undefined;
  }

  #restartVideo(): void {
    this.#videoFlows = this.#videoHeaded = false;
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
  #holdsAudio({ time }: Frame): boolean {
    const video = this.publication.lastVideoTime;
    if (this.#videoFlows || !this.#receiveVideo || video === undefined) return false;
    if (((time - video) | 0) > VIDEO_SILENT) return false;
    this.#audioHeldSince ??= time;
    return ((time - this.#audioHeldSince) | 0) < AUDIO_WAIT;
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
      const rate = this.videoQos.byteRate + this.audioQos.byteRate;
      if (waiting <= Math.max(UNBUFFERED_QUEUE, rate / 2)) return false;
      if (frame.kind === "video") this.#videoFlows = false;
      return true;
    }
    if (waiting + frame.payload.length <= this.queueLimit) return false;
    if (waiting === 0) return false; // one frame larger than the bound
    this.videoQos.droppedFrames += this.output.abandon();
    this.#restartVideo();
    this.#restartAudio();
    this.output.overflowed();
    return false;
  }

  #sendHeaders(kind: "audio" | "video", before: Frame): void {
    for (const header of this.publication.headers(kind)) this.#send(header, kind, before.time);
    if (kind === "audio") this.#audioHeaded = true;
    else this.#videoHeaded = true;
  }

  #send(frame: Frame, kind: "audio" | "video", time = frame.time): void {
    this.output.send(frame, this.#onward(kind, time), !this.unbuffered);
  }

  /** The time to send: the publisher's, put behind what this listener was sent before. */
  #onward(kind: "audio" | "video", time: number): number {
    const last = this.#lastTime;
    if (this.#rebase) {
      this.#rebase = false;
      const latest = Math.max(last.audio ?? 0, last.video ?? 0);
      this.#offset = ((latest - time) | 0) > 0 ? (latest - time) | 0 : 0;
      last.audio = last.video = latest;
    }
    let onward = (time + this.#offset) >>> 0;
    const before = last[kind];
    if (before !== undefined) {
      const back = (before - onward) | 0;
      if (back > JITTER) this.#offset += back;
      if (back > 0) onward = before;
    }
    last[kind] = onward;
    return onward;
  }
}
