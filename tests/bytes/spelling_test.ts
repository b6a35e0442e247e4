import assert from "node:assert/strict";
import { nearest } from "../../src/bytes/spelling.ts";

Deno.test("nearest() finds a name in spite of one typing mistake, or of two in a long name", () => {
  const names = ["port", "publicAddress", "threads", "time"];
  const meant: [string, string | undefined][] = [
    ["prot", "port"],
    ["PORTS", "port"],
    ["por", "port"],
    ["tmie", "time"],
    ["publicAdresse", "publicAddress"],
    ["thraeds", "threads"],
    ["po", undefined],
    ["prost", undefined],
    ["report", undefined],
    ["x".repeat(1_000_000), undefined],
  ];
  for (const [name, expected] of meant) assert.equal(nearest(name, names), expected, name);
});
