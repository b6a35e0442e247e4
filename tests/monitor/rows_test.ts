import assert from "node:assert/strict";
import { MAX_ROWS, MAX_SEARCHED, selectRows } from "../../src/monitor/rows.ts";

const rows = [
  { name: "b", size: { width: 640 } as { width: number } | null, ping: 30, plays: ["x"] },
  { name: "C", size: null, ping: 7, plays: [] },
  { name: "a", size: { width: 1920 }, ping: 100, plays: ["Camera", "y"] },
];
const table = (offset: number, limit: number) => ({
  total: rows.length,
  rows: rows.slice(offset, offset + limit),
});
const ask = (query: string) => selectRows(table, new URLSearchParams(query));
const names = (query: string) => ask(query).rows.map(({ name }) => name).join("");

Deno.test("selectRows() sorts missing values first, then numbers, then texts", () => {
  assert.equal(names(""), "bCa");
  assert.equal(names("sort=ping"), "Cba");
  assert.equal(names("sort=-ping"), "abC");
  assert.equal(names("sort=name"), "Cab");
  assert.equal(names("sort=size.width"), "Cba");
  assert.equal(names("sort=-size.width"), "abC");
  assert.equal(names("sort=plays"), "Cab");
  assert.equal(names("sort=__proto__.x"), "bCa");
  assert.equal(names("sort=-ping&offset=1&limit=1"), "b");
});

Deno.test("selectRows() finds the filter's text at any depth and in any case, and counts matches", () => {
  const { rows: found, ...counts } = ask("filter=CAMERA");
  assert.deepEqual(found.map(({ name }) => name), ["a"]);
  assert.deepEqual(counts, { total: 3, found: 1 });
  assert.deepEqual(ask("filter=nothing").rows, []);
  assert.equal(ask("").found, 3);
});

Deno.test("selectRows() returns at most MAX_ROWS rows, and 100 for an invalid limit", () => {
  const asked: number[] = [];
  const endless = (_: number, limit: number) => {
    asked.push(limit);
    return { total: 1e6, rows: Array.from({ length: limit }, (_, n) => ({ n })) };
  };
  assert.equal(selectRows(endless, new URLSearchParams("limit=1e9")).rows.length, MAX_ROWS);
  assert.equal(selectRows(endless, new URLSearchParams("limit=1e9&sort=-n")).rows.length, MAX_ROWS);
  assert.deepEqual(asked, [MAX_ROWS, MAX_SEARCHED]);
  for (const bad of ["-1", "1.5", "x", ""]) {
    const { length } = selectRows(endless, new URLSearchParams(`limit=${bad}`)).rows;
    assert.equal(length, bad === "" ? 0 : 100, bad);
  }
});
