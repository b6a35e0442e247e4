import assert from "node:assert/strict";
import { clockText, ProgressLine, progressText } from "../../../src/client/cli/progress.ts";

const progress = { time: 3_725_290, videoFrames: 80, audioFrames: 9, bytes: 0, roundTrip: 12.4 };

function terminal(isTerminal: boolean) {
  let text = "";
  return { isTerminal, write: (more: string) => void (text += more), text: () => text };
}

Deno.test("progressText() has time, frames, bit rate and round trip in ms", () => {
  assert.equal(clockText(0), "0:00:00.0");
  assert.equal(
    progressText(progress, 312_400),
    "1:02:05.2  video 80  audio 9  312 kb/s  rtt 12 ms",
  );
  assert.match(progressText({ ...progress, roundTrip: 0 }, 2_345_000), /2\.35 Mb\/s {2}rtt -$/);
});

Deno.test("progressText() is at most as long as the terminal's line", () => {
  const long = { ...progress, time: 36_000_000, videoFrames: 90_000, audioFrames: 155_000 };
  assert.equal(progressText(long, 4_560_000, 39), "10:00:00.0  4.56 Mb/s");
  assert.equal(progressText(long, 4_560_000, 40), "10:00:00.0  v 90000  a 155000  4.56 Mb/s");
  assert.equal(progressText(progress, 312_400, 39), "1:02:05.2  v 80  a 9  312 kb/s");
  assert.equal(progressText(progress, 312_400, 5), "1:02:");
  for (let columns = 1; columns < 100; columns++) {
    assert.ok(progressText(long, 4_560_000, columns).length <= columns);
  }
  const output = { ...terminal(true), columns: 40 };
  new ProgressLine(output).show(long, 0);
  assert.ok(output.text().slice("\r\x1b[K".length).length < 40, output.text());
});

Deno.test("ProgressLine overwrites its line on a terminal, with the rate of the last 2 s", () => {
  const output = terminal(true);
  const line = new ProgressLine(output);
  for (let now = 0, bytes = 0; now <= 10_000; now += 250) {
    bytes += now <= 5000 ? 31_250 : 6250; // 1 Mb/s, then 200 kb/s
    line.show({ ...progress, bytes }, now);
  }
  const lines = output.text().split("\r\x1b[K").slice(1);
  assert.equal(lines.length, 41);
  assert.match(lines[20], /1\.00 Mb\/s/);
  assert.match(lines[40], / 200 kb\/s/);
  line.say("end");
  assert.ok(output.text().endsWith("\r\x1b[Kend\n"));
});

Deno.test("ProgressLine prints a line every 5 s if the output is not a terminal", () => {
  const output = terminal(false);
  const line = new ProgressLine(output);
  for (let now = 0; now <= 10_000; now += 250) line.show(progress, now);
  line.say("end");
  assert.equal(output.text().split("\n").length, 5);
  assert.ok(!output.text().includes("\x1b"));
});
