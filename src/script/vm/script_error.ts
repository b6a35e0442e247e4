type ScriptErrorKind = "runtime" | "syntax" | "memory" | "time";

/** A script failed. It is logged with file and line, and the application carries on (API-060). */
export class ScriptError extends Error {
  override name = "ScriptError";
  /** Where it happened, function by function; empty if unknown. */
  traceback = "";
  kind: ScriptErrorKind = "runtime";
  /** The message without the position that Lua put before it. */
  plain: string;
  /** Whether code of a script called `error`, rather than something failed in it. */
  raised = false;

  constructor(message: string, kind: ScriptErrorKind = "runtime") {
    super(message);
    this.kind = kind;
    this.plain = message;
  }
}
