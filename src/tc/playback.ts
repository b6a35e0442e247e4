import { encodeAmf0 } from "../amf/mod.ts";
import { Frame } from "../media/frame.ts";
import type { Listener } from "../media/listener.ts";
import type { Recorded, RecordedOutput, RecordedPlay } from "../media/recordings.ts";
import { Refused } from "../media/refused.ts";
import { UserControl } from "./format/messages.ts";
import type { NetConnection } from "./net_connection.ts";
import type { PlayItem, PlayRequest } from "./play_request.ts";
import type { StreamOutput } from "./stream_output.ts";

/** Maximum number of items of a playlist besides the one that plays. VOD-030. */
const MAX_ITEMS = 64;
/** Maximum number of commands that wait while a recording is opened. */
const MAX_HELD = 64;

/** The item that plays. */
interface Playing {
  readonly item: PlayItem;
  readonly listener: Listener;
  /** Undefined: it is live. */
  recorded: RecordedPlay | undefined;
}

/** The part of a NetStream that plays live streams, recordings, and lists of both. VOD-0xx, RTMP-6xx. */
export class Playback implements RecordedOutput {
  readonly #connection: NetConnection;
  readonly #output: StreamOutput;
  #playing: Playing | undefined;
  #list: PlayItem[] = [];
  /** Withdraws the request of the recording that is being opened. */
  #opening: (() => void) | undefined;
  #held: (() => void)[] = [];
  /** The client's buffer length in milliseconds, once it has set it. */
  #buffer: number | undefined;
  /** Time at which the next item of the list begins, in milliseconds. */
  #ahead = 0;

  /**
   * @param id message stream id
   * @param number the server-wide id that scripts see
   */
  constructor(
    readonly id: number,
    readonly number: number,
    connection: NetConnection,
    output: StreamOutput,
    /** A name may not be played; the client has got the status. */
    readonly onRefused: (name: string) => void,
  ) {
    this.#connection = connection;
    this.#output = output;
    output.whenEnded = (code, description) => this.#endedByScript(code, description);
  }

  /** The name that it plays; undefined if it does not play. */
  get name(): string | undefined {
    const listener = this.#playing?.listener;
    return listener?.active ? listener.publication.name : undefined;
  }

  /** Whether an item plays or is being opened. */
  get busy(): boolean {
    return this.#opening !== undefined || (this.#playing?.listener.active ?? false);
  }

  /** Plays an item, or appends it to the playlist. */
  play({ item, append }: PlayRequest): void {
    if (!append || !this.busy) {
      this.#ahead = 0;
      return this.#begin(item, !append);
    }
    if (this.#list.length < MAX_ITEMS) this.#list.push(item);
    else this.#refuse(item.name, `The playlist has ${MAX_ITEMS} items, the maximum`);
  }

  /** Ends playing, and sends the client the status. */
  stop(): void {
    this.#list = [];
    this.#held = [];
    this.#withdraw();
    const name = this.name;
    this.#leave();
    if (name !== undefined) this.#output.tell("status", "Play.Stop", `Stopped playing ${name}`);
    this.#output.shut();
  }

  setBuffer(milliseconds: number): void {
    this.#buffer = milliseconds;
    const recorded = this.#playing?.recorded;
    if (recorded) recorded.bufferLength = milliseconds;
  }

  pause(on: boolean | undefined, time: number | undefined): void {
    if (this.#opening) return this.#hold(() => this.pause(on, time));
    const playing = this.#playing;
    if (!playing?.listener.active || on === undefined) return;
    const { listener, recorded } = playing;
    const { name } = listener.publication;
    listener.paused = on;
    if (on) {
      recorded?.pause();
      this.#output.tell("status", "Pause.Notify", `Pausing ${name}`);
      if (recorded) this.#control(UserControl.streamEof);
      return;
    }
    if (recorded) this.#begins(true);
    this.#output.tell("status", "Unpause.Notify", `Unpausing ${name}`);
    recorded?.resume(time);
  }

  /** Seeks in a recording. A live stream cannot seek, but clients wait for the answer. VOD-051, VOD-054. */
  seek(time: number | undefined): void {
    if (this.#opening) return this.#hold(() => this.seek(time));
    const playing = this.#playing;
    if (!playing?.listener.active) {
      return this.#output.tell("error", "Seek.Failed", "Nothing is played that could be sought in");
    }
    const { name } = playing.listener.publication;
    const milliseconds = Number.isFinite(time) ? Math.max(0, time!) : 0;
    if (playing.recorded) {
      playing.recorded.seek(milliseconds);
      this.#control(UserControl.streamEof);
      this.#begins(true);
    }
    this.#output.tell("status", "Seek.Notify", `Seeking ${milliseconds} in ${name}`);
    if (playing.recorded) this.#output.tell("status", "Play.Start", `Started playing ${name}`);
  }

  receive(what: "receiveAudio" | "receiveVideo", on: boolean | undefined): void {
    if (this.#opening) return this.#hold(() => this.receive(what, on));
    if (this.#playing?.listener.active && on !== undefined) this.#playing.listener[what] = on;
  }

  /** Called every 2 s: ends items whose length has passed. VOD-003, VOD-004. */
  manage(): void {
    const playing = this.#playing;
    if (!playing?.listener.active || playing.recorded || !this.#output.limit) return;
    const { reached, begun, since } = this.#output.limit;
    if (reached) return this.#next(playing.item.length, 0);
    const { item, listener } = playing;
    if (item.start !== "live" || begun || this.#connection.hub.now - since < item.length) return;
    if (listener.publication.publishing) return;
    this.#end();
    this.#notFound(item.name);
  }

  // Output of recordings

  send(frame: Frame, time: number, reliable: boolean): void {
    this.#output.send(frame, time, reliable);
  }

  get queuedBytes(): number {
    return this.#output.queuedBytes;
  }

  abandon(kind: "audio" | "video"): number {
    return this.#output.abandon(kind);
  }

  ended(duration: number, bytes: number): void {
    this.#next(duration, bytes);
  }

  failed(text: string): void {
    const name = this.name ?? "";
    this.#end();
    this.#refuse(name, text);
  }

  // One item

  /** @param reset whether to send the client the begin of a new list */
  #begin(item: PlayItem, reset: boolean): void {
    const { hub, client, door } = this.#connection;
    const name = door.playName?.(item.name) ?? item.name;
    const isLive = () => hub.publications.get(name)?.publishing ?? false;
    const { recordings } = this.#connection;
    this.#withdraw();
    if (
      !recordings || item.unbuffered || item.start === "live" ||
      (item.start === "any" && isLive())
    ) return this.#listen(item, name, reset);
    const opening = this.#opening = recordings.open(client.application.path, name, (recorded) => {
      if (this.#opening !== opening) return recorded?.close();
      this.#opening = undefined;
      if (recorded && !(item.start === "any" && isLive())) {
        this.#playFile(item, recorded, name, reset);
      } else {
        recorded?.close();
        if (item.start === "any" || (item.start === 0 && isLive())) {
          this.#listen(item, name, reset);
        } else {
          this.#notFound(name);
        }
      }
      for (const command of this.#held.splice(0)) command();
    });
  }

  #withdraw(): void {
    this.#opening?.();
    this.#opening = undefined;
  }

  #listen(item: PlayItem, name: string, reset: boolean): void {
    const { hub, client, door: { rebase } } = this.#connection;
    const { unbuffered, properties, length } = item;
    const listener = this.#allowed(
      name,
      () =>
        hub.subscriptions.subscribe(client, name, this.number, this.#output, {
          unbuffered,
          rebase,
          properties,
        }),
    );
    if (!listener) return;
    this.#playing = { item, listener, recorded: undefined };
    this.#begins(false);
    this.#tellStart(name, reset);
    this.#output.open(listener);
    this.#output.limitTo(length, hub.now);
    listener.start();
  }

  #playFile(item: PlayItem, recorded: Recorded, name: string, reset: boolean): void {
    const { hub, client } = this.#connection;
    const { properties } = item;
    const { metadata } = recorded;
    const listener = this.#allowed(
      name,
      () =>
        hub.subscriptions.subscribeRecorded(client, name, this.number, this.#output, metadata, {
          properties,
        }),
    );
    if (!listener) return recorded.close();
    this.#begins(true);
    this.#tellStart(name, reset);
    const playing: Playing = { item, listener, recorded: undefined };
    this.#playing = playing;
    this.#output.open(listener, () => playing.recorded?.wake());
    listener.start();
    const start = typeof item.start === "number" ? item.start : 0;
    const offset = reset ? 0 : this.#ahead - start;
    playing.recorded = recorded.play(listener, this, { start, length: item.length, offset });
    if (this.#buffer !== undefined) playing.recorded.bufferLength = this.#buffer;
    this.#ahead = start + offset;
  }

  /** Subscribes; undefined if the application refuses, after sending the client the status. */
  #allowed(name: string, subscribe: () => Listener): Listener | undefined {
    try {
      return subscribe();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#refuse(name, error.description || `Not authorized to play ${name}`);
      return undefined;
    }
  }

  /** An item has ended: begins the next one, or sends the client the end. VOD-020, VOD-030. */
  #next(duration: number, bytes: number): void {
    this.#ahead += duration;
    const next = this.#list.shift();
    this.#tellPlayStatus(next ? "Switch" : "Complete", duration, bytes);
    if (next) {
      this.#end();
      return this.#begin(next, false);
    }
    this.#output.tell("status", "Play.Stop", `Stopped playing ${this.name ?? ""}`);
    this.#control(UserControl.streamEof);
    if (!this.#playing?.recorded) this.#end(); // in a recording the client may seek back
  }

  /** A script ends playing, with the rest of the playlist. API-446 */
  #endedByScript(code: string, description: string): void {
    this.#list = [];
    this.#output.tell("status", code, description || `Stopped playing ${this.name ?? ""}`);
    this.#control(UserControl.streamEof);
    this.#end();
  }

  /** Ends playing without a message to the client. */
  #end(): void {
    this.#leave();
    this.#output.shut();
  }

  #leave(): void {
    const playing = this.#playing;
    this.#playing = undefined;
    playing?.recorded?.close();
    if (playing?.listener.active) this.#connection.hub.subscriptions.unsubscribe(playing.listener);
  }

  #hold(command: () => void): void {
    if (this.#held.length < MAX_HELD) this.#held.push(command);
  }

  // Messages to the client

  #begins(recorded: boolean): void {
    if (recorded) this.#control(UserControl.streamIsRecorded);
    this.#control(UserControl.streamBegin);
  }

  #control(event: number): void {
    this.#connection.control(event, this.id);
  }

  #tellStart(name: string, reset: boolean): void {
    if (reset) this.#output.tell("status", "Play.Reset", `Playing and resetting ${name}`);
    this.#output.tell("status", "Play.Start", `Started playing ${name}`);
  }

  /** @param duration milliseconds */
  #tellPlayStatus(what: "Complete" | "Switch", duration: number, bytes: number): void {
    const info = encodeAmf0({
      level: "status",
      code: `NetStream.Play.${what}`,
      duration: duration / 1_000,
      bytes,
    });
    this.#output.send(new Frame("data", 0, info, "onPlayStatus"), this.#ahead, true);
  }

  #notFound(name: string): void {
    this.#output.tell("error", "Play.StreamNotFound", `Recording ${name} not found`);
    this.onRefused(name);
  }

  #refuse(name: string, text: string): void {
    this.#output.tell("error", "Play.Failed", text);
    this.onRefused(name);
  }
}
