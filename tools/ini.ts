// Writes CumulusServer.ini and docs/configuration.md from the table of settings: deno task ini
import { configurationPage, shippedIni } from "../src/config/shipped_ini.ts";

const root = new URL("../", import.meta.url);
Deno.writeTextFileSync(new URL("CumulusServer.ini", root), shippedIni());
Deno.writeTextFileSync(new URL("docs/configuration.md", root), configurationPage());
