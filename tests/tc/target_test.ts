import assert from "node:assert/strict";
import { connectTarget, readTarget } from "../../src/tc/target.ts";
import { cpuTime } from "../support/cpu_time.ts";

Deno.test("readTarget() reads the path of a URL or an app name", () => {
  const paths: [string, string | undefined][] = [
    ["rtmfp://h/", ""],
    ["rtmfp://h", ""],
    ["rtmfp://h:1/a", "/a"],
    ["rtmfp://h/a/b/", "/a/b"],
    ["rtmfp://h/a%20b?x=/c", "/a b"],
    ["rtmfp://h?x=1", ""],
    ["live", "/live"],
    ["/live/", "/live"],
    ["", ""],
    ["rtmfp://h/a//b", undefined],
    ["rtmfp://h//a", undefined],
    ["rtmfp://h/../a", undefined],
    ["..", undefined],
    ["a/%2E", undefined],
  ];
  for (const [url, path] of paths) assert.equal(readTarget(url).path, path, url);
});

Deno.test("readTarget() reads a URL full of slashes in linear time", () => {
  const began = cpuTime();
  for (const end of ["", "x", "/x"]) {
    const { path } = readTarget(`rtmfp://h/a${"/".repeat(300_000)}${end}`);
    assert.equal(path, end === "" ? "/a" : undefined);
  }
  assert.ok(cpuTime() - began < 2_000, "one look for each slash took a minute");
});

Deno.test("readTarget() reads host and port, with default port 1935", () => {
  const hosts: [string, string][] = [
    ["rtmfp://h/a", "h:1935"],
    ["rtmfp://h:80", "h:80"],
    ["rtmfp://h:/a", "h:1935"],
    ["rtmfp://[2001:db8::1]/a", "[2001:db8::1]:1935"],
    ["rtmfp://[2001:db8::1]:7/a", "[2001:db8::1]:7"],
    ["rtmfp://user@h/a", "h:1935"],
    ["live", ""],
  ];
  for (const [url, host] of hosts) assert.equal(readTarget(url).host, host, url);
});

Deno.test("readTarget() reads the properties of the query", () => {
  const read = (url: string) => [...readTarget(url).properties];
  assert.deepEqual(read("rtmfp://h/a?arg1=v1&b=+%2B%3d&c&d==&&=e&arg1=last"), [
    ["arg1", "last"],
    ["b", " +="],
    ["c", ""],
    ["d", "="],
    ["", "e"],
  ]);
  assert.deepEqual(read("rtmfp://h/a?x=%zz"), [["x", "%zz"]]);
  assert.deepEqual(read("live?x=1"), [["x", "1"]]);
});

Deno.test("connectTarget() uses tcUrl, else app, and the query of either", () => {
  const path = (tcUrl: string, app: string) => connectTarget(tcUrl, app).path;
  assert.equal(path("rtmfp://h/a/b", "a"), "/a/b");
  assert.equal(path("", "a/b"), "/a/b");
  assert.equal(path("rtmfp://h", ""), "");
  const property = (tcUrl: string, app: string) => connectTarget(tcUrl, app).properties.get("x");
  assert.equal(property("rtmfp://h/a?x=1", "a?x=2"), "1");
  assert.equal(property("rtmfp://h/a", "a?x=2"), "2");
  assert.equal(property("", "a?x=2"), "2");
});

Deno.test("readTarget() returns the same target again, also after 100 others", () => {
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 100; i++) {
      const { path, properties, host } = readTarget(`rtmfp://h${i}/a/${i}?i=${i}`);
      assert.deepEqual([path, properties.get("i"), host], [`/a/${i}`, `${i}`, `h${i}:1935`]);
      assert.equal(readTarget(`/a/${"x".repeat(300)}${i}`).path!.length, 303 + `${i}`.length);
    }
  }
});

Deno.test("readTarget() limits queries to 64 parameters and 4,096 characters, and paths to 64 segments and 4,096 characters", () => {
  const read = (query: string) => readTarget(`rtmfp://h/a?${query}`).properties;
  assert.deepEqual([...read("%&".repeat(600))], [["%", ""]]);
  const many = Array.from({ length: 100 }, (_, i) => `k${i}=${i}`).join("&");
  assert.deepEqual([...read(many).keys()].at(-1), "k63");
  assert.equal(read(`a=${"x".repeat(1 << 20)}`).get("a")!.length, 4_094);
  assert.equal(readTarget(`rtmfp://h${"/a".repeat(64)}`).path, "/a".repeat(64));
  assert.equal(readTarget(`rtmfp://h${"/a".repeat(65)}`).path, undefined);
  assert.equal(readTarget(`rtmfp://h/${"a".repeat(4_097)}`).path, undefined);
});
