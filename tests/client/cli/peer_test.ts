// `client peer …` in this process, on different loopback addresses.
import assert from "node:assert/strict";
import { runClient } from "../../../src/client/cli.ts";
import { frames, shortRecording } from "../../support/recording.ts";
import { smallServer } from "../../support/small_server.ts";
import { until } from "../../support/wait.ts";

/** Starts a command. */
function start(...args: string[]) {
  const lines: string[] = [];
  let error = "";
  const done = runClient(
    args,
    { isTerminal: false, write: (text) => void (error += text) },
    (line) => lines.push(line),
  );
  return {
    lines,
    done,
    error: () => error,
    async line(pattern: RegExp): Promise<string> {
      try {
        return await until(() => lines.find((line) => pattern.test(line)), String(pattern));
      } catch (late) {
        throw new Error(`${late} in ${lines.join("\n")}${error}`);
      }
    },
  };
}

const recording = shortRecording(1200);
/** Five seconds of it. */
const whole = new URL("../../fixtures/test.flv", import.meta.url).pathname;

Deno.test("client peer serve sends a file from 127.0.0.2 to peer play at 127.0.0.3 and 127.0.0.4", async () => {
  await using server = await smallServer();
  const bind = (ip: string) => Deno.build.os === "linux" ? ["--bind", ip] : [];
  const serving = start(
    "peer",
    "serve",
    `${server.url}/live/cam`,
    recording,
    "--peers",
    "2",
    ...bind("127.0.0.2"),
  );
  const id = await serving.line(/^[0-9a-f]{64}$/);
  const copies = [3, 4].map((last) => {
    const path = Deno.makeTempFileSync({ suffix: ".flv" });
    const url = `${server.url}/live/cam`;
    const playing = start("peer", "play", url, id, path, ...bind(`127.0.0.${last}`));
    return { path, playing };
  });
  for (const { path, playing } of copies) {
    assert.equal(await playing.done, 0, playing.error());
    assert.match(playing.error(), /NetStream\.Play\.UnpublishNotify/);
    assert.deepEqual(frames(path), frames(recording));
    Deno.removeSync(path);
  }
  assert.equal(await serving.done, 0, serving.error());
  assert.equal(serving.error().match(/has all of it/g)?.length, 2, serving.error());
  assert.equal(server.hub.publications.size, 0, "the stream does not pass the server");
});

Deno.test("client peer play prints each error, and exits with 1, or with 2 for a wrong command line", async () => {
  await using server = await smallServer();
  const path = Deno.makeTempFileSync({ suffix: ".flv" });
  const failed = async (code: number, message: RegExp, ...args: string[]) => {
    const run = start("peer", "play", ...args);
    assert.equal(await run.done, code, run.error());
    assert.match(run.error(), message);
  };
  const url = `${server.url}/live/cam`;
  await failed(2, /Invalid peer id "12"/, url, "12", path);
  const nobody = "ab".repeat(32);
  await failed(
    1,
    /^Cannot reach peer abababab…: no answer within 0\.4 s/m,
    url,
    nobody,
    path,
    "--timeout=0.4",
  );
  await failed(
    2,
    /Option --bind needs an IP address, not "home"/,
    url,
    nobody,
    path,
    "--bind=home",
  );
  await failed(1, /This machine has no such IP address/, url, nobody, path, "--bind=203.0.113.77");
  const serving = start("peer", "serve", url, whole, "--peers=1");
  const id = await serving.line(/^[0-9a-f]{64}$/);
  await failed(
    1,
    /The peer refused: NetStream\.Play\.StreamNotFound: other/,
    url,
    id,
    path,
    "--name=other",
  );
  await failed(0, /Played up to [01]\.\d s/, url, id, path, "--seconds=1");
  assert.equal(await serving.done, 0, serving.error());
  assert.match(serving.error(), /has left/);
  Deno.removeSync(path);
});

Deno.test("client peer join prints the members of a group that join and leave", async () => {
  await using server = await smallServer();
  const join = (seconds: number) =>
    start("peer", "join", `${server.url}/live`, "G:a group", "--seconds", String(seconds));
  const first = join(60);
  const one = (await first.line(/^id /)).slice(3);
  await first.line(/^group [0-9a-f]{64}$/);
  const second = join(8); // time enough to find each other
  const other = (await second.line(/^id /)).slice(3);
  await second.line(new RegExp(`^member ${one}$`));
  await second.line(new RegExp(`^neighbor ${one}$`));
  await first.line(new RegExp(`^neighbor ${other}$`));
  assert.equal(await second.done, 0, second.error());
  assert.match(second.error(), /Leaving, with 1 neighbors/);
  await first.line(new RegExp(`^gone ${other}$`));
  server.endpoint.close();
  assert.equal(await first.done, 1);
  assert.match(first.error(), /The connection has ended/);
});

Deno.test("client peer --help lists the commands, and client peer exits with 2", async () => {
  const help = start("peer", "--help");
  assert.equal(await help.done, 0);
  assert.match(help.lines.join(), /peer serve URL FILE\.flv/);
  assert.equal(await start("peer").done, 2);
  const join = start("peer", "join", "--help");
  assert.equal(await join.done, 0);
  assert.match(join.lines.join(), /Usage: deno task -q client peer join \[OPTIONS\] URL GROUP/);
});
