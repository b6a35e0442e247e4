import assert from "node:assert/strict";
import { commandWords } from "../../src/client/cli.ts";
import { optionNames } from "../../src/server/command_line.ts";
import { completion } from "../../src/server/completion.ts";
import { peerTest } from "../peers/peers.ts";

const words = { options: optionNames(), client: commandWords() };

/** Suggestions of bash after words; the last word is incomplete. */
async function bashOffers(...typed: string[]): Promise<string[]> {
  const list = ["CumulusServer", ...typed].map((word) => `'${word}'`).join(" ");
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: [
      "--norc",
      "-c",
      `${completion("bash", words)}
COMP_WORDS=(${list}) COMP_CWORD=${typed.length}
_cumulus_server
printf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout).trim().split("\n");
}

peerTest(
  "The completion of bash offers commands, options and commands of two words",
  ["bash"],
  async () => {
    assert.deepEqual(await bashOffers("c"), ["check", "client", "completion"]);
    assert.deepEqual(await bashOffers("--po"), ["--port"]);
    assert.deepEqual(await bashOffers("check", "--in"), ["--ini"]);
    assert.deepEqual(await bashOffers("client", "li"), ["listen"]);
    assert.deepEqual(await bashOffers("client", "listen", "--sec"), ["--seconds"]);
    assert.deepEqual(await bashOffers("client", "peer", ""), ["serve", "play", "join"]);
    assert.deepEqual(await bashOffers("completion", ""), ["bash", "zsh", "fish"]);
  },
);

peerTest("The completion of fish offers commands of two words", ["fish"], async () => {
  const { stdout } = await new Deno.Command("fish", {
    args: [
      "--no-config",
      "-c",
      `${completion("fish", words)}\ncomplete -C 'CumulusServer client peer j'`,
    ],
  }).output();
  assert.match(new TextDecoder().decode(stdout), /^join\b/m);
});

peerTest("The completion of zsh offers the words for zsh to filter", ["zsh"], async () => {
  const folder = Deno.makeTempDirSync();
  const { stdout, stderr } = await new Deno.Command("zsh", {
    args: [
      "-f",
      "-c",
      `autoload -U compinit && compinit -u -d '${folder}/dump'
${completion("zsh", words)}
setopt ksh_arrays
COMP_WORDS=(CumulusServer client peer "") COMP_CWORD=3
_cumulus_server
printf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
  }).output();
  Deno.removeSync(folder, { recursive: true });
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.equal(new TextDecoder().decode(stdout).trim(), "serve\nplay\njoin");
});

Deno.test("completion() returns undefined for an unknown shell", () => {
  assert.equal(completion("tcsh", words), undefined);
});
