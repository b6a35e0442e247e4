import assert from "node:assert/strict";
import { cpuTime } from "./cpu_time.ts";
import { sleep, Timeout, until } from "./wait.ts";

Deno.test("until() polls until it gets an answer, and throws a Timeout otherwise", async () => {
  let asked = 0;
  assert.equal(await until(() => ++asked >= 5 && "an answer", "the fifth time"), "an answer");
  assert.equal(asked, 5);
  await assert.rejects(
    until(() => undefined, "what never comes", 20),
    (error) =>
      error instanceof Timeout && /^what never comes: not within 0\.02 s$/.test(error.message),
  );
});

Deno.test({
  name: "sleep() and cpuTime(): sleeping for 300 ms uses less than 200 ms of CPU time",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const before = cpuTime();
    await sleep(300);
    const waited = cpuTime() - before;
    assert.ok(waited < 200, `${waited} ms`);
    const end = performance.now() + 100;
    while (performance.now() < end || cpuTime() - before - waited < 20) { /* computes */ }
  },
});
