// List of problems, worst first, for the top of the page.
import { duration } from "./format.js";
import { isRecent } from "./tables.js";

const LAG = 100; // minimum ms of the loop's delay for amber; ten times as much is red
const NEARLY = 0.9; // share of a limit from which it is a problem

/** @returns a list of `[kind, text]`, where kind is `bad` or `warn` */
export function problemsOf({ status, applications, servers, relays }) {
  const found = [];
  for (const { path, running, lastError } of applications) {
    const error = lastError ? `: ${lastError.text}` : "";
    if (!running) found.push(["bad", `Application ${path || "/"} has stopped${error}`]);
  }
  for (const { address, failure } of servers) {
    if (failure) found.push(["bad", `No link to ${address}: ${failure}`]);
  }
  for (const { direction, name, target, state, lastError } of relays) {
    if (state !== "waiting") continue;
    const way = direction === "push" ? "to" : "from";
    found.push([
      "bad",
      `Relay of ${name} ${way} ${target} is down: ${lastError?.text ?? "no answer"}`,
    ]);
  }
  if (status.bus && !status.bus.connected) found.push(["bad", "No connection to NATS"]);
  const lag = lagKind(status);
  if (lag) {
    const text = `The event loop was ${Math.round(status.loop.lagWorst)} ms late`;
    found.push([lag, `${text}: a script that takes long, or no CPU left`]);
  }
  for (const row of applications) {
    if (!row.running || !isRecent(row)) continue;
    const since = duration((Date.now() - row.lastError.at) / 1000);
    found.push([
      "warn",
      `Application ${row.path || "/"} had an error ${since} ago: ${row.lastError.text}`,
    ]);
  }
  for (const [what, value, limit] of limitsOf(status)) {
    if (limit > 0 && value >= limit * NEARLY) {
      const percent = Math.round(100 * value / limit);
      found.push([value >= limit ? "bad" : "warn", `${what}: ${percent} % of the limit`]);
    }
  }
  return found.sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
}

/** `bad`, `warn`, or "" if the loop is on time. */
export function lagKind({ loop: { lagWorst } }) {
  return lagWorst > 10 * LAG ? "bad" : lagWorst > LAG ? "warn" : "";
}

function limitsOf({ sessions, doors, memory, process, limits, sharedObjects, recordings }) {
  return [
    ["Sessions of RTMFP", sessions.open, limits.sessions],
    ...doors.map(({ name, sessions, limit }) => [`Connections of ${name}`, sessions, limit]),
    ["Memory of scripts", memory.lua, limits.luaBytes],
    ["Shared objects", sharedObjects.objects, limits.sharedObjects],
    ["Plays of files", recordings.players, limits.filePlayers],
    ["Open files and sockets", process.openFiles ?? 0, process.maxFiles ?? 0],
  ];
}
