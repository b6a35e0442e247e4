import { HostNames } from "../../src/server/host_names.ts";
import assert from "node:assert/strict";
import { canonicalIp } from "../../src/common/ip.ts";

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("HostNames looks up a name once and caches it, and needs no look-up for addresses", async () => {
  const asked: string[] = [];
  const log: string[] = [];
  let now = 0;
  const names = new HostNames(() => now, (text) => log.push(text), (name) => {
    asked.push(name);
    if (name === "nowhere.test") return Promise.reject(new Error("not known"));
    return Promise.resolve("2001:DB8:0:0::7");
  });
  assert.equal(names.resolve("192.0.2.1"), "192.0.2.1");
  assert.equal(names.resolve("[2001:db8::1]"), "2001:db8::1");
  assert.equal(names.resolve("media.test"), undefined);
  assert.equal(names.resolve("media.test"), undefined);
  await settle();
  assert.equal(names.resolve("media.test"), "2001:db8::7");
  assert.deepEqual(asked, ["media.test"]);

  now += 60_000; // the old answer serves until there is a new one
  assert.equal(names.resolve("media.test"), "2001:db8::7");
  assert.deepEqual(asked, ["media.test", "media.test"]);

  assert.equal(names.resolve("nowhere.test"), undefined);
  await settle();
  assert.equal(names.resolve("nowhere.test"), undefined);
  assert.deepEqual(log, ["Cannot resolve host nowhere.test: not known"]);
  assert.equal(asked.length, 3, "a failed look-up is not repeated at once");
});

Deno.test("canonicalIp() returns the canonical text of IP addresses only", () => {
  assert.equal(canonicalIp("[::FFFF:192.0.2.1]"), "192.0.2.1");
  assert.equal(canonicalIp("192.0.2.256"), undefined);
  assert.equal(canonicalIp("host"), undefined);
});
