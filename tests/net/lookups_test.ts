import assert from "node:assert/strict";
import { type FoundAddress, NameLookups } from "../../src/net/lookups.ts";

/** Look-ups that the test ends. */
function held(timeout?: number) {
  const asked: { name: string; end: (found: FoundAddress[] | Error) => void }[] = [];
  const lookups = new NameLookups(
    (name) =>
      new Promise((resolve, reject) =>
        asked.push({
          name,
          end: (found) => found instanceof Error ? reject(found) : resolve(found),
        })
      ),
    timeout,
  );
  return { asked, lookups };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("NameLookups runs at most 8 look-ups at once, and counts hanging ones whose callers have given up", async () => {
  const { asked, lookups } = held(1);
  const all = Array.from({ length: 100 }, (_, i) => lookups.find(`host${i}.example`));
  for (const result of await Promise.allSettled(all)) {
    assert.equal(result.status, "rejected");
    assert.match(`${(result as PromiseRejectedResult).reason}`, /no answer within 0.001 s/);
  }
  assert.equal(asked.length, 8);
  assert.equal(lookups.running, 8);
  asked[0].end([]); // its caller has given up: no other look-up starts
  await settled();
  assert.equal(asked.length, 8);
  assert.equal(lookups.running, 7);
});

Deno.test("NameLookups runs waiting look-ups in order, and returns each its own answer", async () => {
  const { asked, lookups } = held();
  const all = Array.from({ length: 10 }, (_, i) => lookups.find(`host${i}.example`));
  for (const { end } of asked.splice(0, 1)) end(new Error("not found"));
  await assert.rejects(all[0], /not found/);
  await settled();
  for (const { name, end } of asked) end([{ address: name, family: 4 }]);
  await settled();
  assert.deepEqual(
    asked.map(({ name }) => name),
    all.slice(1).map((_, i) => `host${i + 1}.example`),
  );
  asked.at(-1)!.end([{ address: asked.at(-1)!.name, family: 4 }]);
  for (const [i, found] of (await Promise.all(all.slice(1))).entries()) {
    assert.equal(found[0].address, `host${i + 1}.example`);
  }
  assert.equal(lookups.running, 0);
});

Deno.test("NameLookups refuses a look-up while 1,024 others wait", async () => {
  const { asked, lookups } = held();
  const all = Array.from({ length: 8 + 1_024 }, (_, i) => lookups.find(`${i}`));
  await assert.rejects(lookups.find("one more"), /too many/);
  while (asked.length > 0) {
    for (const { end } of asked.splice(0)) end([]);
    await settled();
  }
  await Promise.all(all);
});
