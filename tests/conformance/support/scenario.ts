// A server with its applications, and the facts that are shown on it, each reported by itself.
import type { AmfValue } from "../../../src/amf/mod.ts";
import { facts } from "./ids.ts";
import { StatusError } from "../../../src/client/status.ts";
import { PATIENCE, Timeout, until } from "../../support/wait.ts";
import { Peer, type PeerOptions } from "./peer.ts";
import { type ServerOptions, TestServer } from "./test_server.ts";

/** Time limit (ms) of one fact; a wait of it fails before, naming its subject. */
const FACT_LIMIT = 2 * PATIENCE;
const SLOW_LIMIT = 4 * PATIENCE;

/** Tools of the test of a fact. */
export class FactContext {
  readonly #server: TestServer | undefined;
  readonly #others: ReadonlyMap<string, Running>;
  /** Where the log stood when the fact began. */
  readonly since: number;
  readonly operator: Peer | undefined;
  #cleanups: (() => unknown)[] = [];
  #marks = 0;

  constructor(
    readonly id: string,
    running: ReadonlyMap<string, Running>,
  ) {
    const { server, operator } = running.get("") ?? {};
    this.#others = running;
    this.operator = operator;
    this.#server = server;
    this.since = server?.log.items.length ?? 0;
  }

  /** The scenario's server. */
  get server(): TestServer {
    return this.#server!;
  }

  /** Another server of the scenario. */
  other(name: string): TestServer {
    return this.#others.get(name)!.server;
  }

  /** Runs Lua in the root application of another server. */
  luaOf(name: string, code: string, ...args: AmfValue[]): ReturnType<Peer["lua"]> {
    return this.#others.get(name)!.operator!.lua(code, ...args);
  }

  /** Something to be undone when the fact is done. */
  cleanup(undo: () => unknown): void {
    this.#cleanups.push(undo);
  }

  /** Connects a client, until the fact is done. */
  async connect(path = "", options: PeerOptions & { query?: string } = {}): Promise<Peer> {
    const peer = await Peer.connect(this.server.url(path, options.query), options);
    this.cleanup(() => peer.close());
    return peer;
  }

  /** A server of this fact alone. */
  async start(options: ServerOptions = {}): Promise<TestServer> {
    const server = await TestServer.start(options);
    this.cleanup(() => server.stop());
    return server;
  }

  /** Connects a client to such a server, until the fact is done. */
  async connectTo(server: TestServer, path = "", options: PeerOptions = {}): Promise<Peer> {
    const peer = await Peer.connect(server.url(path), options);
    this.cleanup(() => peer.close());
    return peer;
  }

  /** Connects a client to an application whose main.lua has just been deleted: it is refused for 5 s. */
  connectOnceGone(server: TestServer, path: string): Promise<Peer> {
    return until(async () => {
      try {
        return await this.connectTo(server, path);
      } catch (error) {
        if (error instanceof StatusError && error.message.includes("not available")) return false;
        throw error;
      }
    }, `${path} to count as deleted`);
  }

  /** Runs Lua in the root application, with a client that is always there. */
  lua(code: string, ...args: AmfValue[]): ReturnType<Peer["lua"]> {
    return this.operator!.lua(code, ...args);
  }

  /** Waits for a record in the log, since the fact began. @throws {Timeout} */
  logged(pattern: RegExp, patience?: number): Promise<string> {
    return this.server.logged(pattern, this.since, patience);
  }

  /** The records since the fact began, all that was logged until now. */
  async records(): Promise<string[]> {
    const mark = `mark ${this.id} ${++this.#marks}`;
    await this.lua("NOTE(select(2, ...))", mark);
    await this.logged(new RegExp(`${mark}$`));
    return this.server.log.items.slice(this.since).filter((line) => !/ mark \S+ \d+$/.test(line));
  }

  /** The {@link records} that match. */
  async matching(pattern: RegExp): Promise<string[]> {
    return (await this.records()).filter((line) => pattern.test(line));
  }

  async done(): Promise<void> {
    for (const undo of this.#cleanups.splice(0).reverse()) {
      try {
        await undo();
      } catch {
        // it may be gone already
      }
    }
  }
}

interface Running {
  readonly server: TestServer;
  /** A client of the root application, if that lets its clients run Lua. */
  readonly operator: Peer | undefined;
}

async function start(options: ServerOptions): Promise<Running> {
  const server = await TestServer.start(options);
  const probed = options.www?.[""]?.includes("probe(client)");
  return { server, operator: probed ? await Peer.connect(server.url()) : undefined };
}

export interface ScenarioOptions extends ServerOptions {
  /** More servers, by name, started one after the other behind the first. */
  readonly others?: Readonly<Record<string, ServerOptions>>;
}

export type FactTest = (t: FactContext) => void | Promise<void>;

export interface Scenario {
  /** Registers the test of a fact of ids.txt. Facts run one after the other. */
  fact(id: string, test: FactTest): void;
  /** As {@link fact}, but it begins with the scenario and runs beside the others. */
  slow(id: string, test: FactTest): void;
}

/**
 * One server, started once, and facts shown on it.
 *
 * @param options of the server; `false` for none: each fact starts its own
 */
export function scenario(
  title: string,
  options: ScenarioOptions | false,
  register: (scenario: Scenario) => void,
): void {
  const tests: { id: string; test: FactTest; slow: boolean }[] = [];
  const add = (id: string, test: FactTest, slow: boolean) => {
    if (!facts.has(id)) throw new Error(`${id} is not in ids.txt`);
    tests.push({ id, test, slow });
  };
  register({
    fact: (id, test) => add(id, test, false),
    slow: (id, test) => add(id, test, true),
  });
  Deno.test({
    name: title,
    sanitizeOps: false,
    sanitizeResources: false,
    sanitizeExit: false,
    async fn(step) {
      const running = new Map<string, Running>();
      let failure: unknown;
      try {
        for (const [name, each] of Object.entries({ "": options, ...(options || {}).others })) {
          if (each) running.set(name, await start(each));
        }
      } catch (error) {
        failure = error;
      }
      const run = (id: string, test: FactTest, limit: number) => async () => {
        if (failure) throw failure;
        const context = new FactContext(id, running);
        try {
          await within(limit, test(context));
        } finally {
          await within(PATIENCE, context.done()).catch(() => {});
        }
      };
      const begun = tests.filter(({ slow }) => slow).map(({ id, test }) => {
        const outcome = run(id, test, SLOW_LIMIT)();
        outcome.catch(() => {});
        return { id, outcome };
      });
      const report = (id: string, fn: () => Promise<void>) =>
        step.step({ name: `${id}: ${facts.get(id)!.words}`, fn: () => recorded(id, fn) });
      for (const { id, test, slow } of tests) {
        if (!slow) await report(id, run(id, test, FACT_LIMIT));
      }
      for (const { id, outcome } of begun) await report(id, () => outcome);
      for (const [name, { server, operator }] of [...running].reverse()) {
        await operator?.close();
        await server.stop();
        keepLog(`${title}${name && ` ${name}`}`, server);
      }
    },
  });
}

/** Keeps the log of a server in the folder that CONFORMANCE_LOGS names, if it names one. */
function keepLog(name: string, server: TestServer): void {
  const folder = Deno.env.get("CONFORMANCE_LOGS");
  if (folder) Deno.writeTextFileSync(`${folder}/${name}.log`, server.log.items.join("\n"));
}

/** Writes down for the table how a fact came out. */
async function recorded(id: string, fn: () => Promise<void>): Promise<void> {
  const file = Deno.env.get("CONFORMANCE_RESULTS");
  let problem = "";
  try {
    await fn();
  } catch (error) {
    problem = error instanceof Error ? error.message || error.name : String(error);
    throw error;
  } finally {
    const record = JSON.stringify({ id, passed: problem === "", problem });
    if (file) Deno.writeTextFileSync(file, `${record}\n`, { append: true });
  }
}

async function within<T>(limit: number, promise: T | Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Timeout(`the fact took more than ${limit / 1000} s`)),
      limit,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
