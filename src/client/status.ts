// Errors of requests and connections.
import type { Status } from "../tc/format/status.ts";

/** The server has refused: connect, a call, publish or play. */
export class StatusError extends Error {
  override name = "StatusError";

  constructor(readonly status: Status) {
    const { code, description } = status;
    super([code || "Error", description].filter((text) => text !== "").join(": "));
  }
}

/** The server did not answer, or the connection has ended. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
}
