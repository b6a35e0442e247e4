// Ctrl-C on client commands. A separate process receives the signals.
import assert from "node:assert/strict";

const interrupt = new URL("../../../src/client/cli/interrupt.ts", import.meta.url).href;

/** Runs a program that has `interrupted`, an Interrupt, and `send`, a signal to itself. */
async function run(body: string): Promise<{ code: number; text: string }> {
  const program = `
    import { Interrupt } from ${JSON.stringify(interrupt)};
    const interrupted = new Interrupt();
    const send = () => Deno.kill(Deno.pid, "SIGINT");
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    ${body}`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", program],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("Interrupt counts a signal that deno task repeats at once as one", async () => {
  const { code, text } = await run(`
    send();
    await interrupted.raised;
    send();
    await sleep(100);
    console.log(interrupted.isRaised);
    interrupted.release();`);
  assert.deepEqual({ code, text }, { code: 0, text: "true\n" });
});

Deno.test("Interrupt ends the program with code 130 at the second Ctrl-C", async () => {
  const { code } = await run(`
    send();
    await sleep(500);
    send();
    await sleep(10_000);`);
  assert.equal(code, 130);
});
