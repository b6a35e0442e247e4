/** The signals that stop the server, with their numbers. CFG-077 */
export const SIGNALS: Partial<Record<Deno.Signal, number>> = Deno.build.os === "windows"
  ? { SIGINT: 2, SIGBREAK: 21 }
  : { SIGINT: 2, SIGTERM: 15, SIGQUIT: 3 };

/**
 * Ms after the first signal during which further ones count as the same: Ctrl-C reaches all programs of the terminal,
 * and `deno task` forwards its own.
 */
export const SAME_SIGNAL_TIMEOUT = 250;
