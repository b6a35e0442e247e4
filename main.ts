// The command line: serves; with `client` as its first word does what clients do, with `check` looks
// at configuration and scripts.
import config from "./deno.json" with { type: "json" };
import rootScript from "./www/main.lua" with { type: "text" };

const words = Deno.args[0] === "start" ? Deno.args.slice(1) : Deno.args;
const [first, ...rest] = words;
if (first === "client") {
  const { runClient } = await import("./src/client/cli.ts");
  if (rest[0] === "--version") {
    console.log(config.version);
    Deno.exit(0);
  }
  Deno.exit(await runClient(rest));
}
if (first === "completion") {
  const [{ completion }, { optionNames }, { commandWords }] = await Promise.all([
    import("./src/server/completion.ts"),
    import("./src/server/command_line.ts"),
    import("./src/client/cli.ts"),
  ]);
  const script = completion(rest[0] ?? "", { options: optionNames(), client: commandWords() });
  if (script === undefined) console.error("CumulusServer completion bash|zsh|fish");
  else console.log(script.trimEnd());
  Deno.exit(script === undefined ? 2 : 0);
}
if (first === "man") {
  const [{ manPage }, { commandTable }, { optionLines }] = await Promise.all([
    import("./src/server/man_page.ts"),
    import("./src/client/cli.ts"),
    import("./src/client/cli/arguments.ts"),
  ]);
  const commands = commandTable().map((command) => ({ ...command, options: optionLines(command) }));
  const today = new Date().toISOString().slice(0, 10);
  console.log(manPage(config.version, today, commands).trimEnd());
  Deno.exit(0);
}
const path = Deno.build.standalone ? Deno.execPath() : import.meta.filename!;
if (first === "check") {
  const { check } = await import("./src/server/check.ts");
  Deno.exit(check(rest, path));
}
const { runServer } = await import("./src/server/start.ts");
Deno.exit(
  await runServer(first === "help" ? ["--help"] : words, {
    version: config.version,
    path,
    rootScript,
  }),
);
