import { addressText } from "../common/address.ts";
import { type ByteSink, ROOM, StreamedResponse } from "../net/streamed_response.ts";
import type { WebPeer, WebSocketConnection } from "../net/web_server.ts";
import { readTarget } from "../tc/target.ts";
import { FlvViewer, type ViewerHost, type Viewing } from "../web/flv_viewer.ts";
import type { StreamRequest } from "../web/request.ts";
import { TagBlock } from "../web/tag_block.ts";
import type { DoorHost } from "./doors.ts";
import { Pacing } from "./pacing.ts";

/** Bytes that one write has at most, and that a WebSocket holds before its viewer waits. WEB-103. */
const MOST_AT_ONCE = 65_536;
const MOST_BUFFERED = 256 * 1024;
/**
 * Interval (ms) at which frames are sent together: a write costs as much as the frames in it, and
 * players have a buffer of several times as much. Few viewers are written to often; for many the
 * interval grows, so that the writes take one twentieth of the time, as long as it is not the longest.
 */
const MIN_BATCH_INTERVAL = 40;
const MAX_BATCH_INTERVAL = 240;
const BATCH_INTERVAL_PER_COST = 20;
/** How often viewers by WebSocket that wait look whether there is room, in milliseconds. */
const BLOCKED_INTERVAL = 20;
/** Characters of a header that scripts are told. */
const LONGEST_HEADER = 1_024;
const BAD_POLICY = 1008;

/** Where the bytes of a viewer go. */
interface Sink {
  /** Whether it takes more now. */
  readonly ready: boolean;
  /** As {@link ByteSink.write}. */
  write(block: Uint8Array, from: number, to: number): void;
  end(failure: string | undefined): void;
}

/** Viewers by HTTP and WebSocket, and where their bytes go. */
export class WebViewers implements ViewerHost {
  readonly #host: DoorHost;
  readonly #sinks = new Map<FlvViewer, Sink>();
  /** Block for writes, used for one viewer after the other. */
  readonly #block = new TagBlock(ROOM, MOST_AT_ONCE);
  readonly #pacing = new Pacing();
  readonly #awake = new Set<FlvViewer>();
  #blocked = false;
  #lookAt = Infinity;
  #batchAt = 0;

  constructor(host: DoorHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#sinks.size;
  }

  get deadline(): number {
    return this.#lookAt;
  }

  /**
   * Opens a stream for a viewer by HTTP.
   *
   * @param leave called once when it is over
   * @throws {NotViewable}
   */
  openBody(
    request: Request,
    stream: StreamRequest,
    peer: WebPeer,
    headers: Record<string, string>,
    leave: () => void,
  ): StreamedResponse {
    let body: ByteSink | undefined;
    const viewer = this.#open(viewing(request, stream, peer, "http", this.#host), {
      get ready() {
        return body !== undefined && body.waiting < MOST_AT_ONCE;
      },
      write: (block, from, to) => body?.write(block, from, to),
      end: (failure) => {
        leave();
        body?.end(failure === undefined);
      },
    });
    const input = (action: () => void) => this.#host.input("Cannot serve a viewer", action);
    return new StreamedResponse(headers, (sink) => {
      body = sink;
      input(() => this.wake(viewer));
      return {
        onDrain: () => viewer.output.waiting && input(() => this.wake(viewer)),
        onClose: () => this.#sinks.has(viewer) && input(() => this.#left(viewer, leave)),
      };
    });
  }

  /**
   * Opens a stream for a viewer by WebSocket. One that may not view is told why as it is closed.
   *
   * @param make makes the WebSocket once the viewer is let in
   * @throws {NotViewable}
   */
  openSocket<T extends { readonly socket: WebSocketConnection }>(
    request: Request,
    stream: StreamRequest,
    peer: WebPeer,
    leave: () => void,
    make: () => T | undefined,
  ): T | undefined {
    const made: { socket?: WebSocketConnection } = {};
    const viewer = this.#open(viewing(request, stream, peer, "ws", this.#host), {
      get ready() {
        return made.socket !== undefined && made.socket.open &&
          made.socket.bufferedAmount < MOST_BUFFERED;
      },
      write: (block, from, to) => made.socket?.sendPart(block, from, to),
      end: (failure) => {
        leave();
        made.socket?.close(failure === undefined ? 1000 : BAD_POLICY, failure?.slice(0, 40));
      },
    });
    const upgraded = make();
    if (!upgraded) {
      viewer.close();
      return undefined;
    }
    made.socket = upgraded.socket;
    const input = (action: () => void) => this.#host.input("Cannot serve a viewer", action);
    upgraded.socket.start({
      onOpen: () => input(() => this.wake(viewer)),
      onMessage: () => {}, // viewers have nothing to say
      onClose: () => input(() => this.#left(viewer, leave)),
    });
    return upgraded;
  }

  /**
   * Asks the application as for a viewer by HTTP that leaves at once: HEAD is answered as GET is.
   *
   * @throws {NotViewable}
   */
  ask(request: Request, stream: StreamRequest, peer: WebPeer): void {
    const nothing: ViewerHost = { wake() {}, over() {} };
    const viewer = viewing(request, stream, peer, "http", this.#host);
    new FlvViewer(this.#host.hub, viewer, nothing).close();
  }

  /** Writes waiting bytes to the viewers whose sockets accept more. */
  flush(now: number): void {
    if (this.#awake.size === 0) return;
    if (now < this.#batchAt) {
      for (const viewer of this.#awake) if (!viewer.output.begun) this.#drain(viewer);
      if (this.#awake.size > 0) this.#lookAt = this.#batchAt;
      return;
    }
    this.#lookAt = Infinity;
    this.#blocked = false;
    for (const viewer of this.#awake) this.#drain(viewer);
    const end = this.#host.now();
    this.#pacing.passed(now, end);
    this.#batchAt = Math.max(now + batchInterval(end - now), this.#pacing.next);
    if (this.#blocked) this.#lookAt = this.#batchAt = now + BLOCKED_INTERVAL;
  }

  close(): void {
    for (const viewer of [...this.#sinks.keys()]) viewer.close();
  }

  // ViewerHost

  wake(viewer: FlvViewer): void {
    this.#awake.add(viewer);
  }

  over(viewer: FlvViewer, failure: string | undefined): void {
    const sink = this.#sinks.get(viewer);
    if (!sink) return;
    if (failure === undefined) this.#drain(viewer);
    this.#forget(viewer);
    sink.end(failure);
  }

  #open(viewing: Viewing, sink: Sink): FlvViewer {
    const viewer = new FlvViewer(this.#host.hub, viewing, this);
    this.#sinks.set(viewer, sink);
    return viewer;
  }

  #drain(viewer: FlvViewer): void {
    const sink = this.#sinks.get(viewer);
    while (sink && viewer.output.waiting && sink.ready) {
      const end = viewer.takeInto(this.#block, MOST_AT_ONCE);
      sink.write(this.#block.bytes, ROOM, end);
    }
    if (sink && viewer.output.waiting) this.#blocked = true;
    else this.#awake.delete(viewer);
  }

  #left(viewer: FlvViewer, leave: () => void): void {
    leave();
    this.#forget(viewer);
    viewer.close();
  }

  #forget(viewer: FlvViewer): void {
    this.#sinks.delete(viewer);
    this.#awake.delete(viewer);
  }
}

/** @param cost milliseconds that the last writes took */
const batchInterval = (cost: number): number =>
  Math.min(Math.max(MIN_BATCH_INTERVAL, BATCH_INTERVAL_PER_COST * cost), MAX_BATCH_INTERVAL);

/** The viewer's parameters from a request. */
export function viewing(
  request: Request,
  { path, name }: StreamRequest,
  peer: WebPeer,
  protocol: "http" | "ws",
  { random }: DoorHost,
): Viewing {
  const { searchParams, search } = new URL(request.url);
  const header = (one: string) => (request.headers.get(one) ?? "").slice(0, LONGEST_HEADER);
  return {
    rawId: random(32),
    protocol,
    path,
    name,
    properties: readTarget(`/${search}`).properties,
    flashVersion: header("user-agent"),
    pageUrl: header("referer") || header("origin"),
    swfUrl: "",
    address: addressText(peer),
    hostname: peer.hostname,
    wait: searchParams.has("wait"),
    audio: searchParams.get("audio") !== "0",
    video: searchParams.get("video") !== "0",
  };
}
