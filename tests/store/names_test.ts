import assert from "node:assert/strict";
import { recordingFile } from "../../src/store/names.ts";

Deno.test('recordingFile() accepts names of recordings with and without "flv:" and ".flv"', () => {
  assert.equal(recordingFile("film"), "film.flv");
  assert.equal(recordingFile("flv:film"), "film.flv");
  assert.equal(recordingFile("film.flv"), "film.flv");
  assert.equal(recordingFile("2026/day 1/cam_a-1.2"), "2026/day 1/cam_a-1.2.flv");
  assert.equal(recordingFile("e\u0301t\u00e9"), "\u00e9t\u00e9.flv", "NFC");
  assert.equal(recordingFile("a/b/c/d/e/f/g/h"), "a/b/c/d/e/f/g/h.flv");
});

Deno.test("recordingFile() refuses paths outside the folder, and names that file systems alter", () => {
  const refused = [
    "",
    ".",
    "..",
    "../main",
    "a/../b",
    "a/./b",
    "/etc/passwd",
    "//host/share",
    "a//b",
    "a/",
    "a\\b",
    "..\\main",
    "C:\\boot",
    "C:film",
    "file:///etc/passwd",
    "mp4:film",
    "mp3:film",
    "film\0",
    "film\n",
    ".hidden",
    "film.",
    "film ",
    " film",
    "a..b",
    "%2e%2e/main",
    "\uff0e\uff0e/main",
    "a/b/c/d/e/f/g/h/i",
    "CON",
    "nul.txt",
    "lpt1",
    "a*",
    "a?b",
    'a"b',
    "a<b",
    "a|b",
    "flv:../main",
    "\u202efilm",
    "x".repeat(129),
    `${"\u00e9".repeat(64)}/${"\u00e9".repeat(64)}`,
  ];
  for (const name of refused) assert.equal(recordingFile(name), undefined, JSON.stringify(name));
});
