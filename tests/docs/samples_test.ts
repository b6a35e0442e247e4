// The Lua samples of the documentation run.
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
