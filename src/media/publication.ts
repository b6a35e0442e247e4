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

/** What {@link Publication.metadata} may hold: names, and bytes of all together. */
const METADATA_NAMES = 16;
const METADATA_BYTES = 1 << 20;
const HEADERS = 32;
const HEADER_BYTES = 1 << 20;
/** What all publications of one client may keep of both. */
const CLIENT_BYTES = 4 << 20;

/** How a frame came in: fragments received and lost since the one before. */
export interface Reception {
  readonly received: number;
  readonly lost: number;
  /** Round trip to the publisher in milliseconds. */
  readonly ping: number;
}

const PUSHED: Reception = { received: 1, lost: 0, ping: 0 };

/** Who publishes. */
interface PublicationSource {
  /** The server-wide id of the stream. API-411. */
  readonly id: number;
  /** The publishing client; else the origin: `script`, or the name of a room. */
  readonly client: Client | string;
  readonly output: PublisherOutput | undefined;
  /** Told when the publication of a script has ended. */
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
  /** What all publications keep since their last key frames. */
  readonly recentBytes: RecentBytes;
}

/**
 * A name under which somebody publishes, or that listeners wait for. API-410 to API-424,
 * rtmfp-wire §6.8.
 */
export class Publication {
  /** By id, in subscribing order. */
  readonly listeners = new Map<number, Listener>();
  /** Publisher to server. API-413. */
  readonly audioQos: QualityOfService;
  readonly videoQos: QualityOfService;
  /** Data messages for listeners to come, `onMetaData` and what `@setDataFrame` set, by name. */
  readonly metadata = new KeptFrames(METADATA_NAMES, METADATA_BYTES);
  /** False once it has neither publisher nor listeners, and the hub has forgotten it. */
  active = true;
  /** What records it; the recording ends with its publisher. */
  recording: Recording | undefined;
  /** Names of its codecs, "" before the first frame. */
  audioCodec = "";
  videoCodec = "";
  #source: PublicationSource | undefined;
  #events: PublicationEvents;
  readonly #headers = new KeptFrames(HEADERS, HEADER_BYTES);
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

  /** Who publishes. */
  get publisher(): Client | string | undefined {
    return this.#source?.client;
  }

  /** Parameters that the publisher added to the name, as `name?key=value`. DECISIONS 23. */
  get properties(): ReadonlyMap<string, string> {
    return this.#source?.properties ?? NO_PROPERTIES;
  }

  /** The type that the client asked for. VOD-302. */
  get type(): PublishType {
    return this.#source?.type ?? "live";
  }

  /** What its door told of it. */
  get onEnded(): (() => void) | undefined {
    return this.#source?.ended;
  }

  get output(): PublisherOutput | undefined {
    return this.#source?.output;
  }

  get publishing(): boolean {
    return this.#source !== undefined;
  }

  /** Time of the last video frame that went out, the first of which is a key frame. */
  get lastVideoTime(): number | undefined {
    return this.#lastVideoTime;
  }

  /** Time of the last frame that went out; undefined before the first one. */
  get lastTime(): number | undefined {
    return this.#timeline.last;
  }

  /** The decoder configuration to send before the first frame. API-423. */
  *headers(kind: "audio" | "video"): Generator<Frame> {
    for (const frame of this.#headers.values()) if (frame.kind === kind) yield frame;
  }

  /** Bytes that are kept for listeners to come. */
  get keptBytes(): number {
    return this.metadata.bytes + this.#headers.bytes;
  }

  /**
   * An audio packet for all listeners. API-414.
   *
   * @param time milliseconds
   * @param packet the body of an FLV audio tag, which belongs to the publication from now on
   * @param lost packets lost since the last push
   * @returns false without publisher: the packet is dropped, and that is logged. API-421.
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
   * Marks the end of a group of packets: they leave when the event that pushed them returns. API-417.
   */
  flush(): void {
    this.#mayPush();
  }

  /**
   * Unpublishes a script's publication, or tells the publishing client to stop. API-418, API-420.
   * Harmless without publisher.
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

  /** Keeps a data message for listeners to come, in place of the one of that name. */
  remember(frame: Frame): void {
    this.metadata.delete(frame.name);
    this.metadata.keep(frame.name, frame, this.#room);
  }

  /** Somebody begins to publish; called by the hub. */
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

  /** Bytes that its publisher may still have kept. */
  get #room(): number {
    const client = this.#source?.client;
    if (!client || typeof client === "string") return Infinity;
    let room = CLIENT_BYTES;
    for (const { publication } of client.publishers) room -= publication.keptBytes;
    return room;
  }

  /**
   * The time at which a frame goes out. That the publisher's goes back is worth a warning, one a
   * publisher. API-424.
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

/** Back by more than 2^30 is a counter that wraps. */
function goesBack(last: number, time: number): boolean {
  const back = (last - time) | 0;
  return back > 0 && back <= 2 ** 30;
}
