// `[record] publications`: recordings without a request of client or script.
import assert from "node:assert/strict";
import { runClient } from "../../src/client/cli.ts";
import { TestServer } from "../conformance/support/test_server.ts";
import { frames, shortRecording } from "../support/recording.ts";

Deno.test("[record] publications records each publication of a name into a separate file", async () => {
  const ini = "[record]\npublications = /live/cam*; /live/room/*\nfree = 0";
  const server = await TestServer.start({ www: { "": "", "/live": "", "/live/room": "" }, ini });
  const recording = shortRecording(600);
  try {
    for (const name of ["live/cam1", "live/room/talk", "live/other", "cam1"]) {
      let error = "";
      const output = { isTerminal: false, write: (text: string) => void (error += text) };
      const code = await runClient(["publish", server.url(`/${name}`), recording], output);
      assert.equal(code, 0, `${name}: ${error}`);
    }
    await server.end("SIGTERM"); // completes the recordings
    const www = `${server.dir}/www`;
    const files = () =>
      ["live", "live/room"].flatMap((app) => {
        const folder = `${www}/${app}/streams`;
        return [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`);
      });
    assert.deepEqual(files().map((file) => file.slice(www.length).replace(/\d/g, "0")), [
      "/live/streams/cam0-00000000-000000.flv",
      "/live/room/streams/talk-00000000-000000.flv",
    ]);
    // Times begin at the frame that arrives first: audio and video use separate flows.
    for (const file of files()) assert.deepEqual(payloads(file), payloads(recording));
    assert.throws(() => Deno.statSync(`${www}/streams`), Deno.errors.NotFound);
  } finally {
    Deno.removeSync(recording);
    await server.stop();
  }
});

const payloads = (file: string) => frames(file).map((frame) => frame.replace(/ \d+ /, " ")).sort();
