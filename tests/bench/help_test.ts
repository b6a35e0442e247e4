import assert from "node:assert/strict";

const OWN_ARGUMENTS = ["all", "bus", "recording", "rtmp", "web"];

Deno.test("A benchmark that reads its own arguments prints them for --help, and starts no server", async () => {
  await Promise.all(OWN_ARGUMENTS.map(async (name) => {
    const path = new URL(`../../bench/${name}.ts`, import.meta.url).pathname;
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", path, "--help"],
      env: { PATH: "/nowhere" }, // no ffmpeg, taskset, cc or nats-server
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.match(
      new TextDecoder().decode(stdout),
      /^Usage: deno [^]*--help +print this and exit\n$/,
    );
  }));
});
