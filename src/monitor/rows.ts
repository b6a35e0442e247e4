// Selects and orders the rows of the tables at /api/….

/** Maximum rows per answer. */
export const MAX_ROWS = 1_000;
/** Maximum rows searched for a filter or an order, which need all rows. */
export const MAX_SEARCHED = 5_000;

interface Rows<T> {
  /** Number of rows without the filter. */
  readonly total: number;
  /** Number of searched rows that match the filter; without one `total`. */
  readonly found: number;
  readonly rows: readonly T[];
}

/** Source of rows: at most `limit` of them from the `offset`th on. */
type Table<T> = (offset: number, limit: number) => { total: number; rows: readonly T[] };

/**
 * Selects the rows that a query asks for.
 *
 * @param query `offset`, `limit`; `filter`: a text that any member of the row contains, in any case; `sort`:
 * the member, or `member.member`, to order by; with `-` before it, in descending order
 */
export function selectRows<T extends object>(table: Table<T>, query: URLSearchParams): Rows<T> {
  const offset = count(query.get("offset"), 0, Number.MAX_SAFE_INTEGER);
  const limit = count(query.get("limit"), 100, MAX_ROWS);
  const filter = (query.get("filter") ?? "").toLowerCase();
  const sort = query.get("sort") ?? "";
  if (filter === "" && sort === "") {
    const { total, rows } = table(offset, limit);
    return { total, found: total, rows };
  }
  const { total, rows: all } = table(0, MAX_SEARCHED);
  const found = filter === "" ? [...all] : all.filter((row) => has(row, filter));
  if (sort !== "") {
    const descends = sort.startsWith("-");
    const path = sort.slice(descends ? 1 : 0).split(".");
    found.sort((a, b) => compare(member(a, path), member(b, path)) * (descends ? -1 : 1));
  }
  return {
    total,
    found: filter === "" ? total : found.length,
    rows: found.slice(offset, offset + limit),
  };
}

/** Whether a member contains a text, at any depth. */
function has(value: unknown, text: string): boolean {
  if (typeof value === "string") return value.toLowerCase().includes(text);
  if (typeof value === "object" && value !== null) {
    return Object.values(value).some((inner) => has(inner, text));
  }
  return false;
}

function member(row: object, path: readonly string[]): unknown {
  let value: unknown = row;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) {
      return undefined;
    }
    value = (value as Record<string, unknown>)[name];
  }
  return Array.isArray(value) ? value.join(", ") : value;
}

/** Orders missing values first, then numbers, then texts. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === "string" && typeof b === "string") {
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return rank(a) - rank(b) || Number(a ?? 0) - Number(b ?? 0) || 0;
}

const rank = (value: unknown): number =>
  typeof value === "number" || typeof value === "boolean" ? 1 : typeof value === "string" ? 2 : 0;

function count(text: string | null, otherwise: number, most: number): number {
  const number = text === null ? otherwise : Number(text);
  return Number.isInteger(number) && number >= 0 ? Math.min(number, most) : otherwise;
}
