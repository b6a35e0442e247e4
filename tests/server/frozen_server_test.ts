// A link to a server that hangs. The test takes a minute, but no CPU time.
import assert from "node:assert/strict";
import { freePort } from "../support/ports.ts";
import { PATIENCE, until } from "../support/wait.ts";
import { linkLines, Servers } from "./linked_servers.ts";

Deno.test("Cluster closes the link to a frozen server after 35 s of silence, and links it again when it resumes", async () => {
  await using servers = new Servers();
  const port = freePort();
  const first = await servers.start("first", `port = ${port}\n`, { args: ["--dump=middle"] });
  const second = await servers.start("second", `targets = 127.0.0.1:${port}\n`);
  const third = await servers.start("third", `targets = 127.0.0.1:${port}\n`);
  for (const name of ["second", "third"]) {
    await first.logged(new RegExp(`heard hello from ${name}`));
  }
  // Servers send a heartbeat every 10 s; the time-out applies after the first one.
  const since = first.log.items.length;
  const heard = () =>
    new Set(
      first.log.items.slice(since).flatMap((line) => /bytes from (\S+ \S+)/.exec(line)?.[1] ?? []),
    );
  await until(() => heard().size === 2, "a beat of both");
  Deno.kill(second.pid, "SIGSTOP"); // the connection stays open: nothing is sent, nothing is closed
  try {
    const stopped = performance.now();
    const before = first.log.items.length;
    await first.logged(/^NOTE .* gone: it was silent for 35 s/, before, 2 * PATIENCE);
    const took = performance.now() - stopped;
    assert.ok(took > 20_000 && took < 90_000, `${took} ms`);
    await first.logged(/there are 1$/, before); // the script hears of it after the log
  } finally {
    Deno.kill(second.pid, "SIGCONT");
  }
  const from = first.log.items.length;
  await first.logged(/heard hello from second/, from);
  assert.equal(linkLines(third).filter((line) => line.startsWith("there are")).length, 1);
});
