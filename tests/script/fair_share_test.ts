import assert from "node:assert/strict";
import { FairShare, PAUSE } from "../../src/script/api/fair_share.ts";
import { Machine } from "./machine.ts";

Deno.test("An application that uses less than half of the time in short calls never owes any", () => {
  const share = new FairShare();
  for (let now = 0; now < 600_000; now += 100) {
    share.spend(45, now);
    assert.equal(share.inDebt(now), false);
  }
});

Deno.test("Calls that stay just below the limit are too much in the long run, as others wait", () => {
  const share = new FairShare();
  let now = 0;
  for (; now < 60_000 && !share.isOver(now); now += 2_000) share.spend(900, now);
  assert.ok(now < 40_000, `stopped after ${now} ms`);
  share.forgive(now);
  assert.equal(share.inDebt(now), false);
});

/** A slow application with clients, whose every onManage takes 900 ms of the clock. */
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

Deno.test("An application that slows others waits first, is stopped, and starts again after a pause", () => {
  const { machine, tick } = slow({ "other/main.lua": "" });
  machine.connect("/other");
  const took = Array.from({ length: 4 }, tick);
  assert.ok(took[0] <= 2_700, `${took}`);
  for (const one of took.slice(1)) assert.ok(one <= 900, `${took}`);
  for (let i = 0; i < 12 && machine.logged("error").length === 0; i++) tick();
  assert.match(machine.logged("error")[0], /took most of the time while others waited/);
  assert.equal(machine.hub.clients.size, 1);
  assert.throws(() => machine.connect("/slow"));
  machine.host.ahead += PAUSE;
  tick();
  machine.connect("/slow");
});

Deno.test("A busy application that is alone is never kept waiting", () => {
  const { machine, tick } = slow({});
  for (let i = 0; i < 20; i++) assert.equal(tick(), 15 * 900);
  assert.deepEqual(machine.logged("error"), []);
});
