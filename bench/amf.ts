// Cost of converting AMF to and from Lua and JavaScript values, as one JSON object: microseconds of
// processor time for one conversion, median of nine runs.
// deno run --allow-all bench/amf.ts
import process from "node:process";
import { AmfReader, AmfWriter } from "../src/amf/mod.ts";
import { Machine } from "../tests/script/amf_machine.ts";
import { median } from "./support/numbers.ts";

/** Lua expressions; all but the first have about 1 kB as AMF3. */
const VALUES: Record<string, string> = {
  number: "5",
  string: '("x"):rep(1000)',
  // 20 members whose names and values are strings
  object: `(function()
    local t = {}
    for i = 1, 20 do t["member" .. i] = "some value of about thirty bytes " .. i end
    return t
  end)()`,
  // 25 objects with a name and three numbers
  list: `(function()
    local t = {}
    for i = 1, 25 do t[i] = {id = i, name = "player number " .. i, x = i * 1.5, y = i * 2.5} end
    return t
  end)()`,
  // 300 integers
  numbers: `(function()
    local t = {}
    for i = 1, 300 do t[i] = i * 100 end
    return t
  end)()`,
};

const machine = new Machine();
const { lua, toLua, toAmf } = machine;
const writer = new AmfWriter();

/** @returns processor time (µs) of this process since its start */
function computed(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** @returns median processor time (µs) of one call of `action` */
function measure(action: () => void): number {
  const turns = 10_000;
  const times: number[] = [];
  for (let i = 0; i < 9; i++) {
    const start = computed();
    for (let turn = 0; turn < turns; turn++) action();
    times.push((computed() - start) / turns);
  }
  return Number(median(times).toFixed(2));
}

const results: Record<string, Record<string, number>> = {};
for (const [name, expression] of Object.entries(VALUES)) {
  const bytes = machine.bytes(`cumulus:toAMF(${expression})`);
  const value = new AmfReader(bytes).readValue();
  toLua.push(new AmfReader(bytes));
  results[name] = {
    bytes: bytes.length,
    toLua: measure(() => {
      toLua.push(new AmfReader(bytes));
      lua.pop();
    }),
    fromLua: measure(() => {
      toAmf.encode(1, 1);
    }),
    toJavaScript: measure(() => {
      new AmfReader(bytes).readValue();
    }),
    fromJavaScript: measure(() => {
      writer.clear().writeValue(value);
    }),
  };
  lua.top = 0;
}
console.log(JSON.stringify(results, null, 2));
