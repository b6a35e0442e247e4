import assert from "node:assert/strict";
import {
  type Command,
  helpText,
  numberOption,
  operand,
  readArguments,
} from "../../../src/client/cli/arguments.ts";
import { UsageError } from "../../../src/common/arguments.ts";

const command: Command = {
  name: "play",
  operands: "URL FILE",
  count: [2, 2],
  summary: "Plays.",
  options: { seconds: { value: "N", help: "stop after N seconds" }, quiet: { help: "say less" } },
};
const read = (...args: string[]) => {
  const { operands, options, help } = readArguments(command, args);
  return [operands, Object.fromEntries(options), help];
};

Deno.test("readArguments() reads options in any position before --, with = or a space", () => {
  assert.deepEqual(read("u", "f"), [["u", "f"], {}, false]);
  assert.deepEqual(read("u", "--seconds", "3", "f"), [["u", "f"], { seconds: "3" }, false]);
  assert.deepEqual(read("--seconds=3", "--quiet", "u", "f"), [["u", "f"], {
    seconds: "3",
    quiet: "",
  }, false]);
  assert.deepEqual(read("--", "--seconds", "-x"), [["--seconds", "-x"], {}, false]);
  assert.deepEqual(read("-1", "-.5"), [["-1", "-.5"], {}, false]);
  assert.deepEqual(read("--help"), [[], {}, true]);
  assert.deepEqual(read("u", "-h"), [["u"], {}, true]);
});

Deno.test("readArguments() refuses a wrong command line with the reason", () => {
  const bad: [string[], RegExp][] = [
    [["u"], /"play" needs URL FILE/],
    [["u", "f", "g"], /"g" is too many/],
    [["--loud", "u", "f"], /unknown option --loud/],
    [["-seconds=3", "u", "f"], /unknown option -seconds=3/],
    [["u", "f", "--seconds"], /--seconds needs a value: N/],
    [["u", "f", "--quiet=1"], /--quiet takes no value/],
  ];
  for (const [args, message] of bad) {
    assert.throws(() => readArguments(command, args), { name: UsageError.name, message });
  }
});

Deno.test("operand() returns the operand at a position, or refuses the command line", () => {
  const args = readArguments(command, ["u", "f"]);
  assert.equal(operand(args, 0), "u");
  assert.equal(operand(args, 1), "f");
  const message = "Operand 3 is missing";
  assert.throws(() => operand(args, 2), { name: UsageError.name, message });
});

Deno.test("numberOption() accepts only numbers in its range", () => {
  const value = (text: string) =>
    numberOption(readArguments(command, [`--seconds=${text}`, "u", "f"]), "seconds", 0, 10);
  assert.equal(value("2.5"), 2.5);
  assert.equal(value("10"), 10);
  for (const text of ["", "x", "-1", "11", "NaN"]) {
    assert.throws(() => value(text), /--seconds needs a number from 0 to 10/, text);
  }
  assert.equal(numberOption(readArguments(command, ["u", "f"]), "seconds", 0), undefined);
});

Deno.test("helpText() lists every option", () => {
  const text = helpText("client", command);
  assert.match(text, /^Usage: client play \[OPTIONS\] URL FILE\n/);
  assert.match(
    text,
    /\n {2}--seconds N {2}stop after N seconds\n {2}--quiet {6}say less\n {2}--help/,
  );
});
