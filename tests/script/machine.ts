// Applications with everything else in memory: files, a clock and servers that tests change, and clients
// that record their messages.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { AmfReader, type AmfValue, decodeAmf, encodeAmf } from "../../src/amf/mod.ts";
import { fromUtf8, toUtf8 } from "../../src/bytes/text.ts";
import { toHex } from "../../src/bytes/hex.ts";
import { Roster } from "../../src/cluster/roster.ts";
import { LogLevel, type LogLevelName } from "../../src/common/log_level.ts";
import type { Client } from "../../src/media/client.ts";
import type {
  Connection,
  FlowWriter,
  GroupOutput,
  PublisherOutput,
} from "../../src/media/connection.ts";
import { Hub } from "../../src/media/hub.ts";
import type { Listener, ListenerOptions, ListenerOutput } from "../../src/media/listener.ts";
import type { Publisher } from "../../src/media/publisher.ts";
import { Refused } from "../../src/media/refused.ts";
import { LuaApplications } from "../../src/script/api/applications.ts";
import type {
  ConfigTree,
  Host,
  HostFile,
  Mail,
  OpenOptions,
  Sockets,
  StreamRelay,
} from "../../src/script/api/host.ts";

const WWW = "/srv/www/";

/** Files in memory. Folders are the parents of files, and explicitly made folders. */
export class MemoryFiles {
  readonly files = new Map<string, { bytes: Uint8Array; modified: number }>();
  readonly folders = new Set<string>(["/srv/www"]);
  #clock = 1000;

  write(path: string, text: string | Uint8Array): void {
    const bytes = typeof text === "string" ? toUtf8(text) : text;
    this.files.set(path, { bytes, modified: ++this.#clock });
    for (let at = path.indexOf("/", 1); at > 0; at = path.indexOf("/", at + 1)) {
      this.folders.add(path.slice(0, at));
    }
  }

  isFolder = (path: string): boolean | string => this.folders.has(path.replace(/\/$/, ""));
  modified = (path: string): number | undefined | string => this.files.get(path)?.modified;
  read = (path: string, limit: number): Uint8Array | undefined | string => {
    const bytes = this.files.get(path)?.bytes;
    return bytes && bytes.length > limit ? `File too large (more than ${limit} bytes)` : bytes;
  };

  removeFolder(path: string): void {
    for (const file of [...this.files.keys()]) {
      if (file.startsWith(`${path}/`)) this.files.delete(file);
    }
    for (const folder of [...this.folders]) {
      if (folder === path || folder.startsWith(`${path}/`)) this.folders.delete(folder);
    }
  }

  open = (path: string, options: OpenOptions): HostFile | string => {
    if (this.isFolder(path)) return "Is a directory";
    if (!this.files.has(path)) {
      if (!options.create) return "No such file or directory";
      if (!this.isFolder(path.slice(0, path.lastIndexOf("/")))) return "No such file or directory";
      this.write(path, "");
    }
    if (options.truncate) this.write(path, "");
    let at = 0;
    const content = () => this.files.get(path)?.bytes ?? new Uint8Array(0);
    return {
      read: (into) => {
        if (!options.read) return "Bad file descriptor";
        const part = content().subarray(at, at + into.length);
        into.set(part);
        at += part.length;
        return part.length;
      },
      write: (bytes) => {
        if (!options.write && !options.append) return "Bad file descriptor";
        const before = content();
        if (options.append) at = before.length;
        const after = new Uint8Array(Math.max(before.length, at + bytes.length));
        after.set(before);
        after.set(bytes, at);
        at += bytes.length;
        this.write(path, after);
        return undefined;
      },
      seek: (from, by) => {
        const place = by + { start: 0, current: at, end: content().length }[from];
        if (place < 0) return "Invalid argument";
        return at = place;
      },
      truncate: (length) => {
        this.write(path, content().slice(0, length));
        return undefined;
      },
      flush: () => {},
      close: () => {},
    };
  };

  remove = (path: string) => this.files.delete(path) ? undefined : "No such file or directory";
  rename = (from: string, to: string) => {
    const file = this.files.get(from);
    if (!file) return "No such file or directory";
    this.files.delete(from);
    this.write(to, file.bytes);
    return undefined;
  };
}

export interface LogLine {
  readonly level: number;
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

/** A relay without a connection. */
export class TestRelay implements StreamRelay {
  state: StreamRelay["state"] = "connecting";
  error = "";
  onClosed: (() => void) | undefined;

  constructor(
    readonly direction: "push" | "pull",
    readonly name: string,
    readonly url: string,
    readonly publisher: number | undefined,
  ) {}

  close(): void {
    this.state = "closed";
    this.onClosed?.();
  }
}

export class TestHost implements Host {
  readonly files = new MemoryFiles();
  readonly www = WWW;
  readonly lines: LogLine[] = [];
  readonly announced: string[] = [];
  readonly roster = new Roster();
  readonly mails: { mail: Mail; done: (error: string | undefined) => void }[] = [];
  printed = "";
  /** Time limit (ms), high enough for a busy machine; tests of the limit set another one. */
  time = 60_000;
  memory = 64 << 20;
  unknown: "reject" | "nearest" = "reject";
  positions = false;
  folders: string[] | undefined;
  configs: ConfigTree = {};
  publicAddress = "";
  epoch = 1_700_000_000_000;

  log(level: number, text: string, file: string, line: number): void {
    this.lines.push({ level, text, file, line });
  }
  print(bytes: Uint8Array): void {
    this.printed += fromUtf8(bytes);
  }
  /** Milliseconds added to the clock. */
  ahead = 0;
  now = () => performance.now() + this.ahead;
  epochTime = () => this.epoch;
  md5 = (bytes: Uint8Array) => new Uint8Array(createHash("md5").update(bytes).digest());
  sha256 = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());
  input(_what: string, action: () => void): void {
    action();
  }
  /** Due times of timers on the clock of {@link now}, by action. */
  readonly timers = new Map<() => void, number>();
  timer(milliseconds: number, action: () => void): () => void {
    this.timers.set(action, this.now() + milliseconds);
    return () => this.timers.delete(action);
  }
  /** Advances the clock by `time` ms, and runs each timer at its due time. */
  pass(milliseconds: number): void {
    const end = this.now() + milliseconds;
    for (;;) {
      const [action, at] = [...this.timers].sort(([, a], [, b]) => a - b)[0] ?? [];
      if (action === undefined || at! > end) break;
      this.ahead += Math.max(0, at! - this.now());
      this.timers.delete(action);
      action();
    }
    this.ahead += Math.max(0, end - this.now());
  }
  sockets(): Sockets {
    return {
      connect: () => "no network here",
      listen: () => "no network here",
      bind: () => "no network here",
      close: () => {},
    };
  }
  readonly relays: TestRelay[] = [];
  relay(direction: "push" | "pull", name: string, url: string, publisher?: number) {
    if (!url.startsWith("rtmp://")) return "the URL cannot be used: it is not rtmp://";
    const relay = new TestRelay(direction, name, url, publisher);
    this.relays.push(relay);
    return relay;
  }
  mail(mail: Mail, done: (error: string | undefined) => void): void {
    this.mails.push({ mail, done });
  }
  announce(path: string): void {
    this.announced.push(path);
  }
  onBug(error: unknown): void {
    throw error;
  }
}

/** Messages to a client, as `name(values)` or `name(values) unreliable`. */
export class TestWriter implements FlowWriter {
  reliable = true;
  closed = false;
  readonly sent: string[] = [];
  constructor(readonly name = "") {}

  #write(what: string, values: Uint8Array | undefined): void {
    if (this.closed) return;
    const text = values ? decodeAmf(values).map(show).join(",") : "";
    this.sent.push(`${what}(${text})${this.reliable ? "" : " unreliable"}`);
  }
  message(name: string | Uint8Array, values: Uint8Array): void {
    this.#write(typeof name === "string" ? name : fromUtf8(name), values);
  }
  result(values: Uint8Array): void {
    this.#write("_result", values);
  }
  status(code: string, description = "", info?: Uint8Array): void {
    const members = info ? ` ${toHex(info)}` : "";
    this.#write(`status ${code} "${description}"${members}`, undefined);
  }
  flush(): void {}
  close(): void {
    this.closed = true;
  }
}

/** JSON with sorted members, as tables of Lua have no order. */
function show(value: AmfValue): string {
  return JSON.stringify(value, (_, value) => {
    if (value instanceof Uint8Array) return toHex(value);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
  }) ?? "undefined";
}

export class TestConnection implements Connection {
  readonly protocol = "rtmfp";
  address = "192.0.2.1:4000";
  hostname = "192.0.2.1";
  ping = 20;
  elapsedFromReception = 3;
  objectEncoding: 0 | 3 = 3;
  readonly writer = new TestWriter();
  readonly made: TestWriter[] = [];
  closed = false;

  get writers(): Iterable<FlowWriter> {
    return this.made.filter((writer) => !writer.closed);
  }
  newWriter(): FlowWriter {
    const writer = new TestWriter();
    this.made.push(writer);
    return writer;
  }
  probe(): void {}
  close(): void {
    this.closed = true;
  }
}

export interface Guest {
  readonly client: Client;
  readonly connection: TestConnection;
  /** The members that the application adds to the answer, as AMF0 bytes. */
  readonly members: Uint8Array | undefined;
  /** Calls a function of the client. @returns the answers, or the description of an error */
  call(name: string, ...values: AmfValue[]): string[] | { error: string } | "not found";
}

export const noOutput: PublisherOutput & GroupOutput = {
  status: () => {},
  close: () => {},
  announce: () => {},
};

export const deaf: ListenerOutput = {
  queuedBytes: 0,
  queuedDataBytes: 0,
  videoWaitsSince: Infinity,
  send: () => {},
  abandon: () => 0,
  sampleAccess: () => {},
  published: () => {},
  unpublished: () => {},
  overflowed: () => {},
};

let lastGuest = 0;

/** A server with scripts. */
export class Machine {
  readonly host = new TestHost();
  #applications: LuaApplications | undefined;
  #started = false;

  /** @param files by path below www, such as "main.lua" */
  constructor(files: Record<string, string> = {}) {
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  /** The applications, made at first use, so that tests can set up the host before. */
  get applications(): LuaApplications {
    if (!this.#applications) {
      this.#applications = new LuaApplications(this.host, this.hub);
      this.hub.serve(this.#applications);
    }
    return this.#applications;
  }

  readonly hub = new Hub({
    random: () => 0,
    log: (level, text) => {
      const { file, line } = this.applications.place;
      this.host.log(LogLevel[level], text, file, line);
    },
    ip: (text) => /^\d+\.\d+\.\d+\.\d+$/.test(text) ? text : undefined,
  });

  start(): this {
    this.#started = true;
    this.applications.start();
    return this;
  }

  write(path: string, text: string): void {
    this.host.files.write(WWW + path, text);
  }

  remove(path: string): void {
    this.host.files.files.delete(WWW + path);
  }

  /** Removes a main.lua, and advances the clock by 5 s, after which the server counts it as deleted. */
  forget(application: string): void {
    this.remove(`${application}/main.lua`);
    this.refused(`/${application}`);
    this.host.ahead += 5_000;
  }

  removeFolder(path: string): void {
    this.host.files.removeFolder(WWW + path);
  }

  /** Connects a client. @throws {Refused} */
  connect(path = "", { values = [], properties = {}, id, encoding = 3 }: {
    values?: AmfValue[];
    properties?: Record<string, string>;
    id?: Uint8Array;
    encoding?: 0 | 3;
  } = {}): Guest {
    const connection = new TestConnection();
    connection.objectEncoding = encoding;
    const rawId = id ?? new Uint8Array(32).fill(++lastGuest);
    const { client, members } = this.hub.connect(
      {
        rawId,
        path,
        properties: new Map(Object.entries(properties)),
        flashVersion: "WIN 20,0,0,286",
        pageUrl: "http://example.org/page",
        swfUrl: "",
      },
      connection,
      new AmfReader(encodeAmf(...values)),
    );
    return {
      client,
      connection,
      members,
      call: (name, ...values) => {
        const { sent } = connection.writer;
        const before = sent.length;
        try {
          const found = client.application.call(client, name, new AmfReader(encodeAmf(...values)));
          return found ? sent.slice(before) : "not found";
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          return { error: error.description };
        }
      },
    };
  }

  /** The reason of a refusal. */
  refused(path = "", values: AmfValue[] = []): string {
    try {
      this.connect(path, { values });
    } catch (error) {
      if (error instanceof Refused) return error.description;
      throw error;
    }
    assert.fail("the client was accepted");
  }

  publish(guest: Guest, name: string): Publisher {
    return this.hub.publish(guest.client, name, this.hub.newStreamId(), noOutput);
  }

  play(
    guest: Guest,
    name: string,
    output: Partial<ListenerOutput> = {},
    options?: ListenerOptions,
  ): Listener {
    const id = this.hub.newStreamId();
    return this.hub.subscriptions.subscribe(
      guest.client,
      name,
      id,
      { ...deaf, ...output },
      options,
    );
  }

  /** Log lines of a level, by their text. */
  logged(level: LogLevelName): string[] {
    return this.host.lines.filter((line) => line.level === LogLevel[level]).map(({ text }) => text);
  }

  /** Texts of INFO lines since the last call. */
  said(): string[] {
    const texts = this.logged("info");
    this.host.lines.length = 0;
    return texts;
  }

  /**
   * Runs Lua in the root application and returns the arguments of each INFO call.
   * Errors of the script fail the test.
   */
  run(source: string): string[] {
    this.host.lines.length = 0;
    this.write("main.lua", source);
    if (this.#started) this.applications.manage();
    else this.start();
    assert.deepEqual(this.logged("error"), []);
    return this.logged("info");
  }
}
