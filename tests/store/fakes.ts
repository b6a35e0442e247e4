import { flvHeader, type FlvTag, flvTag, TagType } from "../../src/flv/tags.ts";
import type { Hub } from "../../src/media/hub.ts";
import type { Listener } from "../../src/media/listener.ts";
import type { Frame } from "../../src/media/frame.ts";
import type {
  PlayRange,
  Recorded,
  RecordedOutput,
  RecordMode,
} from "../../src/media/recordings.ts";
import type { RecordLimits } from "../../src/store/recorder.ts";
import { Store } from "../../src/store/store.ts";
import type { Disk } from "../../src/store/stored_file.ts";
import { world } from "../media/fakes.ts";

export const audio = (timestamp: number, length = 8): FlvTag => ({
  type: TagType.audio,
  timestamp,
  data: new Uint8Array(length).fill(0x2f),
});
/** A tag of AVC video: a picture, or the codec header if `packet` is 0. */
export const video = (timestamp: number, key: boolean, packet = 1, length = 16): FlvTag => {
  const data = new Uint8Array(length).fill(timestamp);
  data.set([key ? 0x17 : 0x27, packet, 0, 0, 0]);
  return { type: TagType.video, timestamp, data };
};

export function flvFile(tags: readonly FlvTag[]): Uint8Array {
  return joined([flvHeader(true, true), ...tags.map(flvTag)]);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A film of 10 s: four pictures a second, the first of them a key frame, and four sounds a second. */
export function film(first = 0): FlvTag[] {
  const tags = [video(0, true, 0)];
  for (let time = 0; time < 10_000; time += 250) {
    tags.push(video(first + time, time % 1_000 === 0), audio(first + time));
  }
  return tags;
}

/** Files in memory. {@link settle} completes the operations. */
export class FakeDisk implements Disk {
  readonly files = new Map<string, Uint8Array>();
  readonly indexes = new Map<string, Uint8Array>();
  opened = 0;
  reads = 0;
  writes = 0;
  /** Refuses to open files for writing. */
  denied = false;
  /** Fails all writes. */
  full = false;
  /** Completes no operation. */
  stands = false;
  #due: (() => void)[] = [];

  open(path: string, name: string, done: Parameters<Disk["open"]>[2]): void {
    this.#due.push(() => {
      const key = `${path}/${name}`;
      const bytes = this.files.get(key);
      if (!bytes) return done(undefined);
      this.opened++;
      let closed = false;
      let reading = false;
      done({
        key,
        size: bytes.length,
        modified: 1,
        read: (position, length, done) => {
          if (reading) throw new Error("A second read before the first has ended");
          reading = true;
          this.reads++;
          this.#due.push(() => {
            reading = false;
            if (!closed) done(this.files.get(key)!.slice(position, position + length));
          });
        },
        close: () => {
          if (!closed) this.opened--;
          closed = true;
        },
      });
    });
  }

  list(path: string, done: Parameters<Disk["list"]>[1]): void {
    this.#due.push(() => {
      const names = [...this.files.keys()].map((key) => key.slice(path.length + 1));
      done(names.map((name) => ({ name: name.replace(/\.flv$/, ""), size: 1, modified: 1 })));
    });
  }

  create(path: string, name: string, keep: number, done: Parameters<Disk["create"]>[3]): void {
    this.#due.push(() => {
      const key = `${path}/${name}`;
      if (this.denied) return done({ reason: "no access", text: `Cannot write ${name}` });
      this.files.set(key, this.files.get(key)?.slice(0, keep) ?? new Uint8Array(0));
      done({
        key,
        write: (position, bytes, done) => {
          const copy = bytes.slice();
          this.#due.push(() => {
            if (this.full) return done("The disk is full");
            const before = this.files.get(key)!;
            const after = new Uint8Array(Math.max(before.length, position + copy.length));
            after.set(before);
            after.set(copy, position);
            this.files.set(key, after);
            this.writes++;
            done(undefined);
          });
        },
        close: (done) => this.#due.push(() => done(this.files.get(key)!.length, 1)),
      });
    });
  }

  readIndex(key: string, done: Parameters<Disk["readIndex"]>[1]): void {
    this.#due.push(() => done(this.indexes.get(key)));
  }

  writeIndex(key: string, bytes: Uint8Array): void {
    this.indexes.set(key, bytes);
  }

  /** @returns whether an operation was waiting */
  settle(): boolean {
    if (this.stands) return false;
    const due = this.#due.splice(0);
    for (const one of due) one();
    return due.length > 0;
  }
}

/** A store with files in memory, and its clock. */
export class Stage {
  readonly clock: Hub = world().hub;
  readonly disk = new FakeDisk();
  limits: RecordLimits = { size: 0, time: 0, segment: 0 };
  queueLimit = 16 << 20;
  automatic: (path: string) => RecordMode | "new" | undefined = () => undefined;
  /** Milliseconds added to the time of day. */
  day = 0;
  readonly store = new Store(this.clock, {
    disk: this.disk,
    limits: () => this.limits,
    queueLimit: () => this.queueLimit,
    clientsMayRecord: () => true,
    automatic: (path) => this.automatic(path),
    date: () => new Date(2026, 0, 31, 12, 0, 0, this.day + this.clock.now),
  });

  constructor() {
    this.clock.now = 1_000;
  }

  open(name: string): Recorded | undefined {
    let found: Recorded | undefined;
    this.store.open("", name, (recorded) => found = recorded);
    this.settle();
    return found;
  }

  /** Completes everything that is due now. */
  settle(): void {
    do this.store.flush(this.clock.now); while (this.disk.settle());
    this.store.flush(this.clock.now);
  }

  /** Advances the time (ms) from deadline to deadline of the store. */
  pass(milliseconds: number): void {
    const end = this.clock.now + milliseconds;
    this.settle();
    while (this.store.deadline <= end) {
      this.clock.now = Math.max(this.clock.now + 1, this.store.deadline);
      this.settle();
    }
    this.clock.now = end;
  }

  play(name: string, range: Partial<PlayRange> = {}) {
    const listener = { receiveAudio: true, receiveVideo: true };
    const output = new FakeOutput();
    const recorded = this.open(name)!;
    const play = recorded.play(listener as Listener, output, {
      start: 0,
      length: -1,
      offset: 0,
      ...range,
    });
    this.settle();
    return { listener, output, play };
  }
}

/** Output to a client: `v1000k` a key frame, `v` a picture, `h` a header, `c` a command, `a` sound. */
export class FakeOutput implements RecordedOutput {
  lines: string[] = [];
  queuedBytes = 0;
  ends = 0;
  failures: string[] = [];

  send(frame: Frame, time: number): void {
    if (frame.kind === "data") this.lines.push(`d${time} ${frame.name}`);
    else if (frame.kind === "audio") this.lines.push(`a${time}`);
    else if (frame.role === "header") this.lines.push(`h${time}`);
    else if (frame.role === "other") this.lines.push(`c${time}:${frame.payload[1]}`);
    else this.lines.push(`v${time}${frame.role === "key" ? "k" : ""}`);
  }

  abandon(): number {
    return 0;
  }

  ended(): void {
    this.ends++;
  }

  failed(text: string): void {
    this.failures.push(text);
  }

  /** Removes and returns the output so far. */
  take(): string[] {
    return this.lines.splice(0);
  }

  /** Time (ms) of the last sent frame. */
  get last(): number {
    return Math.max(-1, ...this.lines.filter((line) => /^[av]/.test(line)).map(timeOf));
  }
}

export const timeOf = (line: string): number => Number(/\d+/.exec(line)![0]);
