import { exists, notWritable } from "./folders.ts";
import { shippedIni } from "../config/shipped_ini.ts";
import { StartError } from "./start_error.ts";

/**
 * Writes CumulusServer.ini and www/main.lua into a folder that has neither the one nor www: what
 * somebody who downloaded nothing but the program needs to begin with.
 *
 * @param home with a separator at its end
 * @param rootScript the text of www/main.lua
 * @returns what was done, a line each; nothing in a folder that is in use
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
