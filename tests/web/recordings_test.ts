// Recordings by HTTP: whole, in ranges, and refused by the application.
import assert from "node:assert/strict";
import { decodeAmf, MixedArray } from "../../src/amf/mod.ts";
import { FlvReader } from "../../src/flv/reader.ts";
import { TagType } from "../../src/flv/tags.ts";
import { readRange } from "../../src/web/range.ts";
import { media, startWeb } from "./support.ts";

const FILE = Deno.readFileSync(new URL("../fixtures/test.flv", import.meta.url));

Deno.test("readRange() takes one range, and treats an unreadable one as the whole file", () => {
  assert.deepEqual(readRange("bytes=0-9", 100), { first: 0, last: 9 });
  assert.deepEqual(readRange("bytes=90-", 100), { first: 90, last: 99 });
  assert.deepEqual(readRange("bytes=90-1000", 100), { first: 90, last: 99 });
  assert.deepEqual(readRange("bytes=-10", 100), { first: 90, last: 99 });
  assert.deepEqual(readRange("bytes=-1000", 100), { first: 0, last: 99 });
  for (const none of ["bytes=100-", "bytes=-0"]) assert.equal(readRange(none, 100), "none", none);
  for (const all of [null, "", "bytes=-", "bytes=9-1", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b"]) {
    assert.equal(readRange(all, 100), undefined, String(all));
  }
});

Deno.test("VOD-082 the web door serves a recording whole and in ranges, with an index of key frames", async (t) => {
  const { server, http } = await startWeb({
    "/live": `function onSubscribe(client, listener)
      if listener.publication.name == "closed" then error("members only") end
    end`,
  });
  try {
    const folder = `${server.dir}/www/live/streams`;
    Deno.mkdirSync(folder);
    for (const name of ["film", "closed"]) Deno.writeFileSync(`${folder}/${name}.flv`, FILE);
    const get = (name: string, headers: Record<string, string> = {}, method = "GET") =>
      fetch(`${http}/live/${name}`, { headers, method });
    const whole = await get("film.flv");
    const bytes = new Uint8Array(await whole.arrayBuffer());

    await t.step(
      "the web door serves a whole recording with every frame and an index of key frames",
      () => {
        assert.equal(whole.status, 200);
        assert.equal(whole.headers.get("accept-ranges"), "bytes");
        assert.equal(Number(whole.headers.get("content-length")), bytes.length);
        const tags = new FlvReader().push(bytes);
        assert.deepEqual(tags.filter(({ type }) => type !== TagType.data), media);
        const { keyframes, filesize } = (decodeAmf(tags[0].data)[1] as MixedArray).named;
        assert.equal(filesize, bytes.length);
        const { times, filepositions } = keyframes as unknown as Record<string, number[]>;
        assert.deepEqual(times, [0, 0, 1, 2, 3, 4]);
        for (const [i, position] of filepositions.entries()) {
          if (i === 0) continue;
          assert.equal(bytes[position], TagType.video);
          assert.equal(bytes[position + 11], 0x17);
          const stored = bytes[position + 4] << 16 | bytes[position + 5] << 8 | bytes[position + 6];
          assert.equal(stored, times[i] * 1_000);
        }
      },
    );

    await t.step(
      "the web door serves ranges of a recording, also across the end of the index",
      async () => {
        for (const [first, last] of [[0, 12], [100, 5_000], [150_000, bytes.length - 1]]) {
          const part = await get("film.flv", { range: `bytes=${first}-${last}` });
          assert.equal(part.status, 206);
          assert.equal(part.headers.get("content-range"), `bytes ${first}-${last}/${bytes.length}`);
          assert.deepEqual(
            new Uint8Array(await part.arrayBuffer()),
            bytes.slice(first, last + 1),
          );
        }
        const beyond = await get("film.flv", { range: `bytes=${bytes.length}-` });
        assert.equal(beyond.status, 416);
        await beyond.body?.cancel();
        const changed = await get("film.flv", { range: "bytes=0-1", "if-range": '"other"' });
        assert.equal(changed.status, 200);
        await changed.body!.cancel();
      },
    );

    await t.step(
      "the web door answers HEAD, refuses unknown names, and returns an application's refusal",
      async () => {
        const head = await get("film.flv", {}, "HEAD");
        assert.equal(head.headers.get("content-length"), String(bytes.length));
        const answers = { "none.flv": 404, "none.flv?recorded": 404, "closed.flv": 403 };
        for (const [name, status] of Object.entries(answers)) {
          const answer = await get(name);
          assert.equal(answer.status, status, name);
          assert.equal((await answer.text()).includes("members only"), status === 403, name);
        }
      },
    );
  } finally {
    await server.stop();
  }
});
