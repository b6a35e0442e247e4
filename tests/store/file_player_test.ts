import assert from "node:assert/strict";
import { audio, film, flvFile, joined, Stage, timeOf, video } from "./fakes.ts";

function stage(tags = film()) {
  const one = new Stage();
  one.disk.files.set("/film.flv", flvFile(tags));
  return one;
}

Deno.test("VOD-040: FilePlayer sends a whole file in order, at most 3 s of the client's buffer ahead", () => {
  const on = stage();
  const { output } = on.play("film");
  assert.equal(output.last, 3_000, "3 s are sent at once");
  on.pass(1_000);
  assert.ok(output.last >= 3_750 && output.last <= 4_000, `${output.last} after 1 s`);
  on.pass(10_000);
  assert.equal(output.ends, 1);
  const expected = film().map(({ type, timestamp, data }) =>
    type === 8 ? `a${timestamp}` : data[1] === 0 ? `h${timestamp}` : `v${timestamp}` +
      (data[0] === 0x17 ? "k" : "")
  );
  assert.deepEqual(output.lines, expected);
});

Deno.test("VOD-041: FilePlayer applies a changed buffer length, up to its maximum", () => {
  const on = stage();
  const { output, play } = on.play("film");
  play.bufferLength = 5_000;
  on.settle();
  assert.equal(output.last, 5_000);
  play.bufferLength = 36_000_000;
  on.settle();
  assert.equal(output.last, 9_750);
});

Deno.test("VOD-043: FilePlayer stops reading while 1 MiB is queued, and sends the end after the last frame", () => {
  const on = stage();
  const { output, play } = on.play("film");
  output.queuedBytes = 1 << 20;
  play.bufferLength = 60_000;
  on.pass(30_000);
  assert.equal(output.last, 3_000);
  output.queuedBytes = 1;
  play.wake();
  on.settle();
  assert.equal(output.last, 9_750);
  on.pass(1_000);
  assert.equal(output.ends, 0);
  output.queuedBytes = 0;
  on.pass(1_000);
  assert.equal(output.ends, 1);
});

Deno.test("VOD-051, VOD-052: FilePlayer seeks to the key frame before a time, and sends the frames up to it in a burst", () => {
  const on = stage();
  const { output, play } = on.play("film");
  output.take();
  play.seek(5_600);
  on.settle();
  assert.deepEqual(output.take().slice(0, 10), [
    "h5000",
    "c5000:0",
    "v5000k",
    "a5000",
    "v5250",
    "a5250",
    "v5500",
    "a5500",
    "c5600:1",
    "v5750",
  ]);
});

Deno.test("VOD-053, VOD-054, VOD-057: FilePlayer seeks back, beyond the end, and to the last of several times", () => {
  const on = stage();
  const { output, play } = on.play("film");
  on.pass(2_000);
  output.take();
  for (const time of [9_000, 4_000, 1_000]) play.seek(time);
  on.settle();
  assert.deepEqual(output.take().slice(0, 2), ["h1000", "v1000k"], "frames of the last seek only");
  play.seek(99_000);
  on.pass(500);
  assert.equal(output.lines[0], "h9000");
  assert.equal(output.ends, 1);
  play.seek(0);
  on.pass(20_000);
  assert.equal(output.ends, 2, "a second end after a seek to 0");
});

Deno.test("FilePlayer seeks after the pending read, as a file reads one block at a time", () => {
  const on = stage(
    film().map((tag) => ({ ...tag, data: joined([tag.data, new Uint8Array(20_000)]) })),
  );
  const { output, play } = on.play("film");
  on.disk.stands = true;
  on.pass(3_000); // a block is requested, and does not arrive
  output.take();
  play.seek(8_000);
  on.pass(100);
  play.seek(5_000);
  on.pass(100);
  assert.deepEqual(
    output.take().filter((line) => !/^[hc]/.test(line)),
    [],
    "no frame while the read is pending",
  );
  on.disk.stands = false;
  on.settle();
  assert.deepEqual(output.take().slice(0, 3), ["v5000k", "a5000", "v5250"]);
  on.pass(20_000);
  assert.equal(output.ends, 1);
  assert.equal(output.last, 9_750);
});

Deno.test("VOD-055: FilePlayer sends one frame for a seek while paused", () => {
  const on = stage();
  const { output, play } = on.play("film");
  play.pause();
  output.take();
  on.pass(5_000);
  assert.deepEqual(output.take(), []);
  play.seek(2_250);
  on.pass(60_000);
  assert.deepEqual(output.take(), [
    "h2000",
    "c2000:0",
    "v2000k",
    "a2000",
    "c2250:1",
    "v2250",
    "a2250",
  ]);
  play.resume(2_250);
  on.settle();
  assert.deepEqual(output.take().slice(0, 2), ["v2500", "a2500"]);
});

Deno.test("VOD-070: FilePlayer.resume() continues where reading stopped, or at the client's time", () => {
  const on = stage();
  const { output, play } = on.play("film");
  play.pause();
  on.pass(60_000);
  output.take();
  play.resume(500);
  on.settle();
  assert.deepEqual(output.take(), []);
  on.pass(300);
  assert.equal(output.take()[0], "v3250");
  on.pass(4_000);
  play.pause();
  play.resume(1_000);
  output.take();
  on.settle();
  assert.equal(output.take()[0], "h1000", "the client has dropped its buffer");
});

Deno.test("VOD-072: FilePlayer closes its file in a pause of 700 s, and opens it again", () => {
  const on = stage();
  const { output, play } = on.play("film");
  on.settle();
  play.pause();
  on.pass(700_000);
  assert.equal(on.disk.opened, 0);
  play.resume(undefined);
  play.seek(9_000);
  on.pass(10_000);
  assert.equal(output.ends, 1);
  play.close();
  assert.equal(on.disk.opened, 0);
  assert.equal(on.store.players, 0);
});

Deno.test("VOD-004: FilePlayer plays the part selected by start and length, and one picture for length 0", () => {
  const on = stage();
  const part = on.play("film", { start: 2_500, length: 1_000 });
  on.pass(5_000);
  assert.equal(part.output.lines.find((line) => line.startsWith("v")), "v2000k");
  assert.equal(part.output.last, 3_250);
  assert.equal(part.output.ends, 1);
  const picture = on.play("film", { start: 2_500, length: 0 });
  on.pass(5_000);
  const shown = picture.output.lines.filter((line) => line.startsWith("v"));
  assert.deepEqual(shown, ["v2000k", "v2250", "v2500"]);
  assert.equal(picture.output.ends, 1);
});

Deno.test("VOD-073: FilePlayer omits muted kinds, and resumes video with its header and a key frame", () => {
  const on = stage();
  const { output, play, listener } = on.play("film");
  output.take();
  listener.receiveVideo = false;
  on.pass(1_000);
  assert.ok(output.take().every((line) => line.startsWith("a")));
  listener.receiveVideo = true;
  listener.receiveAudio = false;
  play.bufferLength = 60_000;
  on.settle();
  const lines = output.take();
  assert.deepEqual(lines.slice(0, 2), ["h5000", "v5000k"]);
  assert.ok(lines.every((line) => !line.startsWith("a")));
});

Deno.test("FilePlayer keeps its pace when the times inside a file go back", () => {
  const tags = [...film(), ...film().slice(1)];
  const on = stage(tags);
  const { output } = on.play("film");
  on.pass(7_000);
  const before = output.lines.length;
  assert.ok(before < tags.length * 0.75, `${before} of ${tags.length}`);
  on.pass(30_000);
  assert.equal(output.lines.length, tags.length);
  assert.equal(output.ends, 1);
});

Deno.test("FilePlayer plays and seeks a file without video", () => {
  const on = stage(Array.from({ length: 500 }, (_, i) => audio(i * 20)));
  const { output, play } = on.play("film");
  play.seek(4_500);
  output.take();
  on.settle();
  assert.equal(timeOf(output.take()[0]), 4_000);
});

Deno.test("Store reads a file for its index once for all players", () => {
  const on = stage(Array.from({ length: 40 }, (_, i) => video(i * 100, true, 1, 60_000)));
  on.play("film");
  const first = on.disk.reads;
  on.play("film");
  assert.ok(on.disk.reads < 2 * first, `${first}, then ${on.disk.reads}`);
  assert.equal(on.open("none"), undefined);
  assert.equal(on.open("../film"), undefined);
});
