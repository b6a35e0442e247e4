import type { FlowWriter } from "../media/connection.ts";

/** The writer of clients that cannot be told anything: what is written goes nowhere. WEB-025. */
export const silentWriter: FlowWriter = {
  reliable: true,
  closed: true,
  message() {},
  result() {},
  status() {},
  flush() {},
  close() {},
};
