// Shows the numbers of /api/… and asks for them again every two seconds.
// Names of streams, texts of errors and the like come from clients: they only ever become text
// nodes.

import { drawChart } from "./chart.js";

const PERIOD_MS = 2_000;
const LAG_MS = 100; // worse is shown in amber
const HISTORY = 90; // samples of a stream's rate: three minutes
const $ = (id) => document.getElementById(id);

let token = sessionStorage.getItem("token") ?? "";
const rates = new Map(); // name of a stream → bits a second, oldest first
let before; // the traffic of the last answer, and when

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.append(text);
  if (className) made.className = className;
  return made;
}

const whole = new Intl.NumberFormat();
const number = (value) => whole.format(Math.round(value));

function scaled(value, unit) {
  for (const prefix of ["", "k", "M", "G"]) {
    if (value < 1000 || prefix === "G") {
      return `${value.toFixed(value < 10 && prefix ? 1 : 0)} ${prefix}${unit}`;
    }
    value /= 1000;
  }
}

function duration(seconds) {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min` : `${Math.floor(seconds)} s`;
}

const ago = (at) => `${duration(Math.max(0, (Date.now() - at) / 1000))} ago`;
const short = (id) => id.length > 16 ? `${id.slice(0, 12)}…` : id;

async function ask(path) {
  const response = await fetch(`api/${path}`, {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    cache: "no-store",
  });
  if (response.status === 401) throw new DOMException("token", "NotAllowedError");
  if (!response.ok) throw new Error(`${response.status}`);
  return response.json();
}

/** Fills a table; a column is [title, kind, row => text or node]. */
function table(id, columns, rows, total, nothing) {
  const head = element("tr");
  for (const [title, kind] of columns) head.append(element("th", title, kind));
  const body = rows.map((row) => {
    const line = element("tr");
    for (const [, kind, cell] of columns) line.append(element("td", cell(row), kind));
    return line;
  });
  const rest = total - rows.length;
  const note = rows.length === 0 ? nothing : rest > 0 ? `and ${number(rest)} more` : "";
  if (note) {
    const cell = element("td", note, "empty");
    cell.colSpan = columns.length;
    const line = element("tr");
    line.append(cell);
    body.push(line);
  }
  $(id).replaceChildren(...(rows.length ? [head] : []), ...body);
}

function list(id, pairs, nothing) {
  const parts = pairs.flatMap(([term, text, kind]) => [
    element("dt", term),
    element("dd", text, kind),
  ]);
  $(id).replaceChildren(...(parts.length ? parts : [element("dd", nothing, "empty")]));
}

function rateLine(name, bits) {
  const history = rates.get(name) ?? [];
  history.push(bits);
  if (history.length > HISTORY) history.shift();
  rates.set(name, history);
  const most = Math.max(...history, 1);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "rate");
  svg.setAttribute("viewBox", `0 0 ${HISTORY - 1} 100`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `bit rate over time, at most ${scaled(most, "b/s")}`);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const start = HISTORY - history.length;
  const points = history.map((rate, i) => `${start + i} ${98 - 96 * rate / most}`);
  path.setAttribute("d", `M${points.join("L")}`);
  svg.append(path);
  return svg;
}

function showStatus(status) {
  $("version").textContent = status.version;
  const now = performance.now();
  const traffic = { ...status.traffic };
  for (const { bytesIn, bytesOut } of [...status.doors, status.relays]) {
    traffic.bytesIn += bytesIn;
    traffic.bytesOut += bytesOut;
  }
  const seconds = before ? (now - before.at) / 1000 : 0;
  const rate = (key) => seconds ? (traffic[key] - before.traffic[key]) / seconds : 0;
  const tiles = [
    [number(status.sessions.clients), "clients"],
    [number(status.publications), "streams"],
    [number(status.listeners), "listeners"],
    [scaled(rate("bytesIn") * 8, "b/s"), "in"],
    [scaled(rate("bytesOut") * 8, "b/s"), "out"],
    [number(rate("datagramsIn") + rate("datagramsOut")), "datagrams/s"],
    [`${status.loop.lagWorst.toFixed(1)} ms`, "worst lag, 10 s", status.loop.lagWorst > LAG_MS],
    [scaled(status.memory.resident, "B"), "memory"],
    [duration(status.uptime), "up"],
  ];
  before = { at: now, traffic };
  $("tiles").replaceChildren(...tiles.map(([value, label, warns]) => {
    const tile = element("div", undefined, warns ? "tile warn" : "tile");
    tile.append(element("b", value), element("span", label));
    return tile;
  }));
  const { addresses, backends } = status;
  const outside = addresses.lastFromOutside;
  list("addresses", [
    ["Listens on", addresses.listening.join(", ")],
    ["This machine", addresses.local.join(", ") || "unknown"],
    ["Public address", addresses.publicAddress || "not configured"],
    outside === null
      ? ["UDP from outside", "nothing has reached this server from another machine yet", "bad"]
      : ["UDP from outside", `reaches this server, last ${ago(outside)}`, "good"],
    ["Back-ends", `${backends.crypto}, ${backends.socket}`],
  ]);
  const counts = (record, prefix) =>
    Object.entries(record).filter(([, count]) => count > 0)
      .map(([reason, count]) => [`${prefix}${reason}`, number(count)]);
  list(
    "doors",
    status.doors.map(({ name, sessions, unconnected, bytesIn, bytesOut }) => [
      name.toUpperCase(),
      `${number(sessions)} connections, ${number(unconnected)} of them opening, ` +
      `${scaled(bytesIn, "B")} in, ${scaled(bytesOut, "B")} out`,
    ]),
    "None.",
  );
  const shared = status.sharedObjects;
  list(
    "shared",
    shared.objects + shared.changes + shared.sends === 0 ? [] : [
      ["Objects", `${number(shared.objects)}, ${scaled(shared.bytes, "B")}`],
      ["Used by clients", `${number(shared.uses)} times`],
      ["Changes and calls", `${number(shared.changes)} and ${number(shared.sends)}`],
      ["Refused", number(shared.refused)],
      ["Files written", number(shared.written)],
      ...(shared.failed ? [["Files not written", number(shared.failed), "bad"]] : []),
    ],
    "None.",
  );
  list("drops", [
    ...counts(status.drops, ""),
    ...counts(status.refusals, "sandbox "),
    ...status.doors.flatMap(({ name, closed }) => counts(closed, `${name} `)),
    ...(status.droppedAudio
      ? [["audio frames to slow listeners", number(status.droppedAudio)]]
      : []),
    ...(status.droppedVideo
      ? [["video frames to slow listeners", number(status.droppedVideo)]]
      : []),
  ], "Nothing.");
}

function showHistory({ interval, bytesIn, bytesOut, clients }) {
  const bits = (bytes) => bytes.map((each) => each * 8);
  drawChart(
    $("traffic"),
    { out: bits(bytesOut), in: bits(bytesIn) },
    (rate) => scaled(rate, "b/s"),
  );
  drawChart($("connected"), { clients }, number);
  const span = clients.length > 0 ? `, last ${duration(clients.length * interval / 1000)}` : "";
  for (const place of document.querySelectorAll("figure .span")) place.textContent = span;
}

function recorded(recording) {
  if (!recording) return "";
  return `${recording.name}, ${scaled(recording.size, "B")}, ${
    duration(recording.duration / 1000)
  }`;
}

function showPublications({ rows, total }) {
  const names = new Set(rows.map((row) => row.name));
  for (const name of rates.keys()) if (!names.has(name)) rates.delete(name);
  const bits = (row) => (row.audio.byteRate + row.video.byteRate) * 8;
  table(
    "publications",
    [
      ["Name", "", (row) => row.name],
      ["Bit rate", "number", (row) => scaled(bits(row), "b/s")],
      ["Last minutes", "", (row) => rateLine(row.name, bits(row))],
      ["Listeners", "number", (row) => number(row.listeners)],
      ["Lost", "number", (row) => `${(row.video.lostRate * 100).toFixed(1)} %`],
      ["Skipped", "number", (row) => number(row.skippedFrames)],
      ["Dropped", "number", (row) => number(row.droppedFrames + row.video.droppedFrames)],
      ["Recorded", "", (row) => recorded(row.recording)],
      ["Publisher", "id", (row) => short(row.publisher)],
    ],
    rows,
    total,
    "Nobody publishes.",
  );
}

const columns = {
  applications: [
    ["Path", "", (row) => row.path || "/"],
    ["State", "", (row) => row.running ? "running" : element("span", "stopped", "bad")],
    ["Clients", "number", (row) => number(row.clients)],
    ["Refused", "number", (row) => number(Object.values(row.refusals).reduce((a, b) => a + b, 0))],
    ["Errors", "number", (row) => element("span", number(row.errors), row.errors ? "bad" : "")],
    ["Last error", "wide", lastError],
  ],
  clients: [
    ["Id", "id", (row) => short(row.id)],
    ["Door", "", (row) => row.protocol],
    ["Address", "", (row) => row.address],
    ["Application", "", (row) => row.path || "/"],
    ["Ping", "number", (row) => `${number(row.ping)} ms`],
    ["Silent", "number", (row) => duration(row.idle / 1000)],
    ["Publishes", "", (row) => row.publishes.join(", ")],
    ["Plays", "", (row) => row.plays.join(", ")],
    ["Player", "", (row) => row.flashVersion],
  ],
  groups: [
    ["Id", "id", (row) => row.id],
    ["Members", "number", (row) => number(row.size)],
  ],
  relays: [
    ["Stream", "", (row) => row.name],
    ["Direction", "", (row) => row.direction === "push" ? "to" : "from"],
    ["Server", "", (row) => row.target],
    [
      "State",
      "",
      (row) =>
        element(
          "span",
          `${row.state}, ${duration(row.age / 1000)}`,
          row.state === "waiting" ? "bad" : "",
        ),
    ],
    ["In", "number", (row) => scaled(row.bytesIn, "B")],
    ["Out", "number", (row) => scaled(row.bytesOut, "B")],
    ["Reconnects", "number", (row) => number(row.reconnects)],
    ["Last error", "wide", lastError],
  ],
  servers: [
    ["Address", "", (row) => row.address],
    ["Public address", "", (row) => row.publicAddress],
    ["Linked by", "", (row) => !row.isLinked ? "" : row.isTarget ? "this server" : "the other"],
    ["State", "", serverState],
    ["Clients", "number", (row) => row.load ? number(row.load.clients) : ""],
    ["Publications", "number", (row) => row.load ? number(row.load.publications) : ""],
    ["Heard", "number", (row) => row.silence === null ? "" : `${duration(row.silence / 1000)} ago`],
  ],
};

function lastError({ lastError }) {
  return lastError ? `${lastError.text} (${ago(lastError.at)})` : "";
}

function serverState({ failure, isLinked, silence }) {
  if (failure) return `not linked: ${failure}`;
  if (silence === null) return "linked";
  return isLinked ? "linked, on the bus" : "on the bus";
}

async function refresh() {
  try {
    const [status, history, publications, ...others] = await Promise.all([
      ask("status"),
      ask("history"),
      ask("publications"),
      ask("applications"),
      ask("clients?limit=50"),
      ask("groups?limit=50"),
      ask("relays?limit=50"),
      ask("servers"),
    ]);
    showStatus(status);
    showHistory(history);
    showPublications(publications);
    for (const [i, id] of ["applications", "clients", "groups", "relays", "servers"].entries()) {
      const { rows, total = rows.length } = others[i];
      table(id, columns[id], rows, total, "None.");
    }
    $("state").textContent = "Live";
    $("state").className = "";
    $("content").hidden = false;
    $("login").hidden = true;
  } catch (error) {
    const refused = error.name === "NotAllowedError";
    $("login").hidden = !refused;
    if (refused) $("content").hidden = true;
    $("state").textContent = refused
      ? (token ? "The server does not know this token" : "A token is needed")
      : "No answer from the server";
    $("state").className = "lost";
  }
}

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  token = $("token").value;
  sessionStorage.setItem("token", token);
  refresh();
});

async function run() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
  }
}
run();
