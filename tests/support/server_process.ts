// The server as users run it: a process with a folder of its own.
import { NetConnection } from "../../src/client/net_connection.ts";

export interface RunningServer {
  readonly port: number;
  /** Of the application `name`; "" is the root. */
  url(name: string): string;
  /** What it has printed so far. */
  output(): string;
  /** Stops it as an operator does. @returns its exit code */
  stop(): Promise<number>;
}

const main = new URL("../../main.ts", import.meta.url).pathname;

/**
 * Starts a server on a free port.
 *
 * @param files relative to its folder, such as "www/live/main.lua"
 * @throws {Error} with what it printed, if it does not answer within 20 seconds
 */
export async function startServer(
  files: Record<string, string>,
  settings = "",
): Promise<RunningServer> {
  const folder = await Deno.makeTempDir({ prefix: "cumulus-test-" });
  const port = freePort();
  const all = { ...files, "CumulusServer.ini": `port = ${port}\n${settings}\n` };
  for (const [name, text] of Object.entries(all)) {
    await Deno.mkdir(`${folder}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", main, "--ini", `${folder}/CumulusServer.ini`],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  };
  const reading = Promise.all([collect(child.stdout), collect(child.stderr)]);
  let running = true;
  const ended = child.status.then(async ({ code }) => {
    running = false;
    await reading;
    return code;
  });
  const stop = async () => {
    if (running) child.kill("SIGTERM");
    const code = await ended;
    await Deno.remove(folder, { recursive: true });
    return code;
  };
  const url = (name: string) => `rtmfp://127.0.0.1:${port}/${name}`;
  const until = Date.now() + 20_000;
  while (running && Date.now() < until) {
    if (await answers(url(""))) return { port, url, output: () => text, stop };
  }
  await stop();
  throw new Error(`The server does not answer. It printed:\n${text}`);
}

async function answers(url: string): Promise<boolean> {
  try {
    const connection = await NetConnection.connect(url, { timeout: 300 });
    await connection.close();
    return true;
  } catch (error) {
    return (error as Error).name === "StatusError"; // a refusal is an answer too
  }
}

export function freePort(): number {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  return port;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `main.ts client …` as a process. */
export async function runClientProcess(...args: string[]): Promise<CommandResult> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", main, "client", ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
