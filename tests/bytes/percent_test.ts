import assert from "node:assert/strict";
import { percentDecoded } from "../../src/bytes/percent.ts";
import { seeded } from "../support/random.ts";

function expected(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

Deno.test("percentDecoded() decodes text like decodeURIComponent, and returns undefined where that throws", () => {
  const edges = ["7f", "80", "bf", "c1%80", "c2%80", "df%bf", "e0%9f%bf", "e0%a0%80", "ed%9f%bf"];
  edges.push("ed%a0%80", "ef%bf%bf", "f0%8f%bf%bf", "f0%90%80%80", "f4%8f%bf%bf", "f4%90%80%80");
  for (const edge of edges) assert.equal(percentDecoded(`%${edge}`), expected(`%${edge}`), edge);
  const next = seeded(1);
  const parts = [
    "%",
    "%4",
    "%41",
    "%C3%A9",
    "%E2",
    "%82",
    "%AC",
    "%F0%9F%98%80",
    "a",
    "é",
    "%gg",
    "😀",
  ];
  for (let i = 0; i < 20_000; i++) {
    const length = Math.floor(next() * 6);
    const text = Array.from({ length }, () => parts[Math.floor(next() * parts.length)]).join("");
    assert.equal(percentDecoded(text), expected(text), text);
  }
});
