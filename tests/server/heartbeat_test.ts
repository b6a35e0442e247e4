// Detection of a blocked loop by the watchdog, and its message about the running script.
import assert from "node:assert/strict";
import { LoopHeartbeat, StallDetector } from "../../src/server/heartbeat.ts";

function pair(limit: number) {
  let told = 0;
  const heartbeat = new LoopHeartbeat((named) => {
    told++;
    detector.learn(named);
  });
  const detector = new StallDetector(heartbeat.shared);
  heartbeat.limit = limit;
  return { heartbeat, detector, told: () => told };
}

Deno.test("StallDetector reports a loop that is blocked for 3 s after its limit of 3 checks without a heartbeat", () => {
  const { heartbeat, detector } = pair(3);
  for (let i = 0; i < 100; i++) {
    heartbeat.beat();
    for (let look = 0; look < 3; look++) assert.equal(detector.look(), undefined);
  }
  assert.equal(detector.look(), "The event loop has not run for 3 s outside of scripts");
  heartbeat.beat();
  assert.equal(detector.look(), undefined);
});

Deno.test("StallDetector has no limit at 0, and applies a new limit at once", () => {
  const { heartbeat, detector } = pair(0);
  for (let look = 0; look < 100; look++) assert.equal(detector.look(), undefined);
  heartbeat.limit = 5;
  assert.match(detector.look()!, /^The event loop has not run for 100 s/);
});

Deno.test("StallDetector names application and event, and LoopHeartbeat sends each name once", () => {
  const { heartbeat, detector, told } = pair(1);
  assert.equal(detector.place(), "outside of scripts");
  for (let i = 0; i < 100; i++) {
    heartbeat.enter("/chat", "onManage");
    heartbeat.enter("", "onManage");
    assert.equal(detector.place(), "in onManage of www/main.lua");
    heartbeat.enter("/chat", "onConnection");
    assert.equal(detector.place(), "in onConnection of www/chat/main.lua");
    heartbeat.enter(undefined, "");
    assert.equal(detector.place(), "outside of scripts");
  }
  assert.equal(told(), 4);
});

Deno.test("LoopHeartbeat sends at most 4,095 names, each truncated to 100 characters", () => {
  const { heartbeat, detector, told } = pair(1);
  heartbeat.enter("/a", "x".repeat(1_000));
  assert.equal(detector.place(), `in ${"x".repeat(100)} of www/a/main.lua`);
  for (let i = 0; i < 10_000; i++) heartbeat.enter("/a", `f${i}`);
  assert.equal(told(), 4_095);
  assert.equal(detector.place(), "in ? of www/a/main.lua");
});
