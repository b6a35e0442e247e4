// The cost of the most expensive messages, counted in calls of the Lua machine, not in time.
import assert from "node:assert/strict";
import { AmfReader } from "../../src/amf/mod.ts";
import { worstInputs } from "../amf/worst_inputs.ts";
import { Machine } from "./amf_machine.ts";

/** Maximum calls of Lua's C functions per byte of a message, for reading and for writing. */
const CALLS_IN = 4, CALLS_OUT = 20;

/** A machine that counts the calls of C functions. */
function counting() {
  const machine = new Machine();
  const { lua } = machine;
  const counted = { calls: 0 };
  const c: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(lua.c)) {
    c[name] = typeof value !== "function" ? value : (...args: unknown[]) => {
      counted.calls++;
      return value(...args);
    };
  }
  Object.assign(lua, { c });
  return { machine, counted };
}

Deno.test("Lua reads the worst messages with at most 4 calls per byte, and writes them with at most 20", () => {
  const { machine, counted } = counting();
  const { lua } = machine;
  let most = 0;
  for (const size of [4_096, 16_384, 65_536]) {
    for (const [name, bytes] of worstInputs(size)) {
      counted.calls = 0;
      const count = machine.toLua.push(new AmfReader(bytes));
      const read = counted.calls / bytes.length;
      counted.calls = 0;
      machine.toAmf.encode(1, count, "amf3");
      const written = counted.calls / bytes.length;
      lua.top = 0;
      assert.ok(bytes.length > 0.9 * size, name);
      assert.ok(read <= CALLS_IN, `${read} calls a byte to read ${size} bytes of ${name}`);
      assert.ok(written <= CALLS_OUT, `${written} calls a byte to write ${name}`);
      most = Math.max(most, read);
    }
  }
  assert.ok(most > 1, "calls are counted");
});
