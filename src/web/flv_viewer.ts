import { AmfReader } from "../amf/mod.ts";
import type { Client, ClientInfo } from "../media/client.ts";
import type { Hub } from "../media/hub.ts";
import type { Listener } from "../media/listener.ts";
import { MustWait, Refused, UnknownApplication } from "../media/refused.ts";
import type { ManagedSession } from "../media/sessions.ts";
import { unplayableReason } from "./codecs.ts";
import { FlvOutput } from "./flv_output.ts";
import type { TagBlock } from "./tag_block.ts";
import { ViewerConnection } from "./viewer_connection.ts";

/** A viewer's request. */
export interface Viewing extends Omit<ClientInfo, "rawId"> {
  /** 32 random bytes. */
  readonly rawId: Uint8Array;
  /** `http` or `ws`. */
  readonly protocol: string;
  /** `ip:port`, or `[ip]:port`, and the IP address alone. */
  readonly address: string;
  readonly hostname: string;
  /** The name of the stream. */
  readonly name: string;
  /** Whether to wait for a publisher if there is none. WEB-020. */
  readonly wait: boolean;
  /** Whether the viewer wants audio, and video. */
  readonly audio: boolean;
  readonly video: boolean;
}

/** Interface of the door for a viewer. */
export interface ViewerHost {
  /** There are bytes to take. */
  wake(viewer: FlvViewer): void;
  /** The viewer has ended: the door ends the response after the bytes already taken. */
  over(viewer: FlvViewer, failure: string | undefined): void;
}

/** Refusal of a viewer, with the HTTP status. */
export class NotViewable extends Error {
  override name = "NotViewable";

  constructor(readonly status: 403 | 404 | 415 | 503, text: string) {
    super(text);
  }
}

/** Maximum ms that a viewer waits for a first publisher, and for the next one. */
const PUBLISHER_TIMEOUT = 30_000;
const NEXT_PUBLISHER_TIMEOUT = 5_000;
/** Maximum ms without reading waiting bytes: then the viewer is closed, to free its place. */
const READ_TIMEOUT = 60_000;

/**
 * A viewer by HTTP or WebSocket: a client of its application that only listens. WEB-020 to
 * WEB-025.
 */
export class FlvViewer extends ViewerConnection implements ManagedSession {
  readonly output: FlvOutput;
  readonly #hub: Hub;
  readonly #host: ViewerHost;
  #client: Client | undefined;
  #listener: Listener | undefined;
  /** Time (ms) at which the viewer stops waiting for a publisher. */
  #endAt = Infinity;
  #lastTaken: number;
  /** Time since which bytes have waited unread, including dropped ones. */
  #waitsSince = Infinity;
  #over = false;

  /**
   * @throws {NotViewable} if the stream has no publisher, cannot be played, or the application refuses
   */
  constructor(hub: Hub, viewing: Viewing, host: ViewerHost) {
    super(viewing);
    this.#hub = hub;
    this.#host = host;
    this.#lastTaken = hub.now;
    const publication = hub.publications.get(viewing.name);
    const publishing = publication?.publishing ?? false;
    if (!publishing && !viewing.wait) {
      throw new NotViewable(404, `No publisher of ${viewing.name}`);
    }
    this.output = new FlvOutput(hub, {
      onBytes: () => {
        if (this.output.waiting) this.#waitsSince = Math.min(this.#waitsSince, hub.now);
        host.wake(this);
      },
      onUnpublished: () => this.#endAt = hub.now + NEXT_PUBLISHER_TIMEOUT,
      onPublished: () => this.#endAt = Infinity,
      onEnded: () => this.#endSoon(),
    }, viewing);
    if (!publishing) this.#endAt = hub.now + PUBLISHER_TIMEOUT;
    try {
      this.#listener = this.#subscribe(viewing);
      const { publication } = this.#listener;
      const why = unplayableReason([
        viewing.audio ? publication.audioCodec : "",
        viewing.video ? publication.videoCodec : "",
      ]);
      if (why) throw new NotViewable(415, why);
    } catch (error) {
      this.#end();
      throw error;
    }
    hub.sessions.add(this);
  }

  get elapsedFromReception(): number {
    return Math.max(0, this.#hub.now - this.#lastTaken);
  }

  /** The next bytes of the file; see {@link FlvOutput.take}. */
  take(most: number): Uint8Array {
    const bytes = this.output.take(most);
    this.#took();
    return bytes;
  }

  /** Writes the next bytes into a block; see {@link FlvOutput.takeInto}. */
  takeInto(block: TagBlock, most: number): number {
    const end = this.output.takeInto(block, most);
    this.#took();
    return end;
  }

  /** Ends the viewer and its response; no effect after the end. */
  close(): void {
    this.fail(undefined);
  }

  // ManagedSession

  manage(): void {
    const { now } = this.#hub;
    if (now >= this.#endAt) return this.close();
    this.output.checkTimeout();
    if (this.output.waiting) this.#host.wake(this);
    if (now - this.#waitsSince >= READ_TIMEOUT) return this.fail("it received nothing for 60 s");
    const why = this.output.unplayableReason;
    if (why) this.fail(why);
  }

  get waiting(): number {
    return 0; // waiting frames are shared with other listeners
  }

  /** @param reason undefined: in good order */
  fail(reason: string | undefined): void {
    if (this.#over) return;
    this.#end(reason);
    this.#host.over(this, reason);
  }

  #took(): void {
    const { now } = this.#hub;
    this.#lastTaken = now;
    this.#waitsSince = this.output.waiting ? now : Infinity;
  }

  #subscribe(viewing: Viewing): Listener {
    const hub = this.#hub;
    try {
      const { client } = hub.connect(viewing, this, new AmfReader(new Uint8Array(0)));
      this.#client = client;
      const listener = hub.subscriptions.subscribe(
        client,
        viewing.name,
        hub.newStreamId(),
        this.output,
        {
          rebase: true,
          properties: viewing.properties,
        },
      );
      if (!viewing.audio) listener.receiveAudio = false;
      if (!viewing.video) listener.receiveVideo = false;
      listener.start();
      return listener;
    } catch (error) {
      if (error instanceof UnknownApplication) throw new NotViewable(404, error.message);
      if (error instanceof MustWait) throw new NotViewable(503, error.message);
      if (error instanceof Refused) throw new NotViewable(403, error.description || "Refused");
      throw error;
    }
  }

  /** Called by a script, perhaps in an event of this viewer: {@link manage} ends the response. */
  #endSoon(): void {
    if (this.#listener) this.#hub.subscriptions.unsubscribe(this.#listener);
    this.#endAt = -Infinity;
  }

  #end(reason?: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#hub.sessions.delete(this);
    if (this.#listener) this.#hub.subscriptions.unsubscribe(this.#listener);
    if (this.#client) this.#hub.disconnect(this.#client, reason);
  }
}
