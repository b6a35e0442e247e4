import assert from "node:assert/strict";
import { Timeline } from "../../src/media/timeline.ts";
import { seeded } from "../support/random.ts";

/** Feeds `a12 v40 …`; returns the output in the same form. */
function feed(line: Timeline, frames: string): string {
  return frames.split(" ").map((one) => {
    const kind = one[0] === "a" ? "audio" : "video";
    return one[0] + line.frame(kind, Number(one.slice(1)));
  }).join(" ");
}

Deno.test("Timeline keeps the publisher's times, and clamps each that goes back", () => {
  assert.equal(feed(new Timeline(), "a0 v7 a40 a30 a50 v5 v9"), "a0 v7 a40 a40 a50 v7 v9");
});

Deno.test("Timeline continues at the last time when the clock of audio, video or both restarts", () => {
  assert.equal(feed(new Timeline(), "a9000 a20 a40 a60"), "a9000 a9000 a9020 a9040");
  assert.equal(
    feed(new Timeline(), "a60000 v60010 v0 v40 a60020"),
    "a60000 v60010 v60010 v60050 a60020",
  );
  // audio is ahead of the last old picture, which arrives on another flow
  assert.equal(
    feed(new Timeline(), "v60000 a60005 a0 v60100 v0 v40 a23 v200 a210"),
    "v60000 a60005 a60005 v60100 v60100 v60100 a60028 v60205 a60215",
  );
  assert.equal(
    feed(new Timeline(), "a60005 a0 v60100 v0 v150"),
    "a60005 a60005 v60100 v60100 v60155",
  );
});

Deno.test("Timeline keeps audio and video apart if each has its own clock", () => {
  assert.equal(
    feed(new Timeline(), "a5000000 v60000 v0 v40 a5000020"),
    "a5000000 v60000 v60000 v60040 a5000020",
  );
});

Deno.test("Timeline continues at each wrap of times at 2^32 or 2^31 ms", () => {
  assert.equal(feed(new Timeline(), "a4294967290 a4 a14"), "a4294967290 a4 a14");
  assert.equal(
    feed(new Timeline(), "v2147483600 a2147483615 a7 v2147483640 v12 a47"),
    "v2147483600 a2147483615 a2147483655 v2147483640 v2147483660 a2147483695",
  );
  assert.equal(
    feed(new Timeline(), "a2147483640 a0 a1000000000 a2147483640 a0"),
    "a2147483640 a2147483648 a3147483648 a4294967288 a0",
  );
});

Deno.test("Timeline gives a header at time 0 the current time, and changes no later time", () => {
  const line = new Timeline();
  assert.equal(line.aside("video", 0), 0);
  feed(line, "v20000000 a20000003");
  assert.equal(line.aside("video", 0), 20_000_000);
  assert.equal(line.aside("video", 20_000_040), 20_000_040);
  assert.equal(feed(line, "v20000040"), "v20000040");
});

Deno.test("Timeline keeps a data frame's own time if it is near the frames, else uses the frames' time", () => {
  const line = new Timeline();
  assert.equal(line.data(500), 500);
  feed(line, "a60000 a0 v60050");
  assert.equal(line.data(0), 60_000);
  assert.equal(line.data(900), 60_900);
  assert.equal(line.data(3_000_000), 60_050);
});

Deno.test("Timeline never goes back when audio and video restart, however they interleave", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seeded(seed);
    const line = new Timeline();
    // Each kind has its own flow: in order, up to 2 s behind the other.
    const begun = Math.floor(random() * 4_000_000_000);
    const length = 5000 + Math.floor(random() * 60_000);
    const flows = [23, 40].map((step) => {
      const times: { at: number; time: number }[] = [];
      for (let at = Math.floor(random() * step); at < 3 * length; at += step) {
        times.push({ at, time: (begun + at % length) >>> 0 });
      }
      return times;
    });
    const delays = [random() * 2000, random() * 2000];
    const last: [number?, number?] = [];
    const merged = flows.flatMap((times, kind) =>
      times.map(({ at, time }) => ({ kind, at, time, comes: at + delays[kind] }))
    ).sort((a, b) => a.comes - b.comes);
    for (const { kind, at, time } of merged) {
      const out = line.frame(kind === 0 ? "audio" : "video", time);
      const before = last[kind];
      last[kind] = out;
      const step = before === undefined ? 0 : (out - before) | 0;
      assert.ok(step >= 0 && step < 4100, `seed ${seed}: from ${before} to ${out}`);
      const drift = Math.abs(((out - begun) | 0) - at);
      assert.ok(drift < 9000, `seed ${seed}: ${drift} ms off`);
    }
    const apart = Math.abs((last[0]! - last[1]!) | 0);
    assert.ok(apart < 2200, `seed ${seed}: ${apart} ms between audio and video`);
  }
});
