type ScriptErrorKind = "runtime" | "syntax" | "memory" | "time";

/** A script failed. It is logged with file and line, and the application carries on (API-060). */
export class ScriptError extends Error {
  override name = "ScriptError";
  /** Lua's traceback of the error; empty if unknown. */
  traceback = "";
  kind: ScriptErrorKind = "runtime";
  /** The message without the position that Lua put before it. */
  plain: string;
  /** Whether the script itself called `error`. */
  raised = false;

  constructor(message: string, kind: ScriptErrorKind = "runtime") {
    super(message);
    this.kind = kind;
    this.plain = message;
  }
}
