import type { Client } from "../../media/client.ts";
import type { ScriptError } from "../vm/script_error.ts";
import { withoutPositions } from "./place.ts";

/** A step of a client that an application may refuse. */
type Step = "connect" | "publish" | "record" | "play" | "call" | "share";

/** Number of refusals of each step since the server started. */
export type RefusalCounts = { [step in Step]: number };

export const noRefusals = (): RefusalCounts => ({
  connect: 0,
  publish: 0,
  record: 0,
  play: 0,
  call: 0,
  share: 0,
});

/** A request of a client. */
export interface Request {
  readonly client: Client;
  readonly step: Step;
  /** The name of the stream, function or shared object; "" for `connect`. */
  readonly name: string;
}

/** The log line about a refused request. */
export function refusalLine({ client, step, name }: Request, reason: string): string {
  const refused = step === "connect" ? "is refused" : `may not ${step} ${name}`;
  return `${client.address} ${refused}${reason && `: ${reason}`}`;
}

/** Matches messages of Lua and its libraries about faults. */
const FAULT = /^(attempt to |bad argument #|stack overflow)/;

/**
 * Whether a script refuses by an error: it called `error`, and not with a fault that a `pcall` has caught.
 */
export const isRefusal = (error: ScriptError): boolean =>
  error.raised && !FAULT.test(withoutPositions(error));
