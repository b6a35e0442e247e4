import type { FlowWriter } from "../media/connection.ts";

/** Writer for clients that cannot receive messages: drops all of them. WEB-025. */
export const silentWriter: FlowWriter = {
  reliable: true,
  closed: true,
  message() {},
  result() {},
  status() {},
  flush() {},
  close() {},
};
