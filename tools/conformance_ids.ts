// Updates tests/conformance/ids.txt from docs/spec. Listed facts keep their words and places; a new fact
// goes after the fact before it, with five words to be replaced; facts no longer in docs/spec are removed.
import { parseFacts } from "../tests/conformance/support/ids.ts";

const FILES = ["lua-api.md", "amf-lua.md", "sockets.md", "config-and-cli.md", "cluster.md"];
const ROW = /^\| ((?:API|AMF|SOCK|CFG|CLU)-\d{3}[a-z]?) \| (.*?) \|(?: (.*?) \|)?/;
const target = new URL("../tests/conformance/ids.txt", import.meta.url);
const folder = new URL("../docs/spec", import.meta.url).pathname;

const specified = new Map<string, string>();
for (const file of FILES) {
  for (const line of (await Deno.readTextFile(`${folder}/${file}`)).split("\n")) {
    const [, id, ...cells] = ROW.exec(line) ?? [];
    if (id) specified.set(id, fiveWords(cells.join(" ")));
  }
}

const text = await Deno.readTextFile(target);
const known = parseFacts(text);
const lines = text.split("\n").filter((line) => {
  const [id = ""] = line.split(" ");
  return !known.has(id) || specified.has(id);
});
let before = "";
for (const [id, words] of specified) {
  if (!known.has(id)) {
    const at = lines.findIndex((line) => line.startsWith(`${before} `));
    lines.splice(at + 1, 0, `${id} ${words}`);
    console.log(`new: ${id} ${words}`);
  }
  before = id;
}
for (const id of known.keys()) if (!specified.has(id)) console.log(`gone: ${id}`);
await Deno.writeTextFile(target, lines.join("\n"));

function fiveWords(cells: string): string {
  const words: string[] =
    cells.replaceAll(/\[\w+\]|✓|\*\*REC\*\*|[`*\\|]/g, " ").match(/[\w-]+/g) ?? [];
  while (words.length < 5) words.push("to", "be", "put", "in", "words");
  return words.slice(0, 5).join(" ");
}
