// The tables of the page with their columns.
import { sparkline } from "./chart.js";
import { ago, duration, element, number, pill, scaled, short } from "./format.js";

/** Maximum age (ms) of an error that makes its application red; an older one makes it amber. */
export const RECENT = 600_000;

export const isRecent = ({ lastError }) => lastError !== null && Date.now() - lastError.at < RECENT;

const text = (title, sort, cell, kind = "") => ({ title, sort, cell, kind });
const count = (title, sort, cell) => ({ title, sort, cell, kind: "number" });
const path = (row) => row.path || "/";

export const tables = {
  publications: {
    title: "Streams",
    path: "publications",
    nothing: "No live streams.",
    sort: "name",
    columns: [
      text("Name", "name", streamName, "name"),
      text("Application", "path", (row) => row.publisher === "script" ? "" : path(row)),
      text("Publisher", "address", publisher),
      text("Codec", "videoCodec", codecs),
      count("Rate", "byteRate", (row) => scaled(row.byteRate * 8, "b/s")),
      {
        title: "Last minutes",
        kind: "spark",
        cell: (row) =>
          sparkline(row.rates, `rate, ${scaled(Math.max(0, ...row.rates) * 8, "b/s")} at most`),
      },
      text("Viewers", "listeners", viewers, "number"),
      count("Lost", "video.lostRate", lost),
      count("Dropped", "droppedFrames", dropped),
    ],
  },
  applications: {
    title: "Applications",
    path: "applications",
    nothing: "No application has started.",
    sort: "path",
    limit: 1000,
    mark: (row) => !row.running ? "bad" : row.errors > 0 ? (isRecent(row) ? "bad" : "warn") : "",
    columns: [
      text("Path", "path", path, "name"),
      text(
        "State",
        "running",
        (row) => row.running ? pill("running", "good") : pill("stopped", "bad"),
      ),
      count("Clients", "clients", (row) => number(row.clients)),
      count("Refused", undefined, (row) => number(sum(row.refusals))),
      count("Errors", "errors", errors),
      text("Last error", "lastError.at", lastError, "wide"),
    ],
  },
  clients: {
    title: "Clients",
    path: "clients",
    nothing: "No clients.",
    limit: 50,
    columns: [
      text("Address", "address", (row) => row.address, "name"),
      text("Door", "protocol", (row) => row.protocol),
      text("Application", "path", path),
      count("Ping", "ping", (row) => `${number(row.ping)} ms`),
      count("Silent", "idle", (row) => duration(row.idle / 1000)),
      text("Publishes", "publishes", (row) => row.publishes.join(", ")),
      text("Plays", "plays", (row) => row.plays.join(", ")),
      text("Player", "flashVersion", (row) => row.flashVersion),
      text("Id", undefined, (row) => short(row.id), "id"),
    ],
  },
  relays: {
    title: "Relays",
    path: "relays",
    nothing: "",
    limit: 50,
    hidesEmpty: true,
    mark: (row) => row.state === "waiting" ? "bad" : "",
    columns: [
      text("Stream", "name", (row) => row.name, "name"),
      text("Direction", "direction", (row) => row.direction === "push" ? "to" : "from"),
      text("Server", "target", (row) => row.target),
      text("State", "state", relayState),
      count("In", "bytesIn", (row) => scaled(row.bytesIn, "B")),
      count("Out", "bytesOut", (row) => scaled(row.bytesOut, "B")),
      count("Reconnects", "reconnects", (row) => number(row.reconnects)),
      text("Last error", "lastError.at", lastError, "wide"),
    ],
  },
  servers: {
    title: "Servers",
    path: "servers",
    nothing: "",
    hidesEmpty: true,
    mark: (row) => row.failure ? "bad" : "",
    columns: [
      text("Address", "address", (row) => row.address, "name"),
      text("Public address", "publicAddress", (row) => row.publicAddress),
      text(
        "Linked by",
        undefined,
        (row) => !row.isLinked ? "" : row.isTarget ? "this server" : "the other",
      ),
      text("State", "failure", serverState, "wide"),
      count("Clients", "load.clients", (row) => row.load ? number(row.load.clients) : ""),
      count("Streams", "load.publications", (row) => row.load ? number(row.load.publications) : ""),
      count(
        "Heard",
        "silence",
        (row) => row.silence === null ? "" : `${duration(row.silence / 1000)} ago`,
      ),
    ],
  },
  groups: {
    title: "Groups",
    path: "groups",
    nothing: "",
    limit: 50,
    hidesEmpty: true,
    sort: "-size",
    columns: [
      text("Id", "id", (row) => short(row.id), "id"),
      count("Members", "size", (row) => number(row.size)),
    ],
  },
};

function sum(counts) {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}

function publisher({ publisher, address, protocol }) {
  if (!address) return publisher === "script" ? "a script" : publisher;
  const cell = element("span", address);
  cell.append(element("small", protocol));
  return cell;
}

function codecs({ videoCodec, audioCodec, size }) {
  const names = [videoCodec, audioCodec].filter(Boolean).join(", ");
  if (!size) return names;
  const cell = element("span", names);
  cell.append(element("small", `${size.width} × ${size.height}`));
  return cell;
}

function viewers({ listeners, viewers }) {
  const cell = element("span", number(listeners));
  const doors = Object.entries(viewers).map(([door, n]) => `${door} ${number(n)}`);
  if (doors.length > 0) cell.append(element("small", doors.join(", ")));
  return cell;
}

function lost({ video }) {
  const percent = video.lostRate * 100;
  return element("span", `${percent.toFixed(1)} %`, percent >= 1 ? "warn" : "");
}

function dropped({ droppedFrames, video }) {
  return number(droppedFrames + video.droppedFrames);
}

/** The name of a stream, and below it the state of its recording. */
function streamName({ name, recording }) {
  if (!recording) return name;
  const cell = element("span", name);
  const length = `${scaled(recording.size, "B")}, ${duration(recording.duration / 1000)}`;
  cell.append(element("small", `recorded as ${recording.name}, ${length}`));
  return cell;
}

function errors(row) {
  return row.errors === 0 ? "0" : pill(number(row.errors), isRecent(row) ? "bad" : "warn");
}

function lastError({ lastError }) {
  return lastError ? `${lastError.text} (${ago(lastError.at)})` : "";
}

function relayState({ state, age }) {
  const kind = { running: "good", waiting: "bad", connecting: "warn" }[state] ?? "";
  const cell = element("span", pill(state, kind));
  cell.append(` ${duration(age / 1000)}`);
  return cell;
}

function serverState({ failure, isLinked, silence }) {
  if (failure) {
    const cell = element("span", pill("not linked", "bad"));
    cell.append(` ${failure}`);
    return cell;
  }
  if (silence === null) return pill("linked", "good");
  return pill(isLinked ? "linked, on the bus" : "on the bus", "good");
}
