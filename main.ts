// The command line: serves, or with `client` as its first word does what clients do.
import config from "./deno.json" with { type: "json" };
import rootScript from "./www/main.lua" with { type: "text" };

const [first, ...rest] = Deno.args;
if (first === "client") {
  const { runClient } = await import("./src/client/cli.ts");
  Deno.exit(await runClient(rest));
}
const { runServer } = await import("./src/server/start.ts");
Deno.exit(
  await runServer(Deno.args, {
    version: config.version,
    path: Deno.build.standalone ? Deno.execPath() : import.meta.filename!,
    rootScript,
  }),
);
