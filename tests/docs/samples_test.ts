// The Lua samples of the documentation run, and the whole API is documented.
import assert from "node:assert/strict";
import { Peer } from "../conformance/support/peer.ts";
import { TestServer } from "../conformance/support/test_server.ts";

const root = new URL("../../", import.meta.url);

interface Sample {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** The fenced blocks of Lua in the README and in docs/. */
function samples(): Sample[] {
  const found: Sample[] = [];
  const pages = [...Deno.readDirSync(new URL("docs", root))].map(({ name }) => `docs/${name}`);
  for (const file of ["README.md", ...pages].filter((name) => name.endsWith(".md")).sort()) {
    const text = Deno.readTextFileSync(new URL(file, root));
    for (const match of text.matchAll(/^```lua\n([\s\S]*?)^```$/gm)) {
      const line = text.slice(0, match.index).split("\n").length + 1;
      found.push({ file, line, text: match[1] });
    }
  }
  return found;
}

Deno.test("Every Lua sample of the documentation starts, and accepts a client", async () => {
  const all = samples();
  assert.ok(all.length > 20, `${all.length} samples`);
  const www = Object.fromEntries(all.map(({ text }, i) => [`/sample${i}`, text]));
  const server = await TestServer.start({ www: { "": "", ...www } });
  const peers: Peer[] = [];
  try {
    for (const [i, { file, line }] of all.entries()) {
      const from = server.log.items.length;
      const peer = await Peer.connect(server.url(`/sample${i}`)).catch((error) => {
        throw new Error(`${file}:${line}: ${error.message}`);
      });
      peers.push(peer);
      const stream = await peer.publish(`stream${i}`);
      await (await peer.play(`stream${i}`)).net.close();
      await stream.net.close();
      const bad = server.log.items.slice(from).filter((line) => /^(ERROR|CRITIC)/.test(line));
      assert.deepEqual(bad, [], `${file}:${line}`);
    }
    // The clients are counted every two seconds, after onManage has run in all of them.
    await server.logged(new RegExp(` ${peers.length} clients$`));
    await Promise.all(peers.map((peer) => peer.close()));
  } finally {
    await server.stop();
  }
  assert.deepEqual(server.log.items.filter((line) => /^(ERROR|CRITIC)/.test(line)), []);
});

interface Members {
  readonly name: string;
  readonly get?: object;
  readonly set?: object;
  readonly call?: object;
}

/** All tables of members that scripts see. */
async function bindings(): Promise<Members[]> {
  const found: Members[] = [];
  const folder = new URL("src/script/api/", root);
  for (const { name } of Deno.readDirSync(folder)) {
    if (!name.endsWith(".ts")) continue;
    const module: Record<string, unknown> = await import(new URL(name, folder).href);
    for (const value of Object.values(module)) {
      const binding = value as Partial<Members> | undefined;
      if (typeof binding !== "object" || typeof binding?.name !== "string") continue;
      if (binding.get || binding.call) found.push(binding as Members);
    }
  }
  return found;
}

/** A name in backticks, alone or among other words. */
const inBackticks = (name: string) => new RegExp(`\`[^\`\n]*\\b${name}\\b[^\`\n]*\``);

Deno.test("docs/api.md has every property and method of the API", async () => {
  const text = Deno.readTextFileSync(new URL("docs/api.md", root));
  const all = await bindings();
  assert.ok(all.length >= 15, all.map(({ name }) => name).join(", "));
  const missing: string[] = [];
  for (const { name, get = {}, set = {}, call = {} } of all) {
    for (const member of Object.keys({ ...get, ...set, ...call })) {
      if (!inBackticks(member).test(text)) missing.push(`${name}.${member}`);
    }
  }
  assert.deepEqual(missing, [], `docs/api.md has no row for ${missing.join(", ")}`);
});

Deno.test("docs/spec has every property and method of the API in a row or a decision", async () => {
  const spec = new URL("docs/spec/", root);
  const facts = [...Deno.readDirSync(spec)].filter(({ name }) => name.endsWith(".md"))
    .flatMap(({ name }) => Deno.readTextFileSync(new URL(name, spec)).split("\n"))
    .filter((line) => /^(\| [A-Z]+-\d+[a-z]? \||\d+\. )/.test(line)).join("\n");
  const missing: string[] = [];
  for (const { name, get = {}, set = {}, call = {} } of await bindings()) {
    for (const member of Object.keys({ ...get, ...set, ...call })) {
      if (!inBackticks(member).test(facts)) missing.push(`${name}.${member}`);
    }
  }
  const told = "no row of docs/spec/lua-api.md (or another file there), and no decision, names " +
    `${missing.join(", ")}: see "A method or property" in CONTRIBUTING.md`;
  assert.deepEqual(missing, [], told);
});

/** The fragment by which GitHub links a heading. */
const anchor = (heading: string) =>
  heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-");

Deno.test("Links of the documentation lead to existing pages and headings", () => {
  const broken: string[] = [];
  const pages = [...Deno.readDirSync(new URL("docs", root))].map(({ name }) => `docs/${name}`);
  for (const page of ["README.md", "ARCHITECTURE.md", ...pages]) {
    if (!page.endsWith(".md")) continue;
    const text = Deno.readTextFileSync(new URL(page, root));
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path, fragment] = link.split("#");
      const target = new URL(path || `/${page}`.split("/").at(-1)!, new URL(page, root));
      let there: string;
      try {
        there = Deno.readTextFileSync(target);
      } catch {
        broken.push(`${page}: ${link}`);
        continue;
      }
      const anchors = [...there.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchor(heading));
      if (fragment !== undefined && !anchors.includes(fragment)) broken.push(`${page}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});
