import assert from "node:assert/strict";
import { Descriptors, RESERVED } from "../../src/net/descriptors.ts";

Deno.test("Descriptors keeps the last 64 descriptors free, and counts reserved descriptors that are not yet open", () => {
  let open = 30;
  let now = 0;
  const descriptors = new Descriptors(200, () => open, () => now);
  const takeAll = () => {
    let taken = 0;
    while (descriptors.take() === undefined) taken++;
    return taken;
  };
  assert.equal(takeAll(), 200 - RESERVED - 30);
  now = 250;
  assert.equal(takeAll(), 0); // the reserved ones may still open
  open = 100;
  now = 500;
  assert.equal(takeAll(), 36);
  open = 200 - RESERVED;
  now = 10_000;
  assert.match(descriptors.take()!, /^Too many open files \(the last 64/);
  open = 50;
  now = 20_000;
  assert.equal(takeAll(), 86);
});

Deno.test("Descriptors does not count descriptors on a system without a limit", () => {
  const descriptors = new Descriptors(Infinity, () => assert.fail("counted"), () => 0);
  assert.equal(descriptors.take(), undefined);
});

Deno.test("Descriptors allows second descriptors of connections while more than half of all descriptors are free", () => {
  const descriptors = new Descriptors(200 + RESERVED, () => assert.fail("counted"), () => 0);
  assert.equal(descriptors.allows(99), true);
  assert.equal(descriptors.allows(100), false);
  assert.equal(new Descriptors(Infinity, () => 0, () => 0).allows(1_000_000), true);
});
