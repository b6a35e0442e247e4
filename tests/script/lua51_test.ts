// Compares the server's Lua with Lua 5.1 and LuaJIT: each generated call and each chunk returns the result
// of at least one of both, except for the differences in docs/api.md.
import assert from "node:assert/strict";
import { Machine } from "./machine.ts";

const CASES = Deno.readTextFileSync(new URL("lua51_cases.lua", import.meta.url));
const ORACLES = ["/usr/bin/lua5.1", "/usr/bin/luajit"];

/** Lines of `call => results`, by call. */
function read(text: string): Map<string, string> {
  const results = new Map<string, string>();
  for (const line of text.trimEnd().split("\n")) {
    const at = line.indexOf(" => ");
    results.set(line.slice(0, at), line.slice(at + 4));
  }
  return results;
}

function ask(oracle: string): Map<string, string> {
  const path = new URL("lua51_cases.lua", import.meta.url).pathname;
  const { success, stdout, stderr } = new Deno.Command(oracle, {
    args: ["-e", `io.write(dofile(${JSON.stringify(path)}))`],
    env: { TZ: "UTC" },
  }).outputSync();
  assert(success, new TextDecoder().decode(stderr));
  return read(new TextDecoder().decode(stdout));
}

/** Calls with the differences that docs/api.md lists. */
const DIFFERENT = [
  /^return .* [<>]=? .*$/, // numeric texts compare with numbers
  /^return .* % (0|#\{\}|\(1\/0\))$/, // integers have no nan
  /^return 1e308 % /, // exact in 5.4
  /^local n = 0 for i = (1, 4, 0|1, 4, #\{\}|\(0\/0\), 4) do/, // a step of 0 is an error
  /^return coroutine\.running\(\)$/, // nil, and true as in 5.4
  /^local mt = \{__lt = .* <= /, // 5.4 needs __le
  /^(select|next)\(/, // positions with a fraction
  /^table\.remove\(/, // nil in place of no value
  /^getmetatable\("/, // 5.4 has more fields
  /^string\.format\("%q", (true|nil)/,
  /^string\.gsub\(.*"(%d\*|x\*)"|^return \('abc'\):gsub\('b\*'/, // empty matches after others
  /^string\.gsub\(.*"[(%[]", /, // malformed patterns are errors, also if they are not reached
  /^tonumber\("(nan|inf|0x10)"/,
];

const missing = ORACLES.filter((path) => {
  try {
    return !Deno.statSync(path).isFile;
  } catch {
    return true;
  }
});

Deno.test({
  name: `libraries return the results of Lua 5.1 or LuaJIT${
    missing.length > 0 ? " (skipped: not installed)" : ""
  }`,
  ignore: missing.length > 0 && Deno.env.get("CI") === undefined,
  fn() {
    assert.deepEqual(missing, [], "the packages lua5.1 and luajit have to be installed");
    const [plain, jit] = ORACLES.map(ask);
    const machine = new Machine({ "cases.lua": CASES });
    machine.run("arg = {} print(dofile('cases.lua'))");
    const ours = read(machine.host.printed);
    const wrong: string[] = [];
    for (const [call, result] of ours) {
      const expected = [plain.get(call), jit.get(call)];
      if (expected.includes(result) || DIFFERENT.some((pattern) => pattern.test(call))) continue;
      wrong.push(`${call}\n  here ${result}\n  5.1  ${expected[0]}\n  jit  ${expected[1]}`);
    }
    assert.equal(wrong.slice(0, 20).join("\n"), "", `${wrong.length} of ${ours.size} differ`);
    assert(ours.size > 15_000);
  },
});
