// Writes CumulusServer.ini anew from the table of settings: deno task ini
import { shippedIni } from "../src/server/shipped_ini.ts";

Deno.writeTextFileSync(new URL("../CumulusServer.ini", import.meta.url), shippedIni());
