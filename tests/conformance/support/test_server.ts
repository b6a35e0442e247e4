// A real server process with applications in a temporary folder.
import { freePort } from "../../support/ports.ts";
import { PATIENCE } from "../../support/wait.ts";
import { Inbox } from "./inbox.ts";

const root = new URL("../../../", import.meta.url).pathname;
const config = JSON.parse(Deno.readTextFileSync(`${root}deno.json`));

export interface ServerOptions {
  /** Texts of `www/<name>/main.lua` by path: `""` is the root, `"/chat"`; other names are files. */
  readonly www?: Readonly<Record<string, string>>;
  /** Text of CumulusServer.ini, without its port; false for no such file. */
  readonly ini?: string | false;
  /** Further arguments of the command line. */
  readonly args?: readonly string[];
  /** The most detailed level logged; 7 unless told, null for the server's own choice. */
  readonly level?: number | null;
  /** Seen by the script's `cumulus.configs.system`, and by nothing else. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the command line names the folder, as it does unless told. */
  readonly dir?: boolean;
  /** UDP port; a free one unless told. */
  readonly port?: number;
}

export class TestServer {
  /** Records of the log, and what scripts print; continued lines are part of their record. */
  readonly log = new Inbox<string>();
  stderr = "";
  #process: Deno.ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly dir: string,
    readonly port: number,
    readonly options: ServerOptions,
  ) {}

  /** Makes the folder, starts nothing. */
  static async prepare(options: ServerOptions = {}): Promise<TestServer> {
    const dir = await Deno.makeTempDir({ prefix: "conformance-" });
    const server = new TestServer(dir, options.port ?? freePort(), options);
    for (const [path, text] of Object.entries(options.www ?? {})) {
      server.write(path === "" || path.startsWith("/") ? `www${path}/main.lua` : path, text);
    }
    if (options.ini !== false) {
      server.write("CumulusServer.ini", `port = ${server.port}\n${withTime(options.ini ?? "")}`);
    }
    return server;
  }

  /** @throws {Error} if the server does not start */
  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const server = await TestServer.prepare(options);
    try {
      await server.run();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Starts the process, and waits until it serves. */
  async run(...args: string[]): Promise<void> {
    const from = this.log.items.length;
    const process = this.spawn(...args);
    const exit = process.status.then(({ code }) => {
      throw new Error(`The server ended with ${code}: ${this.log.items.join("\n")}${this.stderr}`);
    });
    exit.catch(() => {});
    const ready = new RegExp(`^NOTE .*\\b${this.port}\\b`);
    await Promise.race([
      exit,
      this.log.find((line) => ready.test(line), "a NOTE with the port", from),
    ]);
  }

  /** Runs the process until it ends by itself; its output is in `log` and `stderr`. */
  async exit(...args: string[]): Promise<number> {
    const process = this.spawn(...args);
    const timer = setTimeout(() => process.kill("SIGKILL"), PATIENCE);
    const { code } = await process.status;
    clearTimeout(timer);
    await this.#ended;
    this.#process = undefined;
    return code;
  }

  /** Starts the process. */
  spawn(...args: string[]): Deno.ChildProcess {
    const [, , ...flags] = config.tasks.start.split(" ").slice(0, -1);
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        ...flags,
        `${root}main.ts`,
        ...(this.options.dir === false ? [] : [`--dir=${this.dir}`]),
        ...(this.options.level === null ? [] : [`--log=${this.options.level ?? 7}`]),
        ...(this.options.args ?? []),
        ...args,
      ],
      cwd: root,
      env: { NO_COLOR: "1", ...this.options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#process = process;
    this.#ended = Promise.all([this.#read(process.stdout), this.#readErrors(process.stderr)]);
    return process;
  }

  get pid(): number {
    return this.#process!.pid;
  }

  url(path = "", query = ""): string {
    return `rtmfp://127.0.0.1:${this.port}${path || "/"}${query && `?${query}`}`;
  }

  /** Writes a file below the server's folder. */
  write(name: string, text: string): void {
    const path = `${this.dir}/${name}`;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(path, text);
  }

  read(name: string): string {
    return Deno.readTextFileSync(`${this.dir}/${name}`);
  }

  remove(name: string): void {
    Deno.removeSync(`${this.dir}/${name}`, { recursive: true });
  }

  /** @throws {Timeout} */
  logged(pattern: RegExp, from = 0, patience?: number): Promise<string> {
    return this.log.find((line) => pattern.test(line), `${pattern} in the log`, from, patience);
  }

  /** Ends the process with a signal, and waits for that; its exit code. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    const process = this.#process;
    if (!process) return 0;
    this.#process = undefined;
    try {
      process.kill(signal);
    } catch {
      // it has ended already
    }
    const timer = setTimeout(() => process.kill("SIGKILL"), PATIENCE);
    const { code } = await process.status;
    clearTimeout(timer);
    await this.#ended;
    return code;
  }

  /** Ends the process, and removes the folder. */
  async stop(): Promise<void> {
    await this.end();
    await Deno.remove(this.dir, { recursive: true });
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    let record: string | undefined;
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        if (line.startsWith("\t") && record !== undefined) {
          record = this.log.items[this.log.items.length - 1] += `\n${line.slice(1)}`;
        } else {
          this.log.push(record = line);
        }
      }
    }
    if (rest !== "") this.log.push(rest);
  }

  async #readErrors(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.stderr += text;
  }
}

/** Calls into scripts have a minute, unless the file says something else: a test is rarely about that. */
function withTime(ini: string): string {
  return /^time *=/m.test(ini) ? ini : `${ini}\n[script]\ntime = ${PATIENCE}\n`;
}
