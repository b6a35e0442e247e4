// The command line: serves; with `client` as its first word does what clients do, with `check` looks
// at configuration and scripts.
import config from "./deno.json" with { type: "json" };
import rootScript from "./www/main.lua" with { type: "text" };

const [first, ...rest] = Deno.args;
if (first === "client") {
  const { runClient } = await import("./src/client/cli.ts");
  Deno.exit(await runClient(rest));
}
const path = Deno.build.standalone ? Deno.execPath() : import.meta.filename!;
if (first === "check") {
  const { check } = await import("./src/server/check.ts");
  Deno.exit(check(rest, path));
}
const { runServer } = await import("./src/server/start.ts");
Deno.exit(
  await runServer(Deno.args, {
    version: config.version,
    path,
    rootScript,
  }),
);
