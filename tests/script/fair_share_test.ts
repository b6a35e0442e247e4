import assert from "node:assert/strict";
import { FairShare, MIN_PAUSE, SHORT_TIME } from "../../src/script/api/fair_share.ts";
import { MustWait } from "../../src/media/refused.ts";
import { Machine } from "./machine.ts";

Deno.test("FairShare never delays an application that uses less than half of the time in short calls", () => {
  const share = new FairShare();
  for (let now = 0; now < 600_000; now += 100) {
    share.spend(45, now);
    assert.equal(share.inDebt(now), false);
  }
});

Deno.test("FairShare delays an application whose calls stay just below the time limit", () => {
  const share = new FairShare();
  let now = 0;
  for (; now < 60_000 && !share.isOver(now); now += 2_000) share.spend(900, now);
  assert.ok(now < 40_000, `stopped after ${now} ms`);
  assert.ok(now >= 10_000, `stopped after ${now} ms already`);
  share.forgive(now);
  assert.equal(share.inDebt(now), false);
});

Deno.test("FairShare delays too many short calls, but does not stop the application", () => {
  const share = new FairShare();
  let taken = 0;
  let now = 0;
  while (now < 600_000) {
    if (share.inDebt(now)) now += 10;
    else {
      now += 20;
      taken += 20;
      share.spend(20, now);
    }
    assert.equal(share.isOver(now), false);
  }
  assert.ok(Math.abs(taken / now - 0.5) < 0.02, `${taken / now} of the time`);
});

Deno.test("FairShare divides half of the time among applications in debt", () => {
  const shares = Array.from({ length: 4 }, () => new FairShare());
  for (const share of shares) share.debtors = 4;
  let taken = 0;
  let now = 0;
  while (now < 600_000) {
    const before = now;
    for (const share of shares) {
      if (share.inDebt(now)) continue;
      now += 20;
      taken += 20;
      share.spend(20, now);
    }
    if (now === before) now += 10;
  }
  assert.ok(taken / now < 0.55, `${taken / now} of the time`);
});

Deno.test("FairShare allows a call the time limit, then the remaining savings, at least 250 ms", () => {
  const share = new FairShare();
  assert.equal(share.timeOfCall(10_000, 0), 10_000);
  share.spend(1_000, 0);
  assert.equal(share.timeOfCall(1_000, 0), 1_000);
  share.spend(900, 0);
  assert.equal(share.timeOfCall(1_000, 0), SHORT_TIME);
  assert.equal(share.timeOfCall(100, 0), 100);
});

Deno.test("FairShare limits the total time of calls in a row", () => {
  const share = new FairShare();
  let now = 0;
  while (!share.isSpent(now)) {
    const time = share.timeOfCall(1_000, now);
    now += time;
    share.spend(time, now);
    assert.ok(now < 6_000, `${now} ms`);
  }
  assert.equal(share.isOver(now), true);
});

Deno.test("FairShare doubles the pause of an application that it stops again within ten minutes", () => {
  const share = new FairShare();
  assert.deepEqual([0, 20_000, 60_000, 120_000].map((now) => share.stop(now)), [
    MIN_PAUSE,
    2 * MIN_PAUSE,
    4 * MIN_PAUSE,
    8 * MIN_PAUSE,
  ]);
  assert.equal(share.stop(800_000), MIN_PAUSE);
});

/** A slow application with clients; each call of its onManage takes 900 ms of the clock. */
function slow(files: Record<string, string>) {
  const machine = new Machine({
    "main.lua": "",
    "slow/main.lua":
      "function onConnection(client) function client:onManage() DEBUG('work') end end",
    ...files,
  });
  const { host } = machine;
  host.now = () => host.ahead;
  host.log = ((log) => (level: number, text: string, file: string, line: number) => {
    if (text === "work") host.ahead += 900;
    log.call(host, level, text, file, line);
  })(host.log);
  machine.start();
  const clients = Array.from({ length: 15 }, () => machine.connect("/slow"));
  const tick = () => {
    const before = host.ahead;
    machine.hub.manage();
    const took = host.ahead - before;
    host.ahead += 2_000;
    return took;
  };
  return { machine, clients, tick };
}

Deno.test("An application that slows others first waits, then stops, and starts again after a pause", () => {
  const { machine, tick } = slow({ "other/main.lua": "" });
  machine.connect("/other");
  const took = Array.from({ length: 4 }, tick);
  assert.ok(took[0] <= 2_700, `${took}`);
  for (const one of took.slice(1)) assert.ok(one <= 900, `${took}`);
  for (let i = 0; i < 12 && machine.logged("error").length === 0; i++) tick();
  assert.match(machine.logged("error")[0], /took most of the time while others waited/);
  assert.equal(machine.hub.clients.size, 1);
  assert.throws(() => machine.connect("/slow"));
  machine.host.ahead += MIN_PAUSE;
  tick();
  machine.connect("/slow");
});

/** Applications. A function of `slow` takes the requested ms of the clock, and checks the time each ms. */
function calling(files: Record<string, string>) {
  const machine = new Machine({
    "main.lua": "",
    "slow/main.lua": `function onConnection(client)
      function client:work(time) for i = 1, time do tick() end return time end
    end
    function tick() DEBUG('tick') end
    function onDisconnection(client) for i = 1, 900 do tick() end end
    function onStop() INFO('stops') end`,
    ...files,
  });
  const { host } = machine;
  host.now = () => host.ahead;
  host.log = ((log) => (level: number, text: string, file: string, line: number) => {
    if (text === "tick") host.ahead += 1;
    else log.call(host, level, text, file, line);
  })(host.log);
  machine.start();
  return machine;
}

Deno.test("Calls to a slow application wait and get less time, while other applications continue", () => {
  const machine = calling({ "other/main.lua": "" });
  const { host, applications } = machine;
  const slow = machine.connect("/slow");
  machine.connect("/other");
  const application = applications.open("/slow")!;
  assert.equal(application.waits("call"), false);
  assert.deepEqual(slow.call("work", 900), ["_result(900)"]);
  assert.deepEqual(slow.call("work", 900), ["_result(900)"]);
  for (let i = 0; i < 3; i++) assert.deepEqual(slow.call("work", 240), ["_result(240)"]);
  assert.equal(application.waits("call"), true);
  assert.equal(application.waits("video"), false);
  assert.throws(() => machine.connect("/slow"), MustWait);
  machine.connect("/other");
  const before = host.ahead;
  const outcome = slow.call("work", 900) as { error: string };
  assert.match(outcome.error, /ran longer than 250 ms, while other applications wait/);
  assert.ok(host.ahead - before < 300, `${host.ahead - before} ms`);
  host.ahead += 10_000;
  assert.equal(application.waits("call"), false);
  machine.connect("/slow");
});

Deno.test("Calls that cannot wait, such as onDisconnection, do not run when the application owes too much", () => {
  const machine = calling({ "other/main.lua": "" });
  const { host, hub } = machine;
  const clients = Array.from({ length: 200 }, () => machine.connect("/slow"));
  machine.connect("/other");
  const before = host.ahead;
  for (const { client } of clients) hub.disconnect(client);
  assert.ok(host.ahead - before < 6_000, `${host.ahead - before} ms`);
  hub.manage();
  assert.match(machine.logged("error").at(-1)!, /is stopped for 10 s/);
  assert.deepEqual(machine.said(), ["stops"]);
});

Deno.test("An application alone may use the whole time limit of calls, and its calls do not wait", () => {
  const machine = calling({ "other/main.lua": "" });
  const client = machine.connect("/slow");
  for (let i = 0; i < 50; i++) assert.deepEqual(client.call("work", 900), ["_result(900)"]);
  assert.equal(machine.applications.open("/slow")!.waits("call"), false);
  machine.hub.manage();
  assert.deepEqual(machine.logged("error"), []);
});

Deno.test("The server never delays onManage of a busy application that is alone", () => {
  const { machine, tick } = slow({});
  for (let i = 0; i < 20; i++) assert.equal(tick(), 15 * 900);
  assert.deepEqual(machine.logged("error"), []);
});
