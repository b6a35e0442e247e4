// What Lua has and scripts do not: functions that are nil, so that modules which look for them find nothing.

/** The library functions that are closed, each with reason and replacement. DECISIONS 20 */
const CLOSED: Readonly<Record<string, string>> = {
  execute: "os.execute: scripts start no programs, and no key of the configuration lets them",
  exit: "os.exit: scripts do not end the server, and no key of the configuration lets them",
  popen: "io.popen: scripts start no programs, and no key of the configuration lets them",
  tmpfile: "io.tmpfile: open a file by os.tmpname()",
  input: "io.input: the server has no standard input",
  loadlib: "package.loadlib: modules in C cannot be loaded",
  dump: "string.dump: scripts are loaded from text alone",
  sethook: "debug.sethook: of debug there are traceback and getinfo",
  getlocal: "debug.getlocal: of debug there are traceback and getinfo",
  getupvalue: "debug.getupvalue: of debug there are traceback and getinfo",
};

const CALL = /attempt to call a nil value \((?:field|global|local|upvalue|method) '(\w{1,20})'\)$/;

/** The message of an error; where it may be a call of what scripts do not have, that is said. */
export function withHint(message: string): string {
  const name = CALL.exec(message)?.[1];
  if (name === undefined || !Object.hasOwn(CLOSED, name)) return message;
  return `${message}; scripts have no ${CLOSED[name]}`;
}
