// Messages of a given size with the most work per byte: short values that a reader must create,
// name, look up or nest.

const AMF3 = 0x11;

const u29 = (value: number): number[] =>
  value < 0x80
    ? [value]
    : value < 0x4000
    ? [0x80 | value >> 7, value & 0x7f]
    : [0x80 | value >> 14, 0x80 | value >> 7 & 0x7f, value & 0x7f];
const inline = (value: number): number[] => u29(value << 1 | 1);
const text3 = (text: string): number[] => [...inline(text.length), ...bytesOf(text)];
const bytesOf = (text: string): number[] => [...text].map((char) => char.charCodeAt(0));
const letters = (
  i: number,
): number[] => [97 + i % 26, 97 + (i / 26 | 0) % 26, 97 + (i / 676 | 0) % 26];
const many = (times: number, ...bytes: number[]): number[] => new Array(times).fill(bytes).flat();

/** `head`, then as many units as fit. */
function filled(size: number, head: number[], unit: (i: number) => number[]): Uint8Array {
  const bytes = [...head];
  for (let i = 0;; i++) {
    const next = unit(i);
    if (bytes.length + next.length > size) return Uint8Array.from(bytes);
    for (const byte of next) bytes.push(byte);
  }
}

/** An AMF3 array with given first elements, then as many elements as fit. */
function array3(size: number, element: number[], ...first: number[]): Uint8Array {
  const count = Math.floor((size - 8 - first.length) / element.length) + (first.length > 0 ? 1 : 0);
  return filled(size, [AMF3, 9, ...inline(count), 1, ...first], () => element);
}

/** Messages by their content. */
export function worstInputs(size: number): ReadonlyMap<string, Uint8Array> {
  const same = (...unit: number[]) => filled(size, [], () => unit);
  const list0 = (...unit: number[]) => {
    const count = Math.floor((size - 5) / unit.length);
    return filled(size, [10, 0, 0, count >> 8, count & 255], () => unit);
  };
  const names = Array.from({ length: 250 }, (_, i) => text3(`m${i}`)).flat();
  return new Map([
    ["numbers", same(0, 0x3f, 0xf0, 0, 0, 0, 0, 0, 1)],
    ["nulls", same(5)],
    ["empty texts", same(2, 0, 0)],
    ["empty objects", same(3, 0, 0, 9)],
    ["typed objects", same(0x10, 0, 1, 65, 0, 0, 9)],
    ["dates", same(11, 0x42, 0, 0, 0, 0, 0, 0, 1, 0, 0)],
    ["objects of one member", same(3, 0, 1, 97, 5, 0, 0, 9)],
    ["members of one object", filled(size, [3], (i) => [0, 3, ...letters(i), 5])],
    ["references", filled(size, [3, 0, 0, 9], () => [7, 0, 0])],
    ["a list of empty lists", list0(10, 0, 0, 0, 0)],
    ["a list of nulls", list0(5)],
    ["lists in lists", same(...many(250, 10, 0, 0, 0, 1), 5)],
    ["empty objects of AMF3, each alone", same(AMF3, 10, 11, 1, 1)],
    ["lists of AMF3", array3(size, [9, 1, 1])],
    ["lists in lists of AMF3", same(AMF3, ...many(250, 9, 3, 1), 1)],
    ["objects of known traits", array3(size, [10, 1], 10, 3, 1)],
    ["typed objects of known traits", array3(size, [10, 1], 10, 3, 3, 65)],
    [
      "new traits each",
      filled(size, [AMF3, 9, ...inline(size / 7 | 0), 1], (i) => [10, 3, 7, ...letters(i)]),
    ],
    [
      "many members by traits",
      filled(
        size,
        [
          AMF3,
          9,
          ...inline(size / 252 | 0),
          1,
          10,
          ...u29(250 << 4 | 3),
          1,
          ...names,
          ...many(250, 1),
        ],
        () => [10, 1, ...many(250, 1)],
      ),
    ],
    ["references of AMF3", array3(size, [9, 0])],
    ["references to texts", array3(size, [6, 0], 6, 3, 65)],
    ["integers", array3(size, [4, 1])],
    ["byte arrays", array3(size, [12, 1])],
    ["dictionaries", array3(size, [17, 1, 0])],
    ["dates of AMF3", array3(size, [8, 1, 0x42, 0, 0, 0, 0, 0, 0, 1])],
    ["vectors", array3(size, [16, 1, 0, 1])],
    [
      "a dictionary of integers",
      filled(size, [AMF3, 17, ...inline(size / 6 | 0), 0], (i) => [4, ...u29(i), 1]),
    ],
    [
      "a dictionary of objects",
      filled(
        size,
        [AMF3, 17, ...inline(size / 4 | 0), 0, 10, 11, 1, 1, 1],
        () => [10, 1, 1, 1],
      ),
    ],
    ["keys of a list", filled(size, [AMF3, 9, 1], (i) => [7, ...letters(i), 1])],
  ]);
}
