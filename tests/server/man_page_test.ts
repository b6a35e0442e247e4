import assert from "node:assert/strict";
import { commandTable } from "../../src/client/cli.ts";
import { optionLines as clientOptions } from "../../src/client/cli/arguments.ts";
import { optionNames } from "../../src/server/command_line.ts";
import { manPage } from "../../src/server/man_page.ts";
import { peerTest } from "../peers/peers.ts";

const page = manPage(
  "1.2.3",
  "2026-11-23",
  commandTable().map((command) => ({ ...command, options: clientOptions(command) })),
);

/** mandoc's messages about the page, or its output. */
async function mandoc(...args: string[]): Promise<string> {
  const child = new Deno.Command("mandoc", {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(page));
  await writer.close();
  const { stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return text.decode(stdout) + text.decode(stderr);
}

peerTest("mandoc reports no fault in the man page, and shows every option and command", [
  "mandoc",
], async () => {
  assert.equal(await mandoc("-T", "lint"), "");
  const shown = (await mandoc("-T", "ascii", "-O", "width=200")).replaceAll(/.[\b]/g, "");
  for (const option of optionNames()) assert.ok(shown.includes(option), option);
  for (const command of commandTable()) {
    assert.ok(shown.includes(`client ${command.name} ${command.operands}`), command.name);
    for (const [option] of clientOptions(command)) assert.ok(shown.includes(option), option);
  }
  assert.ok(
    shown.includes("CumulusServer client publish rtmfp://localhost/live/cam recording.flv"),
  );
  assert.ok(shown.includes("'[\"Tom\"]'"), "quotes can be pasted");
});

Deno.test("manPage() escapes texts that look like macros", () => {
  const text = manPage("1", "2026-01-01", [{
    name: "x",
    operands: "",
    summary: ".TH a\\b\n'quoted' -x",
    options: [["--y", ".SH z"]],
  }]);
  assert.match(text, /^\\&\.TH a\\eb \\\(aqquoted\\\(aq \\-x$/m);
  assert.match(text, /^\\&\.SH z$/m);
});
