import type { Hub } from "../media/hub.ts";
import type { RecordingTotals } from "../monitor/snapshot.ts";
import { RecordingFolders } from "../net/recording_folders.ts";
import { MAX_INDEX_FILE } from "../store/flv_index_file.ts";
import { Store } from "../store/store.ts";
import type { Disk, StoredFile } from "../store/stored_file.ts";
import type { Log } from "../log/log.ts";
import type { Config } from "../config/settings.ts";

const MIB = 1 << 20;

interface RecordingsHost {
  readonly hub: Hub;
  readonly log: Log;
  /** The folder of the applications. */
  readonly www: string;
  readonly config: () => Config;
  readonly input: (what: string, action: () => void) => void;
}

interface OpenRecordings {
  readonly store: Store;
  readonly totals: () => RecordingTotals;
}

/** Opens the store of recordings, which applies the current configuration. */
export function openRecordings({ hub, log, www, config, input }: RecordingsHost): OpenRecordings {
  const folders = new RecordingFolders({
    root: www,
    keepFree: () => config()["record.free"] * MIB,
    maxFiles: () => config()["vod.files"],
    maxIndex: MAX_INDEX_FILE,
    input: (action) => input("Cannot continue a recording", action),
    warn: log.warn,
  });
  const disk: Disk = {
    open: (path, name, done: (file: StoredFile | undefined) => void) =>
      folders.openFile(path, config()["vod.enabled"] === "on" ? name : "", done),
    list: (path, done) =>
      config()["vod.enabled"] === "on"
        ? folders.listFiles(path, done)
        : queueMicrotask(() => input("Cannot list recordings", () => done([]))),
    create: (path, name, keep, done) => folders.createFile(path, name, keep, done),
    readIndex: (key, done) =>
      config()["vod.index"] === "on"
        ? folders.readIndex(key, done)
        : queueMicrotask(() => input("Cannot read an index", () => done(undefined))),
    writeIndex: (key, bytes) => {
      if (config()["vod.index"] === "on") folders.writeIndex(key, bytes);
    },
  };
  const store = new Store(hub, {
    disk,
    limits: () => {
      const all = config();
      return {
        size: all["record.size"] * MIB,
        time: all["record.time"] * 1_000,
        segment: all["record.segment"] * 60_000,
      };
    },
    queueLimit: () => config()["record.queue"] * MIB,
    automatic: (path) =>
      config()["record.publications"].some((pattern) => pattern.matches(path))
        ? config()["record.as"]
        : undefined,
    clientsMayRecord: () => config()["record.enabled"] === "on",
    date: () => new Date(),
  });
  const totals = (): RecordingTotals => ({
    open: store.recordings,
    players: store.players,
    reads: folders.reading,
    writtenBytes: store.writtenBytes,
    overflows: store.overflows,
  });
  return { store, totals };
}
