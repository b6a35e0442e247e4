import assert from "node:assert/strict";
import { Recording } from "../../../src/client/cli/recording.ts";
import { FlvReader } from "../../../src/flv/reader.ts";

/** A video header, a key frame and another picture. */
const VIDEO = [[0x17, 0, 0, 0, 0], [0x17, 1, 0, 0, 0, 1], [0x27, 1, 0, 0, 0, 2]];

function record(recording: Recording): void {
  const { onVideo } = recording.handler(() => {});
  for (const [i, bytes] of VIDEO.entries()) onVideo!(i * 40, Uint8Array.from(bytes));
  recording.close();
}

Deno.test({
  name: "Recording writes to a device without truncating it or rewriting the header",
  ignore: Deno.build.os === "windows",
  async fn() {
    const recording = await Recording.open("/dev/null", false);
    record(recording);
    assert.equal(recording.progress.videoFrames, 2);
  },
});

Deno.test({
  name: "Recording writes a whole file into a pipe",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = Deno.makeTempDirSync();
    const path = `${folder}/pipe`;
    try {
      await new Deno.Command("mkfifo", { args: [path] }).output();
      const reading = new Deno.Command("cat", { args: [path], stdout: "piped" }).output();
      record(await Recording.open(path, false));
      const { stdout } = await reading;
      const tags = [...new FlvReader().push(stdout)];
      assert.deepEqual(tags.map(({ data }) => [...data]), VIDEO);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
