// Updates tests/conformance/ids.txt from docs/spec. Listed facts keep their words and places; a new fact
// goes after the fact before it, with five words to be replaced; facts no longer in docs/spec are removed.
import { parseFacts } from "../tests/conformance/support/ids.ts";

const FILES = ["lua-api.md", "amf-lua.md", "sockets.md", "config-and-cli.md", "cluster.md"];
const ROW = /^\| ((?:API|AMF|SOCK|CFG|CLU)-\d{3}[a-z]?) \|/;
/** What tests/conformance/complete_test.ts refuses. */
const PLACEHOLDER = "to be put in words";
const target = new URL("../tests/conformance/ids.txt", import.meta.url);
const folder = new URL("../docs/spec", import.meta.url).pathname;

const specified = new Set<string>();
for (const file of FILES) {
  for (const line of (await Deno.readTextFile(`${folder}/${file}`)).split("\n")) {
    const id = ROW.exec(line)?.[1];
    if (id) specified.add(id);
  }
}

const text = await Deno.readTextFile(target);
const known = parseFacts(text);
const lines = text.split("\n").filter((line) => {
  const [id = ""] = line.split(" ");
  return !known.has(id) || specified.has(id);
});
let before = "";
for (const id of specified) {
  if (!known.has(id)) {
    const at = lines.findIndex((line) => line.startsWith(`${before} `));
    lines.splice(at + 1, 0, `${id} ${PLACEHOLDER}`);
    console.log(`new: ${id}`);
  }
  before = id;
}
for (const id of known.keys()) if (!specified.has(id)) console.log(`gone: ${id}`);
await Deno.writeTextFile(target, lines.join("\n"));
