// Facts about program and machine in `cumulus.configs`: CFG-064.
import { asFolder } from "./folders.ts";

/**
 * @param program the path of the executable
 * @param home the folder of CumulusServer.ini
 * @returns the values of `application.*` and `system.*`; folders end with a separator
 */
export function facts(program: string, home: string): Record<string, string> {
  const name = program.split(/[/\\]/).at(-1)!;
  const result: Record<string, string> = {
    "application.path": program,
    "application.name": name,
    "application.baseName": name.replace(/\.[^.]*$/, ""),
    "application.dir": home,
    "application.configDir": home,
    "application.argc": String(Deno.args.length + 1),
    "application.argv[0]": program,
    "system.osName": Deno.build.os,
    "system.osVersion": Deno.osRelease(),
    "system.osArchitecture": Deno.build.arch,
    "system.nodeName": Deno.hostname(),
    "system.currentDir": asFolder(Deno.cwd()),
    "system.homeDir": asFolder(Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? Deno.cwd()),
    "system.tempDir": asFolder(Deno.env.get("TMPDIR") ?? Deno.env.get("TEMP") ?? "/tmp"),
    "system.dateTime": new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    "system.pid": String(Deno.pid),
  };
  for (const [i, argument] of Deno.args.entries()) {
    result[`application.argv[${i + 1}]`] = argument;
  }
  return result;
}
