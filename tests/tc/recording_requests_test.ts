import assert from "node:assert/strict";
import type { Recorded, Recordings } from "../../src/media/recordings.ts";
import { RecordingRequests } from "../../src/tc/recording_requests.ts";

/** Recordings that the test opens step by step. */
function world() {
  const opening: { name: string; done: (recorded: Recorded | undefined) => void }[] = [];
  const recordings = {
    open: (_path, name, done) => void opening.push({ name, done }),
  } as Partial<Recordings> as Recordings;
  return { opening, requests: new RecordingRequests(recordings) };
}

Deno.test("RecordingRequests opens one recording at a time, in the order of the requests", () => {
  const { opening, requests } = world();
  const answered: string[] = [];
  for (const name of ["a", "b", "c"]) requests.open("/x", name, () => void answered.push(name));
  assert.deepEqual([opening.map(({ name }) => name), requests.waiting], [["a"], 2]);
  opening[0]!.done(undefined);
  assert.deepEqual([opening.map(({ name }) => name), answered], [["a", "b"], ["a"]]);
  opening[1]!.done(undefined);
  opening[2]!.done(undefined);
  assert.deepEqual(answered, ["a", "b", "c"]);
});

Deno.test("RecordingRequests opens no recording for withdrawn requests and disconnected clients", () => {
  const { opening, requests } = world();
  const fail = () => assert.fail("withdrawn");
  requests.open("/x", "a", () => {});
  const withdraw = requests.open("/x", "b", fail);
  requests.open("/x", "c", () => {});
  withdraw();
  opening[0]!.done(undefined);
  assert.deepEqual(opening.map(({ name }) => name), ["a", "c"]);
  requests.open("/x", "d", fail);
  requests.end();
  opening[1]!.done(undefined);
  assert.equal(opening.length, 2);
});

Deno.test("RecordingRequests.full is true with 64 waiting requests", () => {
  const { requests } = world();
  for (let i = 0; i <= 64; i++) {
    assert.equal(requests.full, false, `${i}`);
    requests.open("/x", `${i}`, () => {});
  }
  assert.equal(requests.full, true);
});
