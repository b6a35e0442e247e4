import assert from "node:assert/strict";
import { parseArguments, UsageError } from "../../src/common/arguments.ts";

const forms = {
  log: { short: "l", value: "LEVEL" },
  dump: { short: "d", value: "all", optional: true },
  quiet: {},
};

Deno.test("parseArguments() reads options in every notation and position, and the operands", () => {
  assert.deepEqual(parseArguments(["a", "-l8", "--dump", "-5", "--log", "b", "--quiet"], forms), {
    options: [["log", "8"], ["dump", undefined], ["log", "b"], ["quiet", undefined]],
    operands: ["a", "-5"],
  });
  assert.deepEqual(parseArguments(["-l=8", "-dall", "--log=", "--", "--quiet", "-x"], forms), {
    options: [["log", "8"], ["dump", "all"], ["log", ""]],
    operands: ["--quiet", "-x"],
  });
  assert.deepEqual(parseArguments(["/log=8"], forms, { windows: true }).options, [["log", "8"]]);
  assert.deepEqual(parseArguments(["/log=8"], forms).operands, ["/log=8"]);
});

Deno.test("parseArguments() names the invalid argument", () => {
  const explain = (name: string) => name === "old" ? "it is gone" : undefined;
  const wrong: [string[], RegExp][] = [
    [["--loud"], /^UsageError: unknown option --loud$/],
    [["-q"], /unknown option -q$/],
    [["--l", "8"], /unknown option --l$/],
    [["--old=1"], /--old=1: it is gone$/],
    [["--quiet=1"], /--quiet takes no value$/],
    [["--log"], /--log needs a value: LEVEL$/],
  ];
  for (const [args, message] of wrong) {
    assert.throws(() => parseArguments(args, forms, { explain }), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(String(error), message);
      return true;
    });
  }
});
