// Processes of a server and two clients on three machines in two networks.
import assert from "node:assert/strict";
import { Namespaces } from "../support/namespaces.ts";
import { frames, shortRecording } from "../support/recording.ts";
import { until } from "../support/wait.ts";

const main = new URL("../../main.ts", import.meta.url).pathname;
const recording = shortRecording(1200);
const PORT = 1935;

/** A process in a namespace, and its output. */
class Running {
  output = "";
  readonly #process: Deno.ChildProcess;
  readonly ended: Promise<number>;

  constructor(namespace: string, ...args: string[]) {
    const [command, ...rest] = Namespaces.within(
      namespace,
      Deno.execPath(),
      "run",
      "--allow-all",
      "--quiet",
      main,
      ...args,
    );
    this.#process = new Deno.Command(command, {
      args: rest,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const read = async (stream: ReadableStream<Uint8Array>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) this.output += text;
    };
    const reading = [read(this.#process.stdout), read(this.#process.stderr)];
    this.ended = Promise.all(reading).then(() => this.#process.status).then(({ code }) => code);
  }

  async printed(pattern: RegExp): Promise<string> {
    try {
      return (await until(() => pattern.exec(this.output), String(pattern)))[0];
    } catch (error) {
      throw new Error(`${error} in: ${this.output}`);
    }
  }

  async stop(): Promise<number> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // it has ended
    }
    return await this.ended;
  }
}

Deno.test("Clients in two networks stream directly and join a group, with a server reached by IPv4 or IPv6", async (t) => {
  using net = Namespaces.make();
  if (!net) return;
  const home = Deno.makeTempDirSync({ prefix: "namespaces-" });
  const [a, b] = net.machines;
  const server = new Running(net.router, `--dir=${home}`, `--port=${PORT}`);
  try {
    await server.printed(new RegExp(`NOTE .*\\b${PORT}\\b`));
    const url = (side: number, family: "four" | "six") => {
      const address = net.routers[side][family];
      return `rtmfp://${family === "four" ? address : `[${address}]`}/`;
    };
    const cases = [["four", "four"], ["six", "six"], ["four", "six"]] as const;
    for (const [near, far] of cases) {
      const words = { four: "IPv4", six: "IPv6" };
      await t.step(
        `peer play over ${words[far]} copies every frame of peer serve over ${words[near]}`,
        async () => {
          const copy = `${home}/copy-${near}-${far}.flv`;
          const serving = new Running(
            a,
            "client",
            "peer",
            "serve",
            `${url(0, near)}cam`,
            recording,
            "--peers=1",
          );
          const id = await serving.printed(/^[0-9a-f]{64}$/m);
          const playing = new Running(b, "client", "peer", "play", `${url(1, far)}cam`, id, copy);
          assert.equal(await playing.ended, 0, playing.output);
          assert.equal(await serving.ended, 0, serving.output);
          assert.deepEqual(frames(copy), frames(recording));
        },
      );
    }
    await t.step("peer join makes group members in both networks neighbors", async () => {
      const members = [[a, url(0, "four")], [b, url(1, "six")], [b, url(1, "four")]].map(
        ([where, url]) => new Running(where, "client", "peer", "join", url, "G:namespaces"),
      );
      for (const [i, member] of members.entries()) {
        for (const [j, other] of members.entries()) {
          if (i === j) continue;
          const id = (await other.printed(/^id [0-9a-f]{64}$/m)).slice(3);
          await member.printed(new RegExp(`^neighbor ${id}$`, "m"));
        }
      }
      for (const member of members) assert.equal(await member.stop(), 0, member.output);
    });
  } finally {
    assert.equal(await server.stop(), 0, server.output);
    Deno.removeSync(home, { recursive: true });
  }
});
