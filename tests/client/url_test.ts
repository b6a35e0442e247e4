import assert from "node:assert/strict";
import { parseRtmfpUrl, parseStreamUrl, UrlError } from "../../src/client/url.ts";

Deno.test("parseRtmfpUrl() returns host, port, application and query", () => {
  const parts = (text: string) => {
    const { hostname, port, app, query } = parseRtmfpUrl(text);
    return [hostname, port, app, query];
  };
  assert.deepEqual(parts("rtmfp://example.org"), ["example.org", 1935, "", ""]);
  assert.deepEqual(parts("rtmfp://example.org/"), ["example.org", 1935, "", ""]);
  assert.deepEqual(parts("RTMFP://10.0.0.1:80/live/room?a=1&b=/2"), [
    "10.0.0.1",
    80,
    "live/room",
    "a=1&b=/2",
  ]);
  assert.deepEqual(parts("rtmfp://[2001:db8::1]:1940/x"), ["2001:db8::1", 1940, "x", ""]);
  assert.deepEqual(parts("rtmfp://h?x"), ["h", 1935, "", "x"]);
  assert.equal(parseRtmfpUrl("rtmfp://h/a b").href, "rtmfp://h/a b");
});

Deno.test("parseRtmfpUrl() refuses invalid URLs with the reason", () => {
  const bad: [string, RegExp][] = [
    ["rtmp://h/live", /^Cannot use rtmp:\/\/h\/live: this command speaks only rtmfp:\/\/$/],
    ["http://h/", /only rtmfp:\/\//],
    ["h/live", /Cannot read "h\/live"/],
    ["rtmfp://", /Cannot read/],
    ["rtmfp:///live", /Cannot read/],
    ["rtmfp://h:0/", /port 0/],
    ["rtmfp://h:65536/", /port 65536/],
    ["rtmfp://h:x/", /Cannot read/],
    ["", /Cannot read ""/],
  ];
  for (const [text, message] of bad) {
    assert.throws(() => parseRtmfpUrl(text), { name: UrlError.name, message }, text);
  }
});

Deno.test("parseStreamUrl() takes the stream's name from the end of the path, or from its argument", () => {
  const parts = (text: string, name?: string) => {
    const { url, name: stream } = parseStreamUrl(text, name);
    return [url.href, url.app, stream];
  };
  assert.deepEqual(parts("rtmfp://h/live/room/cam"), ["rtmfp://h/live/room", "live/room", "cam"]);
  assert.deepEqual(parts("rtmfp://h:1940/cam"), ["rtmfp://h:1940/", "", "cam"]);
  assert.deepEqual(parts("rtmfp://[::1]/a/my%20cam?k=v"), ["rtmfp://[::1]/a?k=v", "a", "my cam"]);
  assert.deepEqual(parts("rtmfp://h/a/100%"), ["rtmfp://h/a", "a", "100%"]);
  assert.deepEqual(parts("rtmfp://h/live/room", "cam"), [
    "rtmfp://h/live/room",
    "live/room",
    "cam",
  ]);
  assert.throws(() => parseStreamUrl("rtmfp://h/live/"), /Cannot find a stream name/);
  assert.throws(() => parseStreamUrl("rtmfp://h"), /Cannot find a stream name/);
  assert.throws(() => parseStreamUrl("rtmfp://h/live/x", ""), /empty stream name/);
});
