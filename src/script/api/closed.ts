// Functions of Lua that scripts do not have. They are nil, so that modules can test for them.

/** The library functions that are closed, each with reason and replacement. DECISIONS 20 */
const CLOSED: Readonly<Record<string, string>> = {
  execute: "os.execute: scripts start no programs, and no key of the configuration lets them",
  exit: "os.exit: scripts do not end the server, and no key of the configuration lets them",
  popen: "io.popen: scripts start no programs, and no key of the configuration lets them",
  tmpfile: "io.tmpfile: open a file by os.tmpname()",
  input: "io.input: the server has no standard input",
  loadlib: "package.loadlib: modules in C cannot be loaded",
  dump: "string.dump: scripts are loaded only from text",
  sethook: "debug.sethook: debug has only traceback and getinfo",
  getlocal: "debug.getlocal: debug has only traceback and getinfo",
  getupvalue: "debug.getupvalue: debug has only traceback and getinfo",
};

const CALL = /attempt to call a nil value \((?:field|global|local|upvalue|method) '(\w{1,20})'\)$/;

/** The message of an error, with a hint if it is about a call of one of these functions. */
export function withHint(message: string): string {
  const name = CALL.exec(message)?.[1];
  if (name === undefined || !Object.hasOwn(CLOSED, name)) return message;
  return `${message}; scripts have no ${CLOSED[name]}`;
}
