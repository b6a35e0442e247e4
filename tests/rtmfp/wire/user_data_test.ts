import assert from "node:assert/strict";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { Reader } from "../../../src/bytes/reader.ts";
import { WireError } from "../../../src/bytes/wire_error.ts";
import { Writer } from "../../../src/bytes/writer.ts";
import { readFlowOptions, writeFlowOptions } from "../../../src/rtmfp/wire/flow_options.ts";
import {
  Fragment,
  NEXT_USER_DATA_OVERHEAD,
  readNextUserData,
  readUserData,
  UserData,
  userDataOverhead,
  writeNextUserData,
  writeUserData,
} from "../../../src/rtmfp/wire/user_data.ts";
import { vector } from "../../support/vectors.ts";

const chunkOf = (members: Partial<UserData>) => Object.assign(new UserData(), members);

const read = (hex: string) => {
  const chunk = new UserData();
  readUserData(new Reader(fromHex(hex), 3), chunk);
  return chunk;
};

Deno.test("vector:chunk-user-data: readUserData() and writeUserData() agree with the vector's chunks", () => {
  let counted = 0;
  for (const test of vector("chunk-user-data").cases) {
    if (!test.hex || test.messages) continue;
    const { metadata, association } = test;
    const chunk = chunkOf({
      flowId: test.flow,
      sequence: test.seq,
      fsn: test.fsn,
      final: test.final ?? false,
      abandoned: test.abandon ?? false,
      options: metadata && writeFlowOptions({ metadata: fromHex(metadata), association }),
      data: fromHex(test.message ?? test.data ?? ""),
    });
    assert.deepEqual(read(test.hex), chunk, test.name);
    const to = writeUserData(new Writer(), chunk);
    assert.equal(toHex(to.view()), test.hex, test.name);
    assert.equal(userDataOverhead(chunk) + chunk.data.length, to.at);
    counted++;
  }
  assert.equal(counted, 5);
});

Deno.test("vector:chunk-user-data: readNextUserData() and writeNextUserData() agree with the second message of a packet", () => {
  const { flow, hex, messages } = vector("chunk-user-data").cases
    .find((test: { messages?: unknown }) => test.messages);
  const [first, second] = [hex.slice(0, 16), hex.slice(16)];
  const chunk = read(first);
  assert.deepEqual(
    [chunk.flowId, chunk.sequence, chunk.fsn, toHex(chunk.data)],
    [flow, messages[0].seq, messages[0].fsn, messages[0].data],
  );
  readNextUserData(new Reader(fromHex(second), 3), chunk);
  assert.deepEqual(
    [chunk.flowId, chunk.sequence, chunk.fsn, toHex(chunk.data)],
    [flow, messages[1].seq, messages[1].fsn, messages[1].data],
  );
  const to = writeNextUserData(new Writer(), chunk);
  assert.equal(toHex(to.view()), second);
  assert.equal(NEXT_USER_DATA_OVERHEAD + chunk.data.length, to.at);
});

Deno.test("vector:chunk-user-data: readUserData() reads a message in three fragments, each with the options", () => {
  const { flow, message, chunks } = vector("chunk-user-data").cases
    .find((test: { chunks?: unknown }) => test.chunks);
  const pieces = chunks.map(read) as UserData[];
  assert.deepEqual(
    pieces.map(({ flowId, sequence, fsn, fragment }) => [flowId, sequence, fsn, fragment]),
    [[flow, 1, 0, Fragment.begin], [flow, 2, 0, Fragment.middle], [flow, 3, 0, Fragment.end]],
  );
  assert.equal(pieces.map(({ data }) => toHex(data)).join(""), message);
  for (const [i, piece] of pieces.entries()) {
    assert.equal(toHex(writeUserData(new Writer(), piece).view()), chunks[i]);
    const { metadata, association, unknown } = readFlowOptions(piece.options!);
    assert.deepEqual([toHex(metadata!), association, unknown], ["54430401", 2, undefined]);
  }
});

Deno.test("readUserData() throws WireError for a forward sequence number below 0 or not below a live sequence number", () => {
  assert.equal(read("10 0005 00 03 07 07 01").fsn, 0);
  assert.throws(() => read("10 0005 00 03 07 08 01"), WireError, "fsn below 0");
  assert.throws(() => read("10 0005 00 03 07 00 01"), WireError, "fsn not below a live sequence");
  assert.deepEqual(
    read("10 0004 03 03 00 00").final,
    true,
    "a final fragment without an earlier one",
  );
});

Deno.test("readUserData() throws WireError for every truncation before the data", () => {
  const hex = "1000 13 80 822c 8501 02 05 00 54430400 02 0a02 00 d1d2";
  const payload = fromHex(hex).subarray(3);
  for (let length = 0; length < payload.length; length++) {
    const chunk = new UserData();
    const from = new Reader(payload, 0, length);
    if (length < payload.length - 2) assert.throws(() => readUserData(from, chunk), WireError);
    else readUserData(from, chunk);
  }
  assert.throws(() => readNextUserData(new Reader(fromHex("80 0200")), new UserData()), WireError);
  assert.throws(() => readNextUserData(new Reader(new Uint8Array(0)), new UserData()), WireError);
});

Deno.test("writeUserData() writes numbers up to 2^40, with the length of userDataOverhead()", () => {
  const chunk = chunkOf({ flowId: 2 ** 31, sequence: 2 ** 40, fsn: 5, data: fromHex("01") });
  const to = writeUserData(new Writer(), chunk);
  assert.equal(to.at, userDataOverhead(chunk) + 1);
  assert.deepEqual(read(toHex(to.view())), chunk);
});

Deno.test("readFlowOptions() reads options in any order, and writeFlowOptions() writes the metadata first", () => {
  const metadata = fromHex("54430400");
  assert.equal(toHex(writeFlowOptions({ metadata, association: 2 })), "050054430400020a0200");
  assert.equal(toHex(writeFlowOptions({ metadata, association: undefined })), "05005443040000");
  assert.equal(toHex(writeFlowOptions({ metadata, association: 300 })), "050054430400030a822c00");
  const options = readFlowOptions(fromHex("02 0a 02 | 05 00 54430400 | 00".replaceAll("|", "")));
  assert.deepEqual(options, { metadata, association: 2, unknown: undefined });
});

Deno.test("readFlowOptions() reports the last unknown option below type 8192", () => {
  const unknown = (hex: string) => readFlowOptions(fromHex(hex)).unknown;
  assert.equal(unknown("0101 00"), 1);
  assert.equal(unknown("02bf7f 00"), 8191);
  assert.equal(unknown("03c000aa 00"), undefined);
  assert.equal(unknown("0105 0106 00"), 5);
});

Deno.test("readFlowOptions() throws WireError for repeated, truncated and empty options", () => {
  for (
    const hex of ["020001 020002 00", "020a01 020a02 00", "010a 00", "020001", "", "020a81 00"]
  ) {
    assert.throws(() => readFlowOptions(fromHex(hex)), WireError, hex);
  }
});
