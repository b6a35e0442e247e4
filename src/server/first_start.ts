import { exists, notWritable } from "./folders.ts";
import { shippedIni } from "../config/shipped_ini.ts";
import { StartError } from "./start_error.ts";

/**
 * Writes CumulusServer.ini and www/main.lua into a folder without that file and without www, for users
 * who downloaded only the program.
 *
 * @param home the folder, with a separator at its end
 * @param rootScript the text of www/main.lua
 * @returns one line per file written; empty if the folder is in use
 * @throws {StartError} if the folder is not writable
 */
export function prepareFolder(home: string, rootScript: string): string[] {
  if (exists(`${home}CumulusServer.ini`) || exists(`${home}www`)) return [];
  const done: string[] = [];
  const write = (name: string, text: string, what: string) => {
    try {
      Deno.mkdirSync(`${home}${name}`.replace(/[^/\\]*$/, ""), { recursive: true });
      Deno.writeTextFileSync(`${home}${name}`, text, { createNew: true });
      done.push(`Wrote ${home}${name}: ${what}`);
    } catch (error) {
      throw new StartError(notWritable(`${home}${name}`, error));
    }
  };
  write("CumulusServer.ini", shippedIni(), "the configuration, with all defaults");
  write("www/main.lua", rootScript, "the root application, for you to edit");
  return done;
}
