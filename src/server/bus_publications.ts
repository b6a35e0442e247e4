// Publications that cross the bus: of this server for listeners on others, and of other servers for
// listeners here. NATS-410 to NATS-434.
import type { BusFrame } from "../bus/frames.ts";
import type { Publications } from "../bus/publications.ts";
import { Frame } from "../media/frame.ts";
import type { Hub } from "../media/hub.ts";
import type { Listener, ListenerOutput } from "../media/listener.ts";
import type { Publication, Reception } from "../media/publication.ts";
import type { Publisher } from "../media/publisher.ts";
import { NameTaken } from "../media/refused.ts";
import type { BusServers } from "./bus_servers.ts";
import type { Log } from "../log/log.ts";

/** Name of the publisher of streams from the bus, in statistics. */
const ORIGIN = "bus";
/** Maximum characters of the name of a relayed publication, which is in every message. */
const MAX_NAME = 256;
const RECEIVED: Reception = { received: 1, lost: 0, ping: 0 };
const LOST: Reception = { received: 1, lost: 1, ping: 0 };

/** Sends frames of a local publication to the bus, whose gate drops excess frames. */
class Outlet implements ListenerOutput {
  readonly queuedBytes = 0;
  readonly queuedDataBytes = 0;
  readonly videoWaitsSince = Infinity;
  /** False while the listener starts with frames that {@link BusPublications.snapshot} sends. */
  open = false;
  listener: Listener | undefined;

  constructor(readonly take: (frame: Frame, time: number) => void) {}

  send(frame: Frame, time: number): void {
    if (this.open) this.take(frame, time);
  }

  abandon(): number {
    return 0;
  }

  sampleAccess(): void {}
  published(): void {}
  unpublished(): void {}
  overflowed(): void {}
}

interface BusPublicationsOptions {
  readonly hub: Hub;
  readonly log: Log;
  readonly machine: Publications;
  /** Whether publications are relayed at all. */
  readonly on: boolean;
  readonly servers: BusServers;
  /** Called when there is work for the bus. */
  readonly wake: () => void;
}

export class BusPublications {
  readonly #options: BusPublicationsOptions;
  readonly #hub: Hub;
  readonly #log: Log;
  readonly #machine: Publications;
  readonly #servers: BusServers;
  readonly #outlets = new Map<string, Outlet>();
  readonly #relays = new Map<string, Publisher>();

  constructor(options: BusPublicationsOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.#log = options.log;
    this.#machine = options.machine;
    this.#servers = options.servers;
  }

  // Events of this server

  published({ name, publisher }: Publication): void {
    if (publisher !== ORIGIN && this.#crosses(name)) this.#machine.begun(name, this.#hub.now);
  }

  unpublished(publication: Publication): void {
    const { name } = publication;
    if (this.#relays.has(name) || !this.#crosses(name)) return;
    this.#machine.ended(name, this.#hub.now);
    this.#close(name);
  }

  listeners({ name, listeners }: Publication): void {
    if (!this.#crosses(name)) return;
    const own = this.#outlets.get(name)?.listener;
    const others = listeners.size - (own && listeners.has(own.id) ? 1 : 0);
    this.#machine.wanted(name, others > 0, this.#hub.now);
  }

  // Calls from the state machine

  /** Other servers have a first listener for a local publication, or lost their last one. */
  interest(name: string, wanted: boolean): void {
    if (!wanted) return this.#close(name);
    if (this.#outlets.has(name)) return;
    const outlet = new Outlet((frame, time) => {
      this.#machine.frame(name, busFrame(frame, time), this.#hub.now);
      this.#options.wake();
    });
    this.#outlets.set(name, outlet);
    outlet.listener = this.#hub.subscriptions.attach(name, outlet);
    outlet.listener.start();
    outlet.open = true;
    this.listeners(outlet.listener.publication);
  }

  *snapshot(name: string): Generator<BusFrame> {
    const publication = this.#hub.publications.get(name);
    if (!publication) return;
    const { lastTime = 0, metadata, recent } = publication;
    for (const frame of metadata.values()) {
      yield { ...busFrame(frame, lastTime), kind: "metadata" };
    }
    const start = recent.frames[0]?.time ?? lastTime;
    for (const kind of ["video", "audio"] as const) {
      for (const frame of publication.headers(kind)) yield busFrame(frame, start);
    }
    for (const { frame, time } of recent.frames) yield busFrame(frame, time);
  }

  /** Ends the local publication, as another server published the name before. */
  taken(name: string, server: string): void {
    const publication = this.#hub.publications.get(name);
    if (!publication?.publishing) return this.#machine.ended(name, this.#hub.now);
    const text = `${name} is already published at ${this.#servers.nameOf(server)}`;
    this.#log.note(text);
    this.#hub.revoke(publication, "Publish.BadName", text);
  }

  begin(name: string, server: string): void {
    try {
      const publisher = this.#hub.relay(name, ORIGIN);
      this.#relays.set(name, publisher);
      this.#log.info(`${name} is relayed from ${this.#servers.nameOf(server)}`);
      publisher.start();
    } catch (error) {
      if (!(error instanceof NameTaken)) throw error;
    }
  }

  frame(name: string, { kind, time, name: handler, payload }: BusFrame, lost: boolean): void {
    const publisher = this.#relays.get(name);
    if (!publisher) return;
    if (kind === "metadata") return publisher.setDataFrame(handler, payload, time);
    const frame = new Frame(kind, time, payload, handler);
    if (kind === "data") publisher.data(frame);
    else publisher[kind](frame, lost ? LOST : RECEIVED);
  }

  end(name: string): void {
    const publisher = this.#relays.get(name);
    if (!publisher) return;
    this.#hub.unpublish(publisher);
    this.#relays.delete(name);
  }

  #close(name: string): void {
    const listener = this.#outlets.get(name)?.listener;
    if (listener) this.#hub.subscriptions.unsubscribe(listener);
    this.#outlets.delete(name);
  }

  #crosses(name: string): boolean {
    return this.#options.on && name.length <= MAX_NAME;
  }
}

function busFrame({ kind, name, payload }: Frame, time: number): BusFrame {
  return { kind, time, name, payload };
}
