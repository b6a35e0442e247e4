// Collects the state that `monitor` shows from the parts of the server.
import { addressText } from "../common/address.ts";
import type { FlashServer } from "../flash/flash_server.ts";
import type { Hub } from "../media/hub.ts";
import type { Publication } from "../media/publication.ts";
import type { QualityOfService } from "../media/quality_of_service.ts";
import { History, type HistoryRows, RateHistory } from "../monitor/history.ts";
import type {
  ApplicationRow,
  ClientRow,
  DoorRow,
  GroupRow,
  MonitorSource,
  PublicationRow,
  RecordingTotals,
  RelayRow,
  RelayTraffic,
  ServerRow,
  ServerStatus,
  Totals,
} from "../monitor/snapshot.ts";
import type { Config } from "../config/settings.ts";
import type { DatagramSocket } from "../net/datagram_socket.ts";
import { processNumbers } from "../net/process_numbers.ts";
import type { Endpoint } from "../rtmfp/endpoint.ts";
import type { ServerBus } from "./bus.ts";
import type { Cluster } from "./cluster.ts";
import type { Lag } from "./loop.ts";
import { clientRow, publicationRow } from "./status_rows.ts";
import type { Reachability } from "./reachability.ts";
import type { Scripts } from "./scripts.ts";
import type { SharedObjectFiles } from "./shared_object_files.ts";

interface StatusOptions {
  readonly version: string;
  readonly crypto: string;
  readonly publicAddress: string;
  readonly config: () => Config;
  readonly socket: DatagramSocket;
  readonly endpoint: Endpoint;
  readonly flash: FlashServer;
  readonly hub: Hub;
  readonly cluster: Cluster;
  readonly scripts: Scripts;
  readonly reachability: Reachability;
  readonly sharedObjects: SharedObjectFiles;
  readonly refusals: () => Readonly<Record<string, number>>;
  readonly recordings: () => RecordingTotals;
  readonly doors: { rows(): DoorRow[] };
  readonly relays: { readonly size: number; rows(): Iterable<RelayRow>; traffic(): RelayTraffic };
  /** Returns undefined without a bus. */
  readonly bus: () => ServerBus | undefined;
}

/** Number of ticks over which lag is reported: ten seconds. */
const LAG_TICKS = 5;

export class StatusSource implements MonitorSource {
  readonly #options: StatusOptions;
  readonly #startedAt = Date.now();
  /** The same by the monotonic clock, as the system's clock may be set. */
  readonly #started = performance.now();
  readonly #lag: Lag[] = [];
  readonly #frames = { audio: new Tally(), video: new Tally(), skipped: new Tally() };
  readonly #history = new History();
  readonly #rates = new WeakMap<Publication, RateHistory>();

  constructor(options: StatusOptions) {
    this.#options = options;
  }

  /** Notes the loop's lag since the last tick, and all counters of frames, before listeners leave. */
  tick(lag: Lag): void {
    this.#lag.push(lag);
    if (this.#lag.length > LAG_TICKS) this.#lag.shift();
    this.#history.add(() => this.#sample(), performance.now());
    const { audio, video, skipped } = this.#frames;
    for (const publication of this.#options.hub.publications.values()) {
      const { videoQos: published, listeners } = publication;
      this.#noteRate(publication);
      video.count(published, published.droppedFrames);
      for (const { audioQos, videoQos } of listeners.values()) {
        audio.count(audioQos, audioQos.droppedFrames);
        video.count(videoQos, videoQos.droppedFrames);
        skipped.count(videoQos, videoQos.skippedFrames);
      }
    }
  }

  #noteRate(publication: Publication): void {
    if (!publication.publishing) return void this.#rates.delete(publication);
    let rates = this.#rates.get(publication);
    if (!rates) this.#rates.set(publication, rates = new RateHistory());
    const { audioQos, videoQos } = publication;
    rates.add(() => audioQos.byteRate + videoQos.byteRate, performance.now());
  }

  history(): HistoryRows {
    return this.#history.rows();
  }

  /** Bytes since the start of RTMFP, of the doors with a row and of relays; and the number of clients. */
  #sample() {
    const { endpoint: { counters }, doors, relays, hub } = this.#options;
    let { bytesIn, bytesOut } = counters;
    for (const row of [...doors.rows(), relays.traffic()]) {
      bytesIn += row.bytesIn;
      bytesOut += row.bytesOut;
    }
    return { bytesIn, bytesOut, clients: hub.clients.size };
  }

  status(): ServerStatus {
    const { version, crypto, publicAddress, socket, endpoint, flash, hub, scripts } = this.#options;
    const { counters } = endpoint;
    const memory = Deno.memoryUsage();
    const config = this.#options.config();
    return {
      version,
      startedAt: this.#startedAt,
      uptime: (performance.now() - this.#started) / 1000,
      backends: { crypto, socket: socket.name },
      addresses: {
        listening: [addressText(socket.address)],
        local: [...this.#options.reachability.localAddresses],
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
      doors: this.#options.doors.rows(),
      relays: this.#options.relays.traffic(),
      drops: {
        ...counters.drops,
        oversize: socket.counters.oversize,
        unsent: socket.counters.unsent,
      },
      refusals: this.#options.refusals(),
      loop: this.#recentLag(),
      bus: this.#options.bus()?.numbers ?? null,
      memory: {
        resident: memory.rss,
        heap: memory.heapUsed,
        external: memory.external,
        lua: scripts.memory,
      },
      process: processNumbers(),
      limits: {
        sessions: config["rtmfp.sessions"],
        luaBytes: config["script.memory"] * 2 ** 20,
        keptBytes: hub.recentBytes.ofAll,
        sharedObjects: config["sharedObjects.objects"],
        filePlayers: config["vod.files"],
      },
    };
  }

  clients(offset: number, limit: number): { total: number; rows: ClientRow[] } {
    const { clients } = this.#options.hub;
    return { total: clients.size, rows: slice(clients.values(), offset, limit).map(clientRow) };
  }

  publications(offset: number, limit: number): { total: number; rows: PublicationRow[] } {
    const all = [...this.#options.hub.published()];
    const rows = all.slice(offset, offset + limit).map((publication): PublicationRow =>
      publicationRow(publication, this.#rates.get(publication)?.rows() ?? [])
    );
    return { total: all.length, rows };
  }

  groups(offset: number, limit: number): { total: number; rows: GroupRow[] } {
    const { groups } = this.#options.hub;
    const rows = slice(groups.values(), offset, limit);
    return { total: groups.size, rows: rows.map(({ id, size }) => ({ id, size })) };
  }

  servers(): ServerRow[] {
    const { cluster: { roster, failures }, bus } = this.#options;
    const now = performance.now();
    return [
      ...roster.all.map((peer) => {
        const { address, publicAddress, isTarget } = peer;
        const met = bus()?.servers.at(publicAddress);
        return {
          address,
          publicAddress,
          isTarget,
          failure: "",
          isLinked: !bus()?.servers.isOfBus(peer),
          load: met?.load ?? null,
          silence: met ? Math.max(0, now - met.heardAt) : null,
        };
      }),
      ...failures.map((failed) => ({
        ...failed,
        publicAddress: "",
        isTarget: true,
        isLinked: false,
        load: null,
        silence: null,
      })),
    ];
  }

  relays(offset: number, limit: number): { total: number; rows: RelayRow[] } {
    const { relays } = this.#options;
    return { total: relays.size, rows: slice(relays.rows(), offset, limit) };
  }

  applications(): ApplicationRow[] {
    const counts = new Map<string, number>();
    for (const { application: { path } } of this.#options.hub.clients.values()) {
      counts.set(path, (counts.get(path) ?? 0) + 1);
    }
    return [...this.#options.scripts.rows()].map((
      { path, running, errors, lastError, refusals },
    ) => ({
      path,
      running,
      clients: counts.get(path) ?? 0,
      errors,
      lastError,
      refusals,
    }));
  }

  totals(): Totals {
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
      droppedAudio: this.#frames.audio.sum,
      droppedVideo: this.#frames.video.sum,
      skippedVideo: this.#frames.skipped.sum,
      keptBytes: hub.recentBytes.used,
      sharedObjects: {
        objects: hub.sharedObjects.size,
        uses: hub.sharedObjects.uses,
        bytes: hub.sharedObjects.bytes,
        ...hub.sharedObjects.counters,
        ...this.#options.sharedObjects.counters,
      },
      recordings: this.#options.recordings(),
    };
  }

  /** Mean ms by which timers are late. */
  get lag(): number {
    return this.#recentLag().lagMean;
  }

  #recentLag(): { lagMean: number; lagWorst: number } {
    let [timers, total, worst] = [0, 0, 0];
    for (const lag of this.#lag) {
      timers += lag.timers;
      total += lag.total;
      worst = Math.max(worst, lag.worst);
    }
    return { lagMean: timers > 0 ? total / timers : 0, lagWorst: worst };
  }

  #outside(): number | null {
    const { flash, reachability } = this.#options;
    for (const { session } of flash.connections()) {
      const at = Date.now() - Math.max(0, performance.now() - session.lastReceived);
      reachability.heard(session.address.hostname, at);
    }
    return reachability.lastFromOutside;
  }
}

/** Sum of counters, including counters that were reset or are gone. */
class Tally {
  sum = 0;
  readonly #before = new WeakMap<QualityOfService, number>();

  count(quality: QualityOfService, value: number): void {
    const before = this.#before.get(quality) ?? 0;
    if (value === before) return;
    this.sum += value > before ? value - before : value;
    this.#before.set(quality, value);
  }
}

/** At most `limit` values of an iterable from the `offset`th on. */
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
