import { addressText } from "../common/address.ts";
import { type ByteSink, ROOM, StreamedResponse } from "../net/streamed_response.ts";
import type { WebPeer, WebSocketConnection } from "../net/web_server.ts";
import { readTarget } from "../tc/target.ts";
import { FlvViewer, type ViewerHost, type Viewing } from "../web/flv_viewer.ts";
import type { StreamRequest } from "../web/request.ts";
import { TagBlock } from "../web/tag_block.ts";
import type { DoorHost } from "./doors.ts";
import { WritePacing } from "./pacing.ts";

/** Maximum bytes of one write, and of a WebSocket's buffer; above the latter, its viewer waits. WEB-103. */
const MAX_WRITE = 65_536;
const MAX_BUFFERED = 256 * 1024;
/**
 * Minimum and maximum ms between two writes of collected frames: a write costs as much as the frames in it, and
 * players buffer several times as much. The interval grows with the cost (ms) of the writes, so that they take 1/20
 * of the time until it reaches the maximum.
 */
const MIN_BATCH_INTERVAL = 40;
const MAX_BATCH_INTERVAL = 240;
const BATCH_INTERVAL_PER_COST = 20;
/** Ms between two checks of full WebSockets for room. */
const BLOCKED_INTERVAL = 20;
/** Maximum characters of a header that scripts see. */
const MAX_HEADER = 1_024;
/** WebSocket close code. */
const BAD_POLICY = 1008;

/** Receives the bytes of a viewer. */
interface Sink {
  /** Whether it accepts more bytes now. */
  readonly ready: boolean;
  /** As {@link ByteSink.write}. */
  write(block: Uint8Array, from: number, to: number): void;
  end(failure: string | undefined): void;
}

/** Viewers by HTTP and WebSocket, and their output. */
export class WebViewers implements ViewerHost {
  readonly #host: DoorHost;
  readonly #sinks = new Map<FlvViewer, Sink>();
  /** Block for writes, used for one viewer after the other. */
  readonly #block = new TagBlock(ROOM, MAX_WRITE);
  readonly #pacing = new WritePacing();
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
   * @param leave called once when the viewer has ended
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
        return body !== undefined && body.waiting < MAX_WRITE;
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
   * Opens a stream for a viewer by WebSocket. The close message has the reason of a failure.
   *
   * @param make makes the WebSocket after the application has accepted the viewer
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
          made.socket.bufferedAmount < MAX_BUFFERED;
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
      onMessage: () => {}, // messages of viewers are ignored
      onClose: () => input(() => this.#left(viewer, leave)),
    });
    return upgraded;
  }

  /**
   * Opens and closes a viewer by HTTP, so that HEAD gets the same answer as GET.
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
      const end = viewer.takeInto(this.#block, MAX_WRITE);
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

/** The parameters of a viewer, from its request. */
export function viewing(
  request: Request,
  { path, name }: StreamRequest,
  peer: WebPeer,
  protocol: "http" | "ws",
  { random }: DoorHost,
): Viewing {
  const { searchParams, search } = new URL(request.url);
  const header = (one: string) => (request.headers.get(one) ?? "").slice(0, MAX_HEADER);
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
