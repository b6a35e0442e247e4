import { headerSlot } from "../flv/codec.ts";
import { codecName } from "../flv/codec_name.ts";
import type { Client } from "./client.ts";
import type { Clock } from "./clock.ts";
import type { PublisherOutput } from "./connection.ts";
import { Frame } from "./frame.ts";
import { KeptFrames } from "./kept_frames.ts";
import type { Listener } from "./listener.ts";
import { QualityOfService } from "./quality_of_service.ts";
import { type RecentBytes, RecentFrames } from "./recent_frames.ts";
import type { Recording, RecordMode } from "./recordings.ts";
import { Timeline } from "./timeline.ts";

// Limits of {@link Publication.metadata} and of codec headers: number, and bytes in all.
const MAX_METADATA = 16;
const MAX_METADATA_BYTES = 1 << 20;
const MAX_HEADERS = 32;
const MAX_HEADER_BYTES = 1 << 20;
/** Maximum number of bytes of both for all publications of one client. */
const MAX_CLIENT_BYTES = 4 << 20;

/** Statistics of the reception of a frame: fragments received and lost since the one before. */
export interface Reception {
  readonly received: number;
  readonly lost: number;
  /** Round trip to the publisher in milliseconds. */
  readonly ping: number;
}

const PUSHED: Reception = { received: 1, lost: 0, ping: 0 };

/** The source of a publication. */
interface PublicationSource {
  /** The server-wide id of the stream. API-411. */
  readonly id: number;
  /** The publishing client; else the origin: `script`, or the name of a room. */
  readonly client: Client | string;
  readonly output: PublisherOutput | undefined;
  /** Called when the publication of a script has ended. */
  readonly ended?: () => void;
  /** Parameters that the client added to the name. */
  readonly properties?: ReadonlyMap<string, string>;
  readonly type?: PublishType;
}

/** Type of a publication: live only, or also recorded, as a new file or at the end of one. VOD-201. */
export type PublishType = "live" | RecordMode;

const NO_PROPERTIES: ReadonlyMap<string, string> = new Map();

export interface PublicationEvents extends Clock {
  log(level: "error" | "warn", text: string): void;
  /** A script's publication is closed. */
  onClose(publication: Publication): void;
  /** Counts the bytes that all publications keep since their last key frames. */
  readonly recentBytes: RecentBytes;
}

/**
 * A name with a publisher, or with listeners that wait for one. API-410 to API-424,
 * rtmfp-wire §6.8.
 */
export class Publication {
  /** By id, in subscribing order. */
  readonly listeners = new Map<number, Listener>();
  /** Publisher to server. API-413. */
  readonly audioQos: QualityOfService;
  readonly videoQos: QualityOfService;
  /** Data messages for later listeners, by name: `onMetaData` and those of `@setDataFrame`. */
  readonly metadata = new KeptFrames(MAX_METADATA, MAX_METADATA_BYTES);
  /** False once it has neither publisher nor listeners, and the hub has removed it. */
  active = true;
  /** Its recording, which ends with its publisher. */
  recording: Recording | undefined;
  /** Names of its codecs, "" before the first frame. */
  audioCodec = "";
  videoCodec = "";
  #source: PublicationSource | undefined;
  #events: PublicationEvents;
  readonly #headers = new KeptFrames(MAX_HEADERS, MAX_HEADER_BYTES);
  /** First byte of the last audio frame: the codec changes with it. */
  #audioFormat = -1;
  #waitsForKey = true;
  /** The frames that a new listener gets at its start. */
  readonly recent: RecentFrames;
  #last: { audio?: number; video?: number } = {};
  #timeline = new Timeline();
  #lastVideoTime: number | undefined;
  #warned = false;

  /** @param recorded a file without publisher that one client plays. VOD-081. */
  constructor(readonly name: string, events: PublicationEvents, readonly recorded = false) {
    this.#events = events;
    this.audioQos = new QualityOfService(events);
    this.videoQos = new QualityOfService(events);
    this.recent = new RecentFrames(events.recentBytes);
  }

  /** 0 without publisher. API-411. */
  get publisherId(): number {
    return this.#source?.id ?? 0;
  }

  /** The publishing client, or the origin of another source. */
  get publisher(): Client | string | undefined {
    return this.#source?.client;
  }

  /** Parameters that the publisher added to the name, as `name?key=value`. DECISIONS 23. */
  get properties(): ReadonlyMap<string, string> {
    return this.#source?.properties ?? NO_PROPERTIES;
  }

  /** The type that the client requested. VOD-302. */
  get type(): PublishType {
    return this.#source?.type ?? "live";
  }

  /** The callback of a script for the end of its publication. */
  get onEnded(): (() => void) | undefined {
    return this.#source?.ended;
  }

  get output(): PublisherOutput | undefined {
    return this.#source?.output;
  }

  get publishing(): boolean {
    return this.#source !== undefined;
  }

  /** Time of the last video frame sent; the first one sent is a key frame. */
  get lastVideoTime(): number | undefined {
    return this.#lastVideoTime;
  }

  /** Time of the last frame sent; undefined before the first one. */
  get lastTime(): number | undefined {
    return this.#timeline.last;
  }

  /** The decoder configuration to send before the first frame. API-423. */
  *headers(kind: "audio" | "video"): Generator<Frame> {
    for (const frame of this.#headers.values()) if (frame.kind === kind) yield frame;
  }

  /** Number of bytes kept for later listeners. */
  get keptBytes(): number {
    return this.metadata.bytes + this.#headers.bytes;
  }

  /**
   * An audio packet for all listeners. API-414.
   *
   * @param time milliseconds
   * @param packet the body of an FLV audio tag; the publication owns it from now on
   * @param lost packets lost since the last push
   * @returns false without publisher: drops the packet and logs it. API-421.
   */
  pushAudio(time: number, packet: Uint8Array, lost = 0): boolean {
    if (!this.#mayPush()) return false;
    this.audio(new Frame("audio", time >>> 0, packet), lost > 0 ? { ...PUSHED, lost } : PUSHED);
    return true;
  }

  /** A video packet for all listeners; see {@link pushAudio}. API-415. */
  pushVideo(time: number, packet: Uint8Array, lost = 0): boolean {
    if (!this.#mayPush()) return false;
    this.video(new Frame("video", time >>> 0, packet), lost > 0 ? { ...PUSHED, lost } : PUSHED);
    return true;
  }

  /**
   * Invokes a method on all listeners. API-416.
   * @param packet the AMF of its arguments
   */
  pushData(name: string, packet: Uint8Array): boolean {
    if (!this.#mayPush()) return false;
    this.data(new Frame("data", 0, packet, name));
    return true;
  }

  /**
   * Marks the end of a group of packets: they are sent when the event that pushed them returns. API-417.
   */
  flush(): void {
    this.#mayPush();
  }

  /**
   * Ends a script's publication, or tells the publishing client to stop. API-418, API-420.
   * Does nothing without publisher.
   *
   * @param code without `NetStream.`; `""` sends no status
   */
  close(code = "", description = ""): void {
    const source = this.#source;
    if (!source) return;
    if (source.client === "script") return this.#events.onClose(this);
    if (code !== "") source.output?.status(code, description);
    source.output?.close();
  }

  /** A frame of the publisher for all listeners; see {@link Publisher.audio}. */
  audio(frame: Frame, { received, lost, ping }: Reception): void {
    const { payload, role } = frame;
    const time = this.#timeOf("audio", frame);
    this.audioQos.add({ time, bytes: payload.length, received, lost, ping });
    const format = payload[0];
    if (format !== undefined && format !== this.#audioFormat) {
      this.#audioFormat = format;
      this.audioCodec = codecName("audio", payload) || this.audioCodec;
    }
    if (role === "header") this.#keepHeader("audio", frame);
    else this.recent.add(frame, time);
    for (const listener of this.listeners.values()) listener.pushAudio(frame, time);
  }

  /** @returns false if the frame was dropped waiting for a key frame. API-415. */
  video(frame: Frame, { received, lost, ping }: Reception): boolean {
    const { payload, role } = frame;
    const time = this.#timeOf("video", frame);
    this.videoQos.add({ time, bytes: payload.length, received, lost, ping });
    if (lost > 0) this.#waitsForKey = true;
    if (role === "key") {
      this.#waitsForKey = false;
    } else if (role === "inter" && this.#waitsForKey) {
      this.videoQos.droppedFrames++;
      return false;
    } else if (role === "header") {
      this.#keepHeader("video", frame);
      this.recent.clear(); // earlier frames belong to another header
    }
    if (role === "key" || role === "header") {
      this.videoCodec = codecName("video", payload) || this.videoCodec;
    }
    if (role === "key" || role === "inter") this.#lastVideoTime = time;
    if (role !== "header") this.recent.add(frame, time);
    for (const listener of this.listeners.values()) listener.pushVideo(frame, time);
    return true;
  }

  data(frame: Frame): void {
    if (frame.name === "onMetaData") this.remember(frame);
    const time = this.#timeline.data(frame.time);
    for (const listener of this.listeners.values()) listener.pushData(frame, time);
  }

  /** Keeps a data message for later listeners, replacing the one of that name. */
  remember(frame: Frame): void {
    this.metadata.delete(frame.name);
    this.metadata.keep(frame.name, frame, this.#room);
  }

  /** A source begins to publish; called by the hub. */
  begin(source: PublicationSource): void {
    this.#source = source;
    this.#clear();
  }

  /** The publisher has ended; called by the hub. API-455. */
  end(): void {
    this.recording?.stop();
    this.#source = undefined;
    this.#clear();
  }

  #clear(): void {
    this.audioQos.reset();
    this.videoQos.reset();
    this.metadata.clear();
    this.#headers.clear();
    this.audioCodec = this.videoCodec = "";
    this.#audioFormat = -1;
    this.recent.clear();
    this.#waitsForKey = true;
    this.#last = {};
    this.#timeline = new Timeline();
    this.#lastVideoTime = undefined;
    this.#warned = false;
  }

  #mayPush(): boolean {
    if (this.#source) return true;
    this.#events.log("error", `Cannot push to ${this.name}: it has no publisher`);
    return false;
  }

  #keepHeader(kind: "audio" | "video", frame: Frame): void {
    this.#headers.keep(headerSlot(kind, frame.payload), frame, this.#room);
  }

  /** Number of further bytes that may be kept for its publisher. */
  get #room(): number {
    const client = this.#source?.client;
    if (!client || typeof client === "string") return Infinity;
    let room = MAX_CLIENT_BYTES;
    for (const { publication } of client.publishers) room -= publication.keptBytes;
    return room;
  }

  /**
   * The time to send a frame with. Logs a warning, once per publisher, if the publisher's time goes back.
   * API-424.
   */
  #timeOf(kind: "audio" | "video", { time, role }: Frame): number {
    if (role === "header" || role === "other") return this.#timeline.aside(kind, time);
    const last = this.#last[kind];
    this.#last[kind] = time;
    if (!this.#warned && last !== undefined && goesBack(last, time)) {
      this.#warned = true;
      this.#events.log("warn", `Time of ${kind} goes back from ${last} to ${time} in ${this.name}`);
    }
    return this.#timeline.frame(kind, time);
  }
}

/** Whether a time goes back; by more than 2^30 ms it is a counter that wraps. */
function goesBack(last: number, time: number): boolean {
  const back = (last - time) | 0;
  return back > 0 && back <= 2 ** 30;
}
