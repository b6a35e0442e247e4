// The numbers that `monitor` shows, out of the rooms that have them.
import type { FlashServer } from "../flash/flash_server.ts";
import type { Client } from "../media/client.ts";
import type { Hub } from "../media/hub.ts";
import type { QualityOfService } from "../media/quality_of_service.ts";
import type {
  ApplicationRow,
  ClientRow,
  GroupRow,
  PublicationRow,
  QualityRow,
  ServerRow,
  Source,
  Status,
} from "../monitor/snapshot.ts";
import type { DatagramSocket } from "../net/datagram_socket.ts";
import type { Endpoint } from "../rtmfp/endpoint.ts";
import { addressText } from "../rtmfp/wire/address.ts";
import type { Cluster } from "./cluster.ts";
import type { Lag } from "./loop.ts";
import type { Scripts } from "./scripts.ts";

export interface NumbersOptions {
  readonly version: string;
  readonly crypto: string;
  readonly publicAddress: string;
  readonly socket: DatagramSocket;
  readonly endpoint: Endpoint;
  readonly flash: FlashServer;
  readonly hub: Hub;
  readonly cluster: Cluster;
  readonly scripts: Scripts;
  readonly refusals: () => Readonly<Record<string, number>>;
}

/** How many of the loop's notes, one a tick, lag is taken over: ten seconds. */
const NOTES = 5;

export class Numbers implements Source {
  readonly #options: NumbersOptions;
  readonly #startedAt = Date.now();
  readonly #lag: Lag[] = [];
  #droppedFrames = 0;
  readonly #droppedBefore = new WeakMap<QualityOfService, number>();
  #lastFromOutside: number | null = null;
  #local: Set<string> = new Set();
  #localAt = -Infinity;

  constructor(options: NumbersOptions) {
    this.#options = options;
  }

  /** Takes what the loop noted since the last tick, and counts what those who leave take along. */
  tick(lag: Lag): void {
    this.#lag.push(lag);
    if (this.#lag.length > NOTES) this.#lag.shift();
    for (const { videoQos, listeners } of this.#options.hub.publications.values()) {
      this.#countDropped(videoQos);
      for (const listener of listeners.values()) this.#countDropped(listener.videoQos);
    }
  }

  /** A client's first packet has come. */
  helloFrom(ip: string): void {
    if (this.#isOutside(ip)) this.#lastFromOutside = Date.now();
  }

  status(): Status {
    const { version, crypto, publicAddress, socket, endpoint, flash, hub, scripts } = this.#options;
    const { counters } = endpoint;
    const memory = Deno.memoryUsage();
    return {
      version,
      startedAt: this.#startedAt,
      uptime: (Date.now() - this.#startedAt) / 1000,
      backends: { crypto, socket: socket.name },
      addresses: {
        listening: [addressText(socket.address)],
        local: [...this.#localAddresses()],
        publicAddress,
        lastFromOutside: this.#outside(),
      },
      sessions: {
        open: hub.sessions.size,
        opening: Math.max(0, endpoint.sessionCount - flash.size),
        clients: hub.clients.size,
      },
      traffic: {
        datagramsIn: counters.datagramsIn,
        datagramsOut: counters.datagramsOut,
        bytesIn: counters.bytesIn,
        bytesOut: counters.bytesOut,
      },
      handshakes: counters.sessions,
      drops: {
        ...counters.drops,
        oversize: socket.counters.oversize,
        unsent: socket.counters.unsent,
      },
      refusals: this.#options.refusals(),
      loop: this.#lagOfLate(),
      memory: { resident: memory.rss, heap: memory.heapUsed, lua: scripts.memory },
    };
  }

  clients(offset: number, limit: number): { total: number; rows: ClientRow[] } {
    const { clients } = this.#options.hub;
    return { total: clients.size, rows: slice(clients.values(), offset, limit).map(clientRow) };
  }

  publications(offset: number, limit: number): { total: number; rows: PublicationRow[] } {
    const all = [...this.#options.hub.published()];
    const rows = all.slice(offset, offset + limit).map((publication): PublicationRow => ({
      name: publication.name,
      publisher: publication.publisher === "script" ? "script" : publication.publisher!.id,
      audio: qualityRow(publication.audioQos),
      video: qualityRow(publication.videoQos),
      listeners: publication.listeners.size,
      droppedFrames: droppedOf(publication.listeners.values()),
    }));
    return { total: all.length, rows };
  }

  groups(offset: number, limit: number): { total: number; rows: GroupRow[] } {
    const { groups } = this.#options.hub;
    const rows = slice(groups.values(), offset, limit);
    return { total: groups.size, rows: rows.map(({ id, size }) => ({ id, size })) };
  }

  servers(): ServerRow[] {
    return this.#options.cluster.roster.all.map(({ address, publicAddress, isTarget }) => ({
      address,
      publicAddress,
      isTarget,
    }));
  }

  applications(): ApplicationRow[] {
    const counts = new Map<string, number>();
    for (const { application: { path } } of this.#options.hub.clients.values()) {
      counts.set(path, (counts.get(path) ?? 0) + 1);
    }
    return [...this.#options.scripts.rows()].map(({ path, running, errors, lastError }) => ({
      path,
      running,
      clients: counts.get(path) ?? 0,
      errors,
      lastError,
    }));
  }

  totals(): { listeners: number; publications: number; groups: number; droppedFrames: number } {
    const { hub } = this.#options;
    let [listeners, publications] = [0, 0];
    for (const publication of hub.publications.values()) {
      listeners += publication.listeners.size;
      if (publication.publishing) publications++;
    }
    return {
      listeners,
      publications,
      groups: hub.groups.size,
      droppedFrames: this.#droppedFrames,
    };
  }

  #countDropped(quality: QualityOfService): void {
    const { droppedFrames } = quality;
    const before = this.#droppedBefore.get(quality) ?? 0;
    if (droppedFrames === before) return;
    this.#droppedFrames += Math.max(0, droppedFrames - before);
    this.#droppedBefore.set(quality, droppedFrames);
  }

  #lagOfLate(): { lagMean: number; lagWorst: number } {
    let [timers, total, worst] = [0, 0, 0];
    for (const lag of this.#lag) {
      timers += lag.timers;
      total += lag.total;
      worst = Math.max(worst, lag.worst);
    }
    return { lagMean: timers > 0 ? total / timers : 0, lagWorst: worst };
  }

  #outside(): number | null {
    const { flash } = this.#options;
    for (const { session } of flash.connections()) {
      if (!this.#isOutside(session.address.hostname)) continue;
      const at = Date.now() - Math.max(0, performance.now() - session.lastReceived);
      this.#lastFromOutside = Math.max(this.#lastFromOutside ?? 0, Math.round(at));
    }
    return this.#lastFromOutside;
  }

  #isOutside(ip: string): boolean {
    return !/^127\.|^::1$/.test(ip) && !this.#localAddresses().has(ip);
  }

  /** Addresses of this machine, looked up once in a while. */
  #localAddresses(): Set<string> {
    const now = performance.now();
    if (now - this.#localAt > 60_000) {
      this.#localAt = now;
      try {
        this.#local = new Set(Deno.networkInterfaces().map(({ address }) => address));
      } catch {
        // not allowed to know (--allow-sys)
      }
    }
    return this.#local;
  }
}

function clientRow(client: Client): ClientRow {
  return {
    id: client.id,
    address: client.address,
    path: client.path,
    flashVersion: client.flashVersion,
    ping: client.ping,
    idle: client.elapsedFromReception,
    publishes: [...client.publishers].map(({ publication }) => publication.name),
    plays: [...client.listeners].map(({ publication }) => publication.name),
  };
}

function qualityRow({ byteRate, lostRate, latency, droppedFrames }: QualityOfService): QualityRow {
  return { byteRate, lostRate, latency, droppedFrames };
}

function droppedOf(listeners: Iterable<{ readonly videoQos: QualityOfService }>): number {
  let dropped = 0;
  for (const { videoQos } of listeners) dropped += videoQos.droppedFrames;
  return dropped;
}

/** Some of an iterable, without an array of all of it. */
function slice<T>(all: Iterable<T>, offset: number, limit: number): T[] {
  const rows: T[] = [];
  let at = 0;
  for (const one of all) {
    if (at++ < offset) continue;
    if (rows.length >= limit) break;
    rows.push(one);
  }
  return rows;
}
