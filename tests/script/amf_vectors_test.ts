// AMF-101 to AMF-133, run in Lua.
import vectors from "../vectors/amf.json" with { type: "json" };
import assert from "node:assert/strict";
import { toHex } from "../../src/bytes/hex.ts";
import { Machine } from "./amf_machine.ts";

for (const { id, lua, hex } of vectors.lua) {
  Deno.test(`${id}: Lua returns the specified AMF for ${lua}`, () => {
    const machine = new Machine();
    assert.equal(toHex(machine.bytes(lua)), hex);
    assert.equal(machine.lua.top, 0);
    assert.deepEqual([machine.logged, machine.bugs], [[], []]);
  });
}

Deno.test("AMF-131: fromAMF decodes AMF-113, with days of the week from 1", () => {
  const machine = new Machine();
  machine.check(`
    local date = cumulus:fromAMF(cumulus:toAMF({__time = 905989690435}))
    local expected = {year = 1998, month = 9, day = 16, yday = 259, hour = 23, min = 48, sec = 10, msec = 435,
      isdst = false, __time = 905989690435, wday = 4}
    for k, v in next, expected do if k ~= "isdst" then assert(date[k] == v, k .. " " .. tostring(date[k])) end end
    for k in next, date do assert(expected[k] ~= nil, k) end
    assert(type(date.isdst) == "boolean")`);
});

Deno.test("AMF-132: fromAMF returns five results, the fourth nil", () => {
  const machine = new Machine();
  const results = machine.run('return cumulus:fromAMF(cumulus:toAMF(1, "a", true, nil, 2.5))');
  const expected = ["1", new TextEncoder().encode("a"), "true", "nil", "2.5"];
  assert.deepEqual(results, expected);
});

Deno.test("AMF-133: fromAMF returns nil for undefined", () => {
  assert.deepEqual(new Machine().run('return cumulus:fromAMF("\\6")'), ["nil"]);
});

Deno.test("API-128: fromAMF returns no values for no bytes", () => {
  assert.deepEqual(new Machine().run('return cumulus:fromAMF("")'), []);
});
