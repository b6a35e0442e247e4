import assert from "node:assert/strict";
import { parseNamePattern } from "../../src/config/name_pattern.ts";

Deno.test("NamePattern matches the whole path, with * for any characters", () => {
  const table: [string, string[], string[]][] = [
    ["/live/cam", ["/live/cam"], ["/live/cam1", "/live/ca", "/x/live/cam", "/live/CAM", ""]],
    ["/live/cam*", ["/live/cam", "/live/cam1", "/live/cam/2"], ["/live/ca", "/live/xcam"]],
    ["/*", ["/", "/a", "/live/cam"], ["", "a"]],
    ["/live/*-hd", ["/live/a-hd", "/live/-hd"], ["/live/a", "/live/a-hd2", "/live/hd"]],
    ["/a*b*c", ["/abc", "/axbxc", "/abbcc"], ["/ac", "/acb", "/abcx"]],
    ["/aa*aa", ["/aaaa", "/aaxaa"], ["/aa", "/aaa"]],
    ["/a.b", ["/a.b"], ["/axb"]],
  ];
  for (const [text, yes, no] of table) {
    const pattern = parseNamePattern(text)!;
    for (const path of yes) assert.ok(pattern.matches(path), `${text} is ${path}`);
    for (const path of no) assert.ok(!pattern.matches(path), `${text} is not ${path}`);
  }
});

Deno.test("parseNamePattern() refuses a pattern without a slash at its start or without a name", () => {
  for (const text of ["", "live/cam", "/", "//", "/ a", "/a\n"]) {
    assert.equal(parseNamePattern(text), undefined, text);
  }
});
