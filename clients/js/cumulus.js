// @ts-check
/**
 * A client of CumulusServer for web pages, over RTWebSocket: calls in both directions, live streams,
 * remote shared objects. One file, no dependencies.
 *
 *     import { connect } from "/cumulus.js";
 *     const connection = await connect("ws://localhost:8080/chat?name=Anna");
 *     connection.client.onSaid = (name, text) => console.log(`${name}: ${text}`);
 *     const count = await connection.call("say", "Hello!");
 *
 * Works in browsers and in Deno. MIT licence.
 *
 * @module
 */

/**
 * Values for calls: null, undefined, booleans, numbers, strings, dates, arrays, plain objects, byte arrays
 * (strings of bytes in Lua).
 *
 * @typedef {null | undefined | boolean | number | string | Date | Uint8Array | any[] |
 *   { [name: string]: any }} AmfValue
 */

/**
 * The status object of `onStatus`, and of connections and calls that fail.
 *
 * @typedef {{ level: string, code: string, description?: string, [name: string]: AmfValue }} Status
 */

const MessageType = {
  audio: 8,
  video: 9,
  userControl: 4,
  dataAmf3: 15,
  sharedObjectAmf3: 16,
  commandAmf3: 17,
  data: 18,
  sharedObject: 19,
  command: 20,
};

/** The server refused a connection or call, or the connection ended. `status` is the server's status object. */
export class CumulusError extends Error {
  /** @param {Status} status */
  constructor(status) {
    super(status.description || status.code);
    this.name = "CumulusError";
    /** @type {Status} */
    this.status = status;
  }
}

/**
 * Connects to an application.
 *
 * @param {string} url `ws://host:port/application?name=value`, or `wss:`; the path is the
 *   application's, parameters become `client.properties`
 * @param {...AmfValue} values arguments of the application's `onConnection`
 * @returns {Promise<NetConnection>} rejects with a {@link CumulusError} if the server refuses
 */
export async function connect(url, ...values) {
  const connection = new NetConnection(url);
  await connection.open(...values);
  return connection;
}

/**
 * A connection to an application.
 * Events: `close`, once, when the connection has ended; `status`, a status message of the server. The
 * `detail` of both is a {@link Status}.
 */
export class NetConnection extends EventTarget {
  #flows;
  /** @type {WebSocket} */
  #socket;
  #lastCall = 1;
  /** @type {Map<number, { resolve: (value: AmfValue) => void, reject: (error: Error) => void }>} */
  #calls = new Map();
  /** @type {Map<number, NetStream>} */
  #streams = new Map();
  /** @type {Map<string, SharedObject>} */
  #objects = new Map();
  #closed = false;

  /** @param {string} url see {@link connect} */
  constructor(url) {
    super();
    const target = new URL(url, globalThis.location?.href);
    if (target.protocol === "http:") target.protocol = "ws:";
    if (target.protocol === "https:") target.protocol = "wss:";
    /** URL of the application, with its parameters. */
    this.url = target.href;
    /**
     * Functions that the server calls, by name: `client.writer:writeAMFMessage("name", …)`.
     *
     * @type {{ [name: string]: (...values: any[]) => unknown }}
     */
    this.client = {};
    /** The server's answer to connect, with members that the application added. @type {{ [name: string]: AmfValue }} */
    this.info = {};
    this.#socket = new WebSocket(new URL("/rtws", target));
    this.#socket.binaryType = "arraybuffer";
    this.#flows = new Flows(
      (bytes) => {
        if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes);
      },
      (stream, message) => this.#onMessage(stream, message),
    );
  }

  /** Whether it is connected. */
  get connected() {
    return this.#socket.readyState === WebSocket.OPEN && !this.#closed;
  }

  /**
   * Connects; {@link connect} calls it.
   *
   * @param {...AmfValue} values
   * @returns {Promise<void>}
   */
  open(...values) {
    const socket = this.#socket;
    const target = new URL(this.url);
    return new Promise((resolve, reject) => {
      socket.onmessage = ({ data }) => {
        if (data instanceof ArrayBuffer) this.#flows.receive(new Uint8Array(data));
      };
      socket.onclose = ({ code, reason }) => {
        const description = reason || `The WebSocket was closed with code ${code}`;
        this.#end({ level: "error", code: "NetConnection.Connect.Closed", description });
      };
      this.#calls.set(1, {
        resolve: (info) => {
          this.info = /** @type {any} */ (info) ?? {};
          resolve();
        },
        reject: (error) => {
          reject(error);
          this.close();
        },
      });
      socket.onopen = () => {
        const app = target.pathname.replace(/^\//, "") + target.search;
        const object = {
          app,
          tcUrl: this.url,
          flashVer: "cumulus.js",
          pageUrl: globalThis.location?.href ?? "",
          objectEncoding: 0,
        };
        this.#flows.write(0, command("connect", 1, object, values), 3);
      };
    });
  }

  /**
   * Calls a function of the client object in the application.
   *
   * @param {string} name
   * @param {...AmfValue} values
   * @returns {Promise<any>} the function's result; rejects with a {@link CumulusError}
   */
  call(name, ...values) {
    return this.request(name, null, values);
  }

  /** Calls a function without an answer. @param {string} name @param {...AmfValue} values */
  send(name, ...values) {
    this.#flows.write(0, command(name, 0, null, values), 3);
  }

  /**
   * Sends a command, and resolves with the server's answer.
   *
   * @param {string} name
   * @param {AmfValue} object
   * @param {AmfValue[]} values
   * @returns {Promise<any>}
   */
  request(name, object, values) {
    if (this.#closed) {
      return Promise.reject(
        new CumulusError({ level: "error", code: "NetConnection.Call.Failed" }),
      );
    }
    const transaction = ++this.#lastCall;
    return new Promise((resolve, reject) => {
      this.#calls.set(transaction, { resolve, reject });
      this.#flows.write(0, command(name, transaction, object, values), 3);
    });
  }

  /** Creates a stream for publishing or playing. @returns {Promise<NetStream>} */
  async createStream() {
    const id = Number(await this.request("createStream", null, []));
    const stream = new NetStream(this, id, {
      /** @param {Uint8Array} message @param {number} priority */
      write: (message, priority) => this.#flows.write(id, message, priority),
      waiting: () => this.#flows.waiting(id),
      close: () => {
        this.#streams.delete(id);
        this.#flows.closeStream(id);
        if (this.connected) this.send("deleteStream", id);
      },
    });
    this.#streams.set(id, stream);
    return stream;
  }

  /**
   * Uses a remote shared object of the application.
   *
   * @param {string} name
   * @param {{ persistent?: boolean }} [options]
   * @returns {Promise<SharedObject>} resolves when its slots have arrived
   */
  sharedObject(name, { persistent = false } = {}) {
    const key = `${persistent} ${name}`;
    let object = this.#objects.get(key);
    if (!object) {
      object = new SharedObject(name, persistent, {
        send: (body) => this.#flows.write(0, header(MessageType.sharedObject, 0, body), 3),
        leave: () => this.#objects.delete(key),
      });
      this.#objects.set(key, object);
    }
    return object.ready;
  }

  /** Ends the connection. */
  close() {
    this.#socket.close(1000);
    this.#end({ level: "status", code: "NetConnection.Connect.Closed" });
  }

  /** @param {Status} status */
  #end(status) {
    if (this.#closed) return;
    this.#closed = true;
    for (const { reject } of this.#calls.values()) reject(new CumulusError(status));
    this.#calls.clear();
    for (const stream of this.#streams.values()) stream.ended();
    this.#streams.clear();
    for (const object of this.#objects.values()) object.ended(status);
    this.#objects.clear();
    this.dispatchEvent(new CustomEvent("close", { detail: status }));
  }

  /** @param {number} stream @param {Uint8Array} message */
  #onMessage(stream, message) {
    const { type, time, payload } = readHeader(message);
    if (type === MessageType.sharedObject || type === MessageType.sharedObjectAmf3) {
      return this.#onSharedObject(
        type === MessageType.sharedObjectAmf3 ? payload.subarray(1) : payload,
      );
    }
    if (stream !== 0) return this.#streams.get(stream)?.receive(type, time, payload);
    const read = readCommand(type, payload);
    if (!read) return;
    const { name, transaction, values } = read;
    if (name === "_result" || name === "_error") return this.#onAnswer(name, transaction, values);
    if (name === "onStatus") {
      this.dispatchEvent(new CustomEvent("status", { detail: values[0] }));
    }
    if (name === "close") return this.close();
    const handler = this.client[name];
    if (typeof handler !== "function") return;
    handler.apply(this.client, values);
  }

  /** @param {string} name @param {number} transaction @param {any[]} values */
  #onAnswer(name, transaction, values) {
    const call = this.#calls.get(transaction);
    if (!call) return;
    this.#calls.delete(transaction);
    if (name === "_result") call.resolve(values[0]);
    else {call.reject(
        new CumulusError(values[0] ?? { level: "error", code: "NetConnection.Call.Failed" }),
      );}
  }

  /** @param {Uint8Array} body */
  #onSharedObject(body) {
    const message = readSharedObject(body);
    this.#objects.get(`${message.persistent} ${message.name}`)?.receive(message);
  }
}

/**
 * A stream that publishes or plays.
 *
 * Events: `status` (`detail`: a {@link Status}); `audio`, `video` (`detail`: `{ time, payload }`, the
 * time in milliseconds and the body of an FLV tag); `data` (`detail`: `{ name, values }`).
 */
export class NetStream extends EventTarget {
  #link;

  /**
   * @param {NetConnection} connection
   * @param {number} id
   * @param {{ write: (message: Uint8Array, priority: number) => void, waiting: () => number,
   *   close: () => void }} link
   */
  constructor(connection, id, link) {
    super();
    this.connection = connection;
    this.id = id;
    this.#link = link;
  }

  /** Bytes that wait to be sent. If there are too many, a publisher should drop frames. */
  get waiting() {
    return this.#link.waiting();
  }

  /**
   * Plays a stream; it may be published later.
   *
   * @param {string} name
   * @param {number} [start] -2: live or recorded, -1: live, from 0: recorded, in seconds
   * @param {number} [length] seconds; -1: to the end
   */
  play(name, start = -2, length = -1) {
    const values = [name, start * 1000, length < 0 ? -1 : length * 1000];
    this.#link.write(command("play", 0, null, values), 3);
  }

  /**
   * Publishes a stream. Send audio, video and data after the status `NetStream.Publish.Start`.
   *
   * @param {string} name
   * @param {"live" | "record" | "append"} [type]
   * @returns {Promise<void>} rejects with a {@link CumulusError} if the server refuses
   */
  publish(name, type = "live") {
    return new Promise((resolve, reject) => {
      /** @param {any} event */
      const listen = (event) => {
        /** @type {Status} */
        const status = event.detail;
        if (!status.code.startsWith("NetStream.Publish.") && status.level !== "error") return;
        this.removeEventListener("status", listen);
        if (status.level === "error") reject(new CumulusError(status));
        else resolve();
      };
      this.addEventListener("status", listen);
      this.#link.write(command("publish", 0, null, [name, type]), 3);
    });
  }

  /** Sends the body of an FLV audio tag. @param {number} time ms @param {Uint8Array} payload */
  sendAudio(time, payload) {
    this.#link.write(header(MessageType.audio, time, payload), 2);
  }

  /** Sends the body of an FLV video tag. @param {number} time ms @param {Uint8Array} payload */
  sendVideo(time, payload) {
    this.#link.write(header(MessageType.video, time, payload), 1);
  }

  /** Calls a function at all players of the stream. @param {string} name @param {...AmfValue} values */
  send(name, ...values) {
    const to = new ByteWriter();
    writeValue(to, name);
    for (const value of values) writeValue(to, value);
    this.#link.write(header(MessageType.data, 0, to.bytes()), 2);
  }

  /** Seeks in a recording. @param {number} seconds */
  seek(seconds) {
    this.#link.write(command("seek", 0, null, [seconds * 1000]), 3);
  }

  /** Pauses or resumes. @param {boolean} on true pauses @param {number} [seconds] position */
  pause(on, seconds = 0) {
    this.#link.write(command("pause", 0, null, [on, seconds * 1000]), 3);
  }

  /** Ends publishing or playing, and deletes the stream. */
  close() {
    this.#link.close();
  }

  /** The connection has ended. */
  ended() {
    this.dispatchEvent(
      new CustomEvent("status", {
        detail: { level: "error", code: "NetConnection.Connect.Closed" },
      }),
    );
  }

  /** A message for this stream. @param {number} type @param {number} time @param {Uint8Array} payload */
  receive(type, time, payload) {
    if (type === MessageType.audio || type === MessageType.video) {
      const kind = type === MessageType.audio ? "audio" : "video";
      this.dispatchEvent(new CustomEvent(kind, { detail: { time, payload } }));
      return;
    }
    if (type === MessageType.data || type === MessageType.dataAmf3) {
      const [name, ...values] = readValues(
        type === MessageType.dataAmf3 ? payload.subarray(1) : payload,
      );
      this.dispatchEvent(new CustomEvent("data", { detail: { name, values } }));
      return;
    }
    const read = readCommand(type, payload);
    if (read?.name !== "onStatus") return;
    this.dispatchEvent(new CustomEvent("status", { detail: read.values[0] }));
  }
}

/**
 * Makes a loader that gives a stream to mpegts.js, for `customLoader` in its configuration:
 *
 *     const loader = flvLoader(mpegts, stream); // before the stream plays
 *     stream.play("cam");
 *     mpegts.createPlayer({ type: "flv", isLive: true, url: "x" }, { customLoader: loader })
 *
 * @param {any} mpegts the module
 * @param {NetStream} stream
 * @returns {any} a class for one player
 */
export function flvLoader(mpegts, stream) {
  const source = new FlvSource(stream);
  return class FlvLoader extends mpegts.BaseLoader {
    constructor() {
      super("cumulus");
      this._at = 0;
    }

    open() {
      this._status = mpegts.LoaderStatus.kBuffering;
      source.open((bytes) => {
        this._onDataArrival(bytes.slice().buffer, this._at, bytes.length);
        this._at += bytes.length;
      });
    }

    abort() {
      source.close();
      this._status = mpegts.LoaderStatus.kComplete;
    }

    destroy() {
      this.abort();
      super.destroy();
    }
  };
}

/**
 * Converts the frames of a stream to an FLV file. The file's header must name the kinds of frames, since
 * a player waits for these and ignores others: so it is written with the first frame of the second kind,
 * at the latest {@link SECOND_KIND_TIMEOUT} after the first frame.
 */
class FlvSource {
  #stream;
  /** @type {((bytes: Uint8Array) => void) | undefined} */
  #push;
  /** Tags before the header. @type {Uint8Array[] | undefined} */
  #first = [];
  #kinds = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {NetStream} stream keeps the frames that arrive from now on */
  constructor(stream) {
    this.#stream = stream;
    for (const kind of ["audio", "video", "data"]) stream.addEventListener(kind, this.#listen);
  }

  /** @param {(bytes: Uint8Array) => void} push */
  open(push) {
    this.#push = push;
    this.#begin(this.#kinds.size === 2);
  }

  close() {
    clearTimeout(this.#timer);
    const stream = this.#stream;
    for (const kind of ["audio", "video", "data"]) stream.removeEventListener(kind, this.#listen);
  }

  /** @param {any} event */
  #listen = (event) => {
    const tag = tagOf(event);
    if (!tag) return;
    if (!this.#first) return this.#push?.(tag);
    this.#first.push(tag);
    if (event.type !== "data") this.#kinds.add(event.type);
    this.#begin(this.#kinds.size === 2);
  };

  /** @param {boolean} isComplete whether frames of both kinds have arrived */
  #begin(isComplete) {
    if (!this.#push || this.#kinds.size === 0 || !this.#first) return;
    if (!isComplete) {
      this.#timer ??= setTimeout(() => this.#begin(true), SECOND_KIND_TIMEOUT);
      return;
    }
    clearTimeout(this.#timer);
    const flags = (this.#kinds.has("audio") ? 4 : 0) | (this.#kinds.has("video") ? 1 : 0);
    this.#push(Uint8Array.of(0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, 9, 0, 0, 0, 0));
    for (const tag of this.#first) this.#push(tag);
    this.#first = undefined;
  }
}

/** Milliseconds to wait for the first frame of the second kind. */
const SECOND_KIND_TIMEOUT = 500;

/** Converts an event of a stream to an FLV tag; undefined for data other than onMetaData. @param {any} event */
function tagOf({ type, detail }) {
  if (type !== "data") return flvTag(type === "audio" ? 8 : 9, detail.time, detail.payload);
  if (detail.name !== "onMetaData") return undefined;
  const to = new ByteWriter();
  writeValue(to, detail.name);
  writeValue(to, detail.values[0]);
  return flvTag(18, 0, to.bytes());
}

/** @param {number} type @param {number} time @param {Uint8Array} body @returns {Uint8Array} */
function flvTag(type, time, body) {
  const to = new ByteWriter();
  to.u8(type).u24(body.length).u24(time & 0xffffff).u8(time >>> 24).u24(0).put(body);
  return to.u32(11 + body.length).bytes();
}

// Playing through WebCodecs and Web Audio. https://www.w3.org/TR/webcodecs/

/** Has WebCodecs only in browsers, on pages of https: and localhost. @type {any} */
const platform = globalThis;

/**
 * Plays a live stream on a canvas, through WebCodecs: H.264, AAC and MP3. It starts muted, and keeps its
 * delay as small as the network allows.
 *
 *     const player = new LivePlayer(await connection.createStream(), { canvas });
 *     player.stream.play("cam");
 *     button.onclick = () => player.muted = false; // browsers allow sound after a click
 *
 * Events: `playing`, the first picture of a stream was drawn; `resize` (`detail`: `{ width, height }`);
 * `error` (`detail`: an Error), a codec cannot be played.
 */
export class LivePlayer extends EventTarget {
  /** Whether this browser has WebCodecs, and this page may use it. */
  static get isSupported() {
    return "VideoDecoder" in platform && "AudioDecoder" in platform;
  }

  #canvas;
  #clock;
  #picture;
  #sound;
  /** Decoded pictures that are not due yet, oldest first. @type {any[]} */
  #waiting = [];
  /** @type {any} */
  #context;
  /** @type {any} */
  #gain;
  /** Start (s) of the next sound, in the time of the context. */
  #nextSound = 0;
  #volume = 1;
  #isPlaying = false;
  #isClosed = false;
  /** Position (ms) of the shown picture. */
  #shown = 0;
  #pictures = 0;
  #sounds = 0;

  /**
   * @param {NetStream} stream
   * @param {{ canvas?: any, delay?: number }} [options] `canvas`: an HTMLCanvasElement, which takes the
   *   size of the pictures; `delay`: ms of buffer for late frames
   */
  constructor(stream, { canvas, delay = 150 } = {}) {
    super();
    this.stream = stream;
    this.#canvas = canvas;
    this.#clock = new LiveClock(delay);
    this.#picture = new Decoding(
      "VideoDecoder",
      "EncodedVideoChunk",
      (frame) => this.#onPicture(frame),
      (error) => this.#fail(error),
    );
    this.#sound = new Decoding(
      "AudioDecoder",
      "EncodedAudioChunk",
      (data) => this.#onSound(data),
      (error) => this.#fail(error),
    );
    stream.addEventListener("video", this.#onVideo);
    stream.addEventListener("audio", this.#onAudio);
    stream.addEventListener("status", this.#onStatus);
    this.#draw();
  }

  /** Whether sound is off. A page can turn it on only in the handler of a click or key. */
  get muted() {
    return !this.#context;
  }

  set muted(muted) {
    if (muted === this.muted || this.#isClosed) return;
    if (muted) {
      this.#context.close();
      this.#context = this.#gain = undefined;
      return;
    }
    this.#context = new platform.AudioContext();
    this.#gain = this.#context.createGain();
    this.#gain.gain.value = this.#volume;
    this.#gain.connect(this.#context.destination);
    this.#nextSound = 0;
    this.#context.resume();
  }

  /** Volume, from 0 to 1. */
  get volume() {
    return this.#volume;
  }

  set volume(volume) {
    this.#volume = volume;
    if (this.#gain) this.#gain.gain.value = volume;
  }

  /** Position (s) in the stream of the shown picture, or of the sound if the stream has no video. */
  get currentTime() {
    if (this.#pictures > 0) return this.#shown / 1000;
    return this.#clock.isRunning ? this.#clock.timeAt(performance.now()) / 1000 : 0;
  }

  /** Seconds from {@link currentTime} to the newest frame. */
  get delay() {
    return this.#clock.isRunning ? this.#clock.newest / 1000 - this.currentTime : 0;
  }

  /** Pictures drawn, sounds played, and frames dropped because the browser decoded too slowly. */
  get statistics() {
    const dropped = this.#picture.dropped + this.#sound.dropped;
    return { pictures: this.#pictures, sounds: this.#sounds, dropped };
  }

  /** Stops the player. The last picture stays on the canvas; the stream stays open. */
  close() {
    if (this.#isClosed) return;
    this.muted = true;
    this.#isClosed = true;
    this.stream.removeEventListener("video", this.#onVideo);
    this.stream.removeEventListener("audio", this.#onAudio);
    this.stream.removeEventListener("status", this.#onStatus);
    this.#picture.close();
    this.#sound.close();
    this.#forgetPictures();
  }

  /** @param {any} event */
  #onVideo = ({ detail: { time, payload } }) => {
    const message = readVideo(payload);
    if (!message) return;
    if (message.unknown) return this.#picture.refuse(message.unknown);
    if (message.config) return this.#picture.configure(message.config);
    if (!message.data) return;
    this.#clock.heard("video", time, performance.now());
    this.#picture.decode(time + message.offset, message.isKey, message.data);
  };

  /** @param {any} event */
  #onAudio = ({ detail: { time, payload } }) => {
    const message = readAudio(payload);
    if (!message) return;
    if (message.unknown) return this.#sound.refuse(message.unknown);
    if (message.config) this.#sound.configure(message.config);
    if (!message.data) return;
    this.#clock.heard("audio", time, performance.now());
    if (!this.muted) this.#sound.decode(time, true, message.data);
  };

  /** After a start, stop or seek, frames belong to another position of the stream. @param {any} event */
  #onStatus = ({ detail: { code } }) => {
    if (
      !/^NetStream\.(Play\.(Start|Stop|UnpublishNotify|PublishNotify)|Seek\.Notify)$/.test(code)
    ) return;
    this.#clock.reset();
    this.#picture.interrupt();
    this.#forgetPictures();
    this.#isPlaying = false;
  };

  /** @param {any} frame */
  #onPicture(frame) {
    if (this.#isClosed) return frame.close();
    this.#waiting.push(frame);
    // A hidden tab draws nothing, and a decoder has a limited number of pictures: release them.
    this.#forgetPast(performance.now());
    if (this.#waiting.length > MAX_PICTURES) this.#waiting.shift().close();
  }

  /** @param {number} now */
  #forgetPast(now) {
    while (this.#waiting.length > 1 && this.#dueAt(this.#waiting[1]) <= now) {
      this.#waiting.shift().close();
    }
  }

  #forgetPictures() {
    for (const frame of this.#waiting.splice(0)) frame.close();
  }

  /** @param {any} frame */
  #dueAt(frame) {
    return this.#clock.at(frame.timestamp / 1000);
  }

  #draw() {
    if (this.#isClosed) return;
    platform.requestAnimationFrame?.(() => this.#draw());
    const now = performance.now();
    this.#forgetPast(now);
    const [frame] = this.#waiting;
    if (!frame || this.#isPlaying && this.#dueAt(frame) > now) return; // the first picture at once
    this.#waiting.shift();
    this.#show(frame);
    frame.close();
  }

  /** @param {any} frame */
  #show(frame) {
    const { displayWidth: width, displayHeight: height } = frame;
    const canvas = this.#canvas;
    if (canvas) {
      if (canvas.width !== width || canvas.height !== height) {
        [canvas.width, canvas.height] = [width, height];
        this.dispatchEvent(new CustomEvent("resize", { detail: { width, height } }));
      }
      canvas.getContext("2d").drawImage(frame, 0, 0);
    }
    this.#shown = frame.timestamp / 1000;
    this.#pictures++;
    if (this.#isPlaying) return;
    this.#isPlaying = true;
    this.dispatchEvent(new Event("playing"));
  }

  /** @param {any} data */
  #onSound(data) {
    const context = this.#context;
    if (context?.state === "running" && this.#clock.isRunning) {
      const wait = (this.#clock.at(data.timestamp / 1000) - performance.now()) / 1000;
      const due = context.currentTime + wait - (context.outputLatency || 0);
      // Sounds follow each other without gaps, except after a missing sound or if the clocks differ.
      if (Math.abs(due - this.#nextSound) > MAX_DRIFT) this.#nextSound = due;
      if (this.#nextSound >= context.currentTime) this.#play(data, this.#nextSound);
      this.#nextSound += data.numberOfFrames / data.sampleRate;
    }
    data.close();
  }

  /** @param {any} data @param {number} at */
  #play(data, at) {
    const { numberOfChannels: channels, numberOfFrames, sampleRate } = data;
    const buffer = this.#context.createBuffer(channels, numberOfFrames, sampleRate);
    for (let planeIndex = 0; planeIndex < channels; planeIndex++) {
      data.copyTo(buffer.getChannelData(planeIndex), { planeIndex, format: "f32-planar" });
    }
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#gain);
    source.start(at);
    this.#sounds++;
  }

  /** @param {Error} error */
  #fail(error) {
    if (!this.#isClosed) this.dispatchEvent(new CustomEvent("error", { detail: error }));
  }
}

/** Maximum number of waiting pictures, and of seconds by which sounds may differ from the clock. */
const MAX_PICTURES = 32;
const MAX_DRIFT = 0.05;
/** Limits of frames that wait for a decoder: BUSY_QUEUE for BUSY_TIME (ms), MAX_QUEUE at any time. */
const BUSY_QUEUE = 30;
const BUSY_TIME = 1000;
const MAX_QUEUE = 600;

/** A decoder of audio or video. When it is too slow or fails, it drops frames up to the next key frame. */
class Decoding {
  #Decoder;
  #Chunk;
  #output;
  #fail;
  /** @type {any} */
  #decoder;
  /** @type {any} */
  #config;
  #refused = "";
  #waitsForKey = true;
  /** Time (ms) from which on more than {@link BUSY_QUEUE} frames have been waiting. */
  #busySince = Infinity;
  dropped = 0;

  /**
   * @param {"VideoDecoder" | "AudioDecoder"} decoder
   * @param {"EncodedVideoChunk" | "EncodedAudioChunk"} chunk
   * @param {(output: any) => void} output
   * @param {(error: Error) => void} fail
   */
  constructor(decoder, chunk, output, fail) {
    this.#Decoder = platform[decoder];
    this.#Chunk = platform[chunk];
    this.#output = output;
    this.#fail = fail;
  }

  /** @param {any} config */
  configure(config) {
    if (this.#config && sameConfig(this.#config, config)) return;
    this.#config = config;
    this.#waitsForKey = true;
    this.close();
  }

  /** Reports an unsupported codec, once. @param {string} codec */
  refuse(codec) {
    if (this.#refused === codec) return;
    this.#refused = codec;
    this.#fail(new Error(`${codec} cannot be played`));
  }

  /** The next frame does not follow the last one. */
  interrupt() {
    this.#waitsForKey = true;
    if (this.#decoder?.decodeQueueSize > 0) this.close();
  }

  /** @param {number} time ms @param {boolean} isKey @param {Uint8Array} data */
  decode(time, isKey, data) {
    if (!this.#config) return;
    if (this.#isBehind()) this.#waitsForKey = true;
    if (this.#waitsForKey) {
      if (!isKey) return void this.dropped++;
      if (this.#isBehind()) {
        this.dropped += this.#decoder.decodeQueueSize;
        this.close();
      }
      this.#waitsForKey = false;
    }
    try {
      const decoder = this.#decoder ??= this.#open();
      const type = isKey ? "key" : "delta";
      decoder.decode(new this.#Chunk({ type, timestamp: Math.round(time * 1000), data }));
    } catch {
      this.close(); // the decoder has failed, and calls `error`
      this.#waitsForKey = true;
    }
  }

  close() {
    this.#busySince = Infinity;
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = undefined;
  }

  #isBehind() {
    const waiting = this.#decoder?.decodeQueueSize ?? 0;
    const now = performance.now();
    if (waiting <= BUSY_QUEUE) this.#busySince = Infinity;
    else if (this.#busySince === Infinity) this.#busySince = now;
    return waiting > MAX_QUEUE || now - this.#busySince > BUSY_TIME;
  }

  #open() {
    const config = this.#config;
    const decoder = new this.#Decoder({
      output: this.#output,
      /** @param {Error} error */
      error: (error) => {
        if (decoder !== this.#decoder) return;
        this.#decoder = undefined;
        this.#waitsForKey = true;
        if (error.name !== "NotSupportedError") return; // a damaged frame: continues at the next key frame
        this.#config = undefined;
        this.refuse(config.codec);
      },
    });
    decoder.configure(config);
    return decoder;
  }
}

/** @param {any} one @param {any} other */
function sameConfig(one, other) {
  const text = (/** @type {any} */ config) =>
    JSON.stringify({ ...config, description: config.description && [...config.description] });
  return text(one) === text(other);
}

/** Length (ms) of a span, and number of spans that the clock keeps. */
const SPAN = 500;
const SPANS = 8;

/**
 * Decides when a frame of a live stream is due: `delay` after the earliest arrivals of the last seconds,
 * of audio or video, whichever is later. So of the frames since the last key frame, which arrive together
 * at the start, all but the last ones are due at once.
 */
class LiveClock {
  /** @type {Map<string, { from: number, least: number }[]>} */
  #kinds = new Map();
  #base = 0;
  newest = -Infinity;

  /** @param {number} delay ms */
  constructor(delay) {
    this.delay = delay;
  }

  get isRunning() {
    return this.#kinds.size > 0;
  }

  /** Takes note of a frame. @param {string} kind @param {number} time ms @param {number} now ms */
  heard(kind, time, now) {
    this.newest = Math.max(this.newest, time);
    let spans = this.#kinds.get(kind);
    if (!spans) this.#kinds.set(kind, spans = []);
    const span = spans.at(-1);
    const offset = now - time;
    if (span && now - span.from < SPAN) span.least = Math.min(span.least, offset);
    else spans.push({ from: now, least: offset });
    if (spans.length > SPANS) spans.shift();
    this.#base = -Infinity;
    for (const [kind, spans] of this.#kinds) {
      const last = spans.at(-1);
      if (!last || now - last.from > SPANS * SPAN) this.#kinds.delete(kind);
      else this.#base = Math.max(this.#base, Math.min(...spans.map(({ least }) => least)));
    }
  }

  /** When the frame of a time is due (ms). @param {number} time ms */
  at(time) {
    return time + this.#base + this.delay;
  }

  /** The time in the stream that is due now (ms). @param {number} now ms */
  timeAt(now) {
    return now - this.#base - this.delay;
  }

  reset() {
    this.#kinds.clear();
    this.newest = -Infinity;
  }
}

/**
 * @typedef {{ config?: any, data?: Uint8Array, isKey: boolean, offset: number, unknown?: string }} MediaMessage
 *   `config`: of a decoder; `offset`: ms from decoding to showing; `unknown`: the name of a codec that
 *   cannot be played
 */

/** Reads the body of an FLV video tag. @param {Uint8Array} payload @returns {MediaMessage | undefined} */
function readVideo(payload) {
  if (payload.length < 5) return undefined;
  const [first = 0, second] = payload;
  const frameType = (first >> 4) & 7;
  const isKey = frameType === 1;
  if (frameType === 5) return undefined; // a command to the player
  if (first & 0x80) { // Enhanced RTMP
    const codec = decoder.decode(payload.subarray(1, 5));
    if (codec !== "avc1") return { isKey, offset: 0, unknown: codec };
    const type = first & 15;
    if (type === 0) return { isKey, offset: 0, config: avcConfig(payload.subarray(5)) };
    if (type === 3) return { isKey, offset: 0, data: payload.subarray(5) };
    return type === 1 ? avcFrame(isKey, payload.subarray(5)) : undefined;
  }
  const codec = first & 15;
  if (codec !== 7) return { isKey, offset: 0, unknown: VIDEO_CODECS[codec] ?? `codec ${codec}` };
  if (second === 0) return { isKey, offset: 0, config: avcConfig(payload.subarray(5)) };
  return second === 1 ? avcFrame(isKey, payload.subarray(2)) : undefined;
}

/**
 * @param {boolean} isKey
 * @param {Uint8Array} bytes 24 bits, the ms from decoding to showing; then the frame
 * @returns {MediaMessage | undefined} undefined if it is cut off
 */
function avcFrame(isKey, bytes) {
  const [high, middle, low] = bytes;
  if (high === undefined || middle === undefined || low === undefined) return undefined;
  const offset = (high << 24 | middle << 16 | low << 8) >> 8;
  return { isKey, offset, data: bytes.subarray(3) };
}

/** @param {Uint8Array} description AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1 */
function avcConfig(description) {
  const hex = [...description.subarray(1, 4)].map((byte) => byte.toString(16).padStart(2, "0"));
  const codec = `avc1.${hex.join("")}`;
  return { codec, description: description.slice(), optimizeForLatency: true };
}

/** Reads the body of an FLV audio tag. @param {Uint8Array} payload @returns {MediaMessage | undefined} */
function readAudio(payload) {
  if (payload.length < 2) return undefined;
  const [first = 0, second] = payload;
  const message = { isKey: true, offset: 0 };
  const format = first >> 4;
  if (format === 10) {
    if (second === 1) return { ...message, data: payload.subarray(2) };
    return second === 0 ? { ...message, config: aacConfig(payload.subarray(2)) } : undefined;
  }
  if (format === 2) {
    const sampleRate = Math.round(5512.5 * 2 ** ((first >> 2) & 3));
    const config = { codec: "mp3", sampleRate, numberOfChannels: 1 + (first & 1) };
    return { ...message, config, data: payload.subarray(1) };
  }
  const name = format === 9 ? decoder.decode(payload.subarray(1, 5)) : AUDIO_CODECS[format];
  return { ...message, unknown: name ?? `codec ${format}` };
}

/** @param {Uint8Array} description AudioSpecificConfig, ISO/IEC 14496-3 §1.6.2.1 */
function aacConfig(description) {
  let at = 0;
  /** @param {number} count */
  const bits = (count) => {
    let value = 0;
    for (; count > 0; count--, at++) {
      value = value * 2 + (((description[at >> 3] ?? 0) >> (7 - at % 8)) & 1);
    }
    return value;
  };
  let type = bits(5);
  if (type === 31) type = 32 + bits(6);
  const index = bits(4);
  const sampleRate = index === 15 ? bits(24) : AAC_RATES[index] ?? 44_100;
  const channels = bits(4);
  return {
    codec: `mp4a.40.${type}`,
    sampleRate,
    numberOfChannels: channels === 7 ? 8 : channels || 2,
    description: description.slice(),
  };
}

const AAC_RATES = [
  ...[96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000],
  7350,
];
/** Codecs of Flash Player, by their number in FLV. */
const VIDEO_CODECS = [
  "",
  "",
  "Sorenson H.263",
  "Screen video",
  "VP6",
  "VP6 with alpha",
  "Screen video 2",
];
const AUDIO_CODECS = [
  ...["PCM", "ADPCM", "MP3", "PCM", "Nellymoser", "Nellymoser", "Nellymoser", "G.711", "G.711", ""],
  ...["AAC", "Speex"],
];

/**
 * A remote shared object: slots with the same values for all its clients.
 *
 * Events: `sync`, with `detail`: `{ code, name }[]` (`clear`, `change`, `success`, `delete`);
 * `status` (`detail`: a {@link Status}): the server refused the object or a change.
 */
export class SharedObject extends EventTarget {
  #link;
  #version = 0;
  #isUsed = false;
  /** @type {(object: SharedObject) => void} */
  #resolve = () => {};
  /** @type {(error: Error) => void} */
  #reject = () => {};

  /**
   * @param {string} name
   * @param {boolean} persistent
   * @param {{ send: (body: Uint8Array) => void, leave: () => void }} link
   */
  constructor(name, persistent, link) {
    super();
    this.name = name;
    this.persistent = persistent;
    this.#link = link;
    /** The slots. Set them with {@link set}. @type {Map<string, AmfValue>} */
    this.data = new Map();
    /** Functions by name, which {@link send} of any client calls. @type {{ [name: string]: Function }} */
    this.client = {};
    /** @type {Promise<SharedObject>} */
    this.ready = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.ready.catch(() => {});
    this.#send(1, () => {});
  }

  get version() {
    return this.#version;
  }

  /** Sets a slot for all clients. @param {string} slot @param {AmfValue} value */
  set(slot, value) {
    this.data.set(slot, value);
    this.#send(3, (to) => writeValue(to.text(slot), value));
  }

  /** Deletes a slot for all clients. @param {string} slot */
  delete(slot) {
    this.data.delete(slot);
    this.#send(10, (to) => to.text(slot));
  }

  /** Calls a function at all clients of the object, this one included. @param {string} handler @param {...AmfValue} values */
  send(handler, ...values) {
    this.#send(6, (to) => {
      for (const value of [handler, ...values]) writeValue(to, value);
    });
  }

  /** Stops using the object. */
  close() {
    this.#send(2, () => {});
    this.#link.leave();
  }

  /** The connection has ended. @param {Status} status */
  ended(status) {
    this.#reject(new CumulusError(status));
  }

  /** @param {ReturnType<typeof readSharedObject>} message */
  receive({ version, events }) {
    /** @type {{ code: string, name?: string }[]} */
    const changes = [];
    for (const { type, body } of events) {
      const from = new ByteReader(body);
      this.#isUsed ||= type === 11;
      // Until then messages belong to an earlier use of the same name.
      if (!this.#isUsed && type !== 7) continue;
      if (type === 11) this.#resolve(this);
      else if (type === 8) {
        this.data.clear();
        changes.push({ code: "clear" });
      } else if (type === 4) {
        const name = from.text();
        this.data.set(name, readValue(from));
        changes.push({ code: "change", name });
      } else if (type === 5) changes.push({ code: "success", name: from.text() });
      else if (type === 9) {
        const name = from.text();
        this.data.delete(name);
        changes.push({ code: "delete", name });
      } else if (type === 6) {
        const [handler, ...values] = readValues(body);
        const call = this.client[String(handler)];
        if (typeof call === "function") call.apply(this.client, values);
      } else if (type === 7) {
        const status = { code: from.text(), level: from.text() };
        this.#reject(new CumulusError(status));
        this.dispatchEvent(new CustomEvent("status", { detail: status }));
      }
    }
    if (this.#isUsed) this.#version = version;
    if (changes.length > 0) this.dispatchEvent(new CustomEvent("sync", { detail: changes }));
  }

  /** @param {number} type @param {(to: ByteWriter) => void} write */
  #send(type, write) {
    const event = new ByteWriter();
    write(event);
    const body = event.bytes();
    const to = new ByteWriter().text(this.name).u32(this.#version).u32(this.persistent ? 2 : 0).u32(
      0,
    );
    this.#link.send(to.u8(type).u32(body.length).put(body).bytes());
  }
}

/** @param {Uint8Array} body */
function readSharedObject(body) {
  const from = new ByteReader(body);
  const name = from.text();
  const version = from.u32();
  const persistent = (from.u32() & 2) !== 0;
  from.u32();
  /** @type {{ type: number, body: Uint8Array }[]} */
  const events = [];
  while (from.left > 0) events.push({ type: from.u8(), body: from.take(from.u32()) });
  return { name, version, persistent, events };
}

// Messages: type u8, time u32, payload; RFC 7425 §5.1.

/** @param {number} type @param {number} time @param {Uint8Array} payload */
function header(type, time, payload) {
  return new ByteWriter().u8(type).u32(time >>> 0).put(payload).bytes();
}

/** @param {Uint8Array} message */
function readHeader(message) {
  const from = new ByteReader(message);
  return { type: from.u8(), time: from.u32(), payload: from.rest() };
}

/** @param {string} name @param {number} transaction @param {AmfValue} object @param {AmfValue[]} values */
function command(name, transaction, object, values) {
  const to = new ByteWriter();
  for (const value of [name, transaction, object, ...values]) writeValue(to, value);
  return header(MessageType.command, 0, to.bytes());
}

/** @param {number} type @param {Uint8Array} payload */
function readCommand(type, payload) {
  if (type !== MessageType.command && type !== MessageType.commandAmf3) return undefined;
  const [name, transaction, object, ...values] = readValues(
    type === MessageType.commandAmf3 ? payload.subarray(1) : payload,
  );
  return { name: String(name), transaction: Number(transaction), object, values };
}

/** Flows of messages over a WebSocket: the RTWebSocket protocol. */
class Flows {
  #send;
  #onMessage;
  #nextFlow = 0;
  /** Sending flows by `stream/priority`. @type {Map<string, OutFlow>} */
  #out = new Map();
  /** Receiving flows by id. @type {Map<number, { stream: number, parts: Uint8Array[], unacknowledged: number }>} */
  #in = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #unacknowledged = 0;

  /**
   * @param {(message: Uint8Array) => void} send
   * @param {(stream: number, message: Uint8Array) => void} onMessage
   */
  constructor(send, onMessage) {
    this.#send = send;
    this.#onMessage = onMessage;
  }

  /** @param {number} stream @param {Uint8Array} message @param {number} priority */
  write(stream, message, priority) {
    const key = stream === 0 ? "0" : `${stream}/${priority}`;
    let flow = this.#out.get(key);
    if (!flow) {
      const id = this.#nextFlow++;
      flow = { id, stream, queue: [], queued: 0, sent: 0, acknowledged: 0, buffer: BUFFER };
      this.#out.set(key, flow);
      const open = new ByteWriter().u8(0x10).vlu(id).u8(0x54).u8(0x43).u8(4).vlu(stream);
      this.#send(open.bytes());
    }
    flow.queue.push(message);
    flow.queued += message.length;
    this.#flush(flow);
  }

  /** Bytes that wait in a stream's flows. @param {number} stream */
  waiting(stream) {
    let bytes = 0;
    for (const flow of this.#out.values()) if (flow.stream === stream) bytes += flow.queued;
    return bytes;
  }

  /** @param {number} stream */
  closeStream(stream) {
    for (const [key, flow] of this.#out) {
      if (flow.stream !== stream) continue;
      this.#send(new ByteWriter().u8(0x1c).vlu(flow.id).bytes());
      this.#out.delete(key);
    }
  }

  /** @param {Uint8Array} message */
  receive(message) {
    const from = new ByteReader(message);
    const type = from.u8();
    switch (type) {
      case 0x01:
        return this.#send(new ByteWriter().u8(0x41).put(from.rest()).bytes());
      case 0x10:
      case 0x30: {
        const id = from.vlu();
        if (type === 0x30) from.vlu();
        from.take(3);
        this.#in.set(id, { stream: from.vlu(), parts: [], unacknowledged: 0 });
        return this.#send(new ByteWriter().u8(0x5a).vlu(id).vlu(0).vlu(BUFFER).bytes());
      }
      case 0x1d:
      case 0x3d:
        return this.#receiveData(from, message.length, type === 0x3d);
      case 0x1a: {
        const flow = this.#in.get(from.vlu());
        if (flow) flow.parts = [];
        return;
      }
      case 0x1c: {
        const id = from.vlu();
        this.#in.delete(id);
        return this.#send(new ByteWriter().u8(0x5c).vlu(id).bytes());
      }
      case 0x5a: {
        const id = from.vlu();
        for (const flow of this.#out.values()) {
          if (flow.id !== id) continue;
          flow.acknowledged += from.vlu();
          flow.buffer = from.vlu();
          this.#flush(flow);
        }
      }
    }
  }

  /** @param {ByteReader} from @param {number} length @param {boolean} more */
  #receiveData(from, length, more) {
    const flow = this.#in.get(from.vlu());
    if (!flow) return;
    flow.unacknowledged += length;
    this.#unacknowledged += length;
    if (this.#unacknowledged >= ACK_AFTER) this.#acknowledge();
    else this.#timer ??= setTimeout(() => this.#acknowledge(), MAX_ACK_DELAY);
    flow.parts.push(from.rest());
    if (more) return;
    const [first, ...others] = flow.parts;
    const message = first && others.length === 0 ? first : joined(flow.parts);
    flow.parts = [];
    this.#onMessage(flow.stream, message);
  }

  #acknowledge() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unacknowledged = 0;
    for (const [id, flow] of this.#in) {
      if (flow.unacknowledged === 0) continue;
      this.#send(new ByteWriter().u8(0x5a).vlu(id).vlu(flow.unacknowledged).vlu(BUFFER).bytes());
      flow.unacknowledged = 0;
    }
  }

  /** @param {OutFlow} flow */
  #flush(flow) {
    while (flow.sent - flow.acknowledged < flow.buffer) {
      const [message] = flow.queue;
      if (!message) return;
      const piece = message.subarray(0, FRAGMENT);
      const more = piece.length < message.length;
      const bytes = new ByteWriter().u8(more ? 0x3d : 0x1d).vlu(flow.id).put(piece).bytes();
      if (more) flow.queue[0] = message.subarray(FRAGMENT);
      else flow.queue.shift();
      flow.queued -= piece.length;
      flow.sent += bytes.length;
      this.#send(bytes);
    }
  }
}

/**
 * @typedef {{ id: number, stream: number, queue: Uint8Array[], queued: number, sent: number,
 *   acknowledged: number, buffer: number }} OutFlow
 */

/** Bytes of the receive buffer, of a fragment, and of unacknowledged data that cause an acknowledgement. */
const BUFFER = 1 << 20;
const FRAGMENT = 1400;
const ACK_AFTER = 16_384;
/** Maximum delay (ms) of an acknowledgement. */
const MAX_ACK_DELAY = 250;

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

// AMF0, and AMF3 inside it. AMF0 specification, AMF3 specification.

/** @param {ByteWriter} to @param {AmfValue} value @param {number} [depth] */
function writeValue(to, value, depth = 0) {
  if (depth > 64) throw new RangeError("The value is too deep");
  if (value === null) to.u8(5);
  else if (value === undefined) to.u8(6);
  else if (typeof value === "number") to.u8(0).f64(value);
  else if (typeof value === "boolean") to.u8(1).u8(value ? 1 : 0);
  else if (typeof value === "string") {
    const bytes = encoder.encode(value);
    if (bytes.length <= 0xffff) to.u8(2).u16(bytes.length).put(bytes);
    else to.u8(12).u32(bytes.length).put(bytes);
  } else if (value instanceof Date) to.u8(11).f64(value.getTime()).u16(0);
  else if (value instanceof Uint8Array) {
    to.u8(0x11).u8(0x0c).u29((value.length << 1) | 1).put(value);
  } else if (Array.isArray(value)) {
    to.u8(10).u32(value.length);
    for (const one of value) writeValue(to, one, depth + 1);
  } else {
    to.u8(3);
    for (const [name, one] of Object.entries(value)) {
      if (name === "" || typeof one === "function") continue;
      writeValue(to.text(name), one, depth + 1);
    }
    to.u16(0).u8(9);
  }
}

/** @param {Uint8Array} bytes @returns {any[]} */
function readValues(bytes) {
  const from = new ByteReader(bytes);
  const values = [];
  while (from.left > 0) values.push(readValue(from));
  return values;
}

/** @param {ByteReader} from @param {any[]} [objects] @returns {any} */
function readValue(from, objects = []) {
  const marker = from.u8();
  switch (marker) {
    case 0:
      return from.f64();
    case 1:
      return from.u8() !== 0;
    case 2:
      return from.text();
    case 3:
    case 8:
    case 16: {
      if (marker === 16) from.text();
      if (marker === 8) from.u32();
      /** @type {any} */
      const object = Object.create(null);
      objects.push(object);
      while (true) {
        const name = from.text();
        if (name === "" && from.peek() === 9) break;
        object[name] = readValue(from, objects);
      }
      from.u8();
      return object;
    }
    case 7:
      return objects[from.u16()];
    case 10: {
      /** @type {any[]} */
      const array = [];
      objects.push(array);
      for (let left = from.u32(); left > 0; left--) array.push(readValue(from, objects));
      return array;
    }
    case 11: {
      const date = new Date(from.f64());
      from.u16();
      return date;
    }
    case 12:
    case 15:
      return decoder.decode(from.take(from.u32()));
    case 0x11:
      return new Amf3Reader(from).value();
    case 5:
      return null;
    default:
      return undefined;
  }
}

class Amf3Reader {
  /** @type {string[]} */
  #strings = [];
  /** @type {any[]} */
  #objects = [];
  /** @type {{ names: string[], dynamic: boolean }[]} */
  #traits = [];

  /** @param {ByteReader} from */
  constructor(from) {
    this.from = from;
  }

  /** @returns {any} */
  value() {
    const { from } = this;
    const marker = from.u8();
    switch (marker) {
      case 1:
        return null;
      case 2:
        return false;
      case 3:
        return true;
      case 4:
        return (from.u29() << 3) >> 3;
      case 5:
        return from.f64();
      case 6:
        return this.#string();
      case 7:
      case 11:
        return this.#object(() => decoder.decode(from.take(this.length)));
      case 8:
        return this.#object(() => new Date(from.f64()));
      case 9:
        return this.#object(() => this.#array());
      case 10:
        return this.#object(() => this.#members());
      case 12:
        return this.#object(() => from.take(this.length).slice());
      case 13:
      case 14:
      case 15:
      case 16:
        return this.#object(() => this.#vector(marker));
      case 17:
        return this.#object(() => this.#dictionary());
      default:
        return undefined;
    }
  }

  /** The U29 before an object, without its lowest bit. */
  length = 0;

  /** @param {() => any} read */
  #object(read) {
    const number = this.from.u29();
    if (!(number & 1)) return this.#objects[number >> 1];
    this.length = number >> 1;
    const index = this.#objects.length;
    this.#objects.push(undefined);
    const value = read();
    this.#objects[index] = value;
    return value;
  }

  #string() {
    const number = this.from.u29();
    if (!(number & 1)) return this.#strings[number >> 1] ?? "";
    const text = decoder.decode(this.from.take(number >> 1));
    if (text !== "") this.#strings.push(text);
    return text;
  }

  #array() {
    const { length } = this;
    /** @type {any} */
    const named = Object.create(null);
    let name;
    while ((name = this.#string()) !== "") named[name] = this.value();
    const array = [];
    for (let i = 0; i < length; i++) array.push(this.value());
    return Object.keys(named).length > 0 ? Object.assign(named, array) : array;
  }

  #members() {
    const { length } = this;
    let traits = this.#traits[length >> 1];
    if (length & 1) {
      this.#string();
      const names = [];
      for (let i = length >> 3; i > 0; i--) names.push(this.#string());
      traits = { names, dynamic: (length & 4) !== 0 };
      this.#traits.push(traits);
    }
    if (!traits) throw new RangeError(`Cannot find class ${length >> 1} of ${this.#traits.length}`);
    /** @type {any} */
    const object = Object.create(null);
    this.#objects[this.#objects.length - 1] ??= object;
    for (const name of traits.names) object[name] = this.value();
    if (!traits.dynamic) return object;
    let name;
    while ((name = this.#string()) !== "") object[name] = this.value();
    return object;
  }

  /** @param {number} marker */
  #vector(marker) {
    const { from, length } = this;
    from.u8();
    if (marker === 16) this.#string();
    const vector = [];
    for (let i = 0; i < length; i++) {
      if (marker === 13) vector.push(from.u32() | 0);
      else if (marker === 14) vector.push(from.u32());
      else vector.push(marker === 15 ? from.f64() : this.value());
    }
    return vector;
  }

  #dictionary() {
    const { from, length } = this;
    from.u8();
    const map = new Map();
    for (let i = 0; i < length; i++) map.set(this.value(), this.value());
    return map;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Writes big-endian bytes. */
class ByteWriter {
  #bytes = new Uint8Array(64);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** @param {number} count */
  #grow(count) {
    const at = this.#at;
    this.#at += count;
    if (this.#at <= this.#bytes.length) return at;
    const larger = new Uint8Array(Math.max(this.#at, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
    return at;
  }

  /** @param {number} value */
  u8(value) {
    const at = this.#grow(1);
    this.#bytes[at] = value;
    return this;
  }

  /** @param {number} value */
  u16(value) {
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
    return this;
  }

  /** @param {number} value */
  u24(value) {
    return this.u8(value >>> 16).u16(value & 0xffff);
  }

  /** @param {number} value */
  u32(value) {
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
    return this;
  }

  /** @param {number} value */
  f64(value) {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value);
    return this;
  }

  /** A variable-length integer: base 128, most significant digit first. @param {number} value */
  vlu(value) {
    const digits = [value % 128];
    while ((value = Math.floor(value / 128)) > 0) digits.unshift(0x80 | value % 128);
    for (const digit of digits) this.u8(digit);
    return this;
  }

  /** @param {number} value */
  u29(value) {
    if (value < 0x200000) return this.vlu(value);
    return this.u8(0x80 | value >>> 22).u8(0x80 | value >>> 15).u8(0x80 | value >>> 8).u8(value);
  }

  /** A length of 16 bits, and the text in UTF-8. @param {string} text */
  text(text) {
    const bytes = encoder.encode(text);
    return this.u16(bytes.length).put(bytes);
  }

  /** @param {Uint8Array} bytes */
  put(bytes) {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  bytes() {
    return this.#bytes.slice(0, this.#at);
  }
}

/** Reads big-endian bytes; throws a RangeError at their end. */
class ByteReader {
  #at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.input = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left() {
    return this.input.length - this.#at;
  }

  /** @param {number} count */
  #skip(count) {
    const at = this.#at;
    if (count > this.left) throw new RangeError(`Cannot read ${count} bytes: ${this.left} left`);
    this.#at += count;
    return at;
  }

  u8() {
    return this.view.getUint8(this.#skip(1));
  }

  peek() {
    return this.view.getUint8(this.#at);
  }

  u16() {
    return this.view.getUint16(this.#skip(2));
  }

  u32() {
    return this.view.getUint32(this.#skip(4));
  }

  f64() {
    return this.view.getFloat64(this.#skip(8));
  }

  vlu() {
    let value = 0;
    let byte;
    do {
      byte = this.u8();
      value = value * 128 + (byte & 0x7f);
    } while (byte & 0x80);
    return value;
  }

  u29() {
    let value = 0;
    for (let i = 0; i < 3; i++) {
      const byte = this.u8();
      value = (value << 7) | (byte & 0x7f);
      if (!(byte & 0x80)) return value;
    }
    return (value << 8) | this.u8();
  }

  text() {
    return decoder.decode(this.take(this.u16()));
  }

  /** @param {number} count */
  take(count) {
    const at = this.#skip(count);
    return this.input.subarray(at, at + count);
  }

  rest() {
    return this.take(this.left);
  }
}
