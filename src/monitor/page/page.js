// Shows the values of /api/…, refreshed every two seconds.
import { drawChart } from "./chart.js";
import { ago, duration, element, number, scaled } from "./format.js";
import { lagKind, problemsOf } from "./problems.js";
import { Table } from "./table.js";
import { tables as definitions } from "./tables.js";

const PERIOD_MS = 2_000;
const $ = (id) => document.getElementById(id);

let token = sessionStorage.getItem("token") ?? "";
let before; // traffic and time of the last answer
let asked = 0; // number of the last request: answers to older ones are dropped

const tables = Object.entries(definitions).map((
  [id, options],
) => [id, new Table($(id), options, refresh)]);

async function ask(path) {
  const response = await fetch(`api/${path}`, {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    cache: "no-store",
  });
  if (response.status === 401) throw new DOMException("token", "NotAllowedError");
  if (!response.ok) throw new Error(`${response.status}`);
  return response.json();
}

function list(id, pairs, nothing) {
  const parts = pairs.flatMap(([term, text, kind]) => [
    element("dt", term),
    element("dd", text, kind),
  ]);
  $(id).replaceChildren(...(parts.length ? parts : [element("dd", nothing, "soft")]));
}

/** Traffic and CPU time per second since the last answer. */
function ratesOf({ traffic, doors, relays, process }) {
  const now = performance.now();
  const sums = { ...traffic, cpu: process.cpuSeconds };
  for (const { bytesIn, bytesOut } of [...doors, relays]) {
    sums.bytesIn += bytesIn;
    sums.bytesOut += bytesOut;
  }
  const seconds = before ? (now - before.at) / 1000 : 0;
  const rate = (key) => seconds ? Math.max(0, sums[key] - before.sums[key]) / seconds : 0;
  const rates = {
    in: rate("bytesIn") * 8,
    out: rate("bytesOut") * 8,
    datagrams: rate("datagramsIn") + rate("datagramsOut"),
    cpu: rate("cpu"),
  };
  before = { at: now, sums };
  return rates;
}

function showTiles(status) {
  const rates = ratesOf(status);
  const tiles = [
    ["clients", number(status.sessions.clients)],
    ["streams", number(status.publications)],
    ["viewers", number(status.listeners)],
    ["out", scaled(rates.out, "b/s")],
    ["in", scaled(rates.in, "b/s")],
    ["datagrams/s", number(rates.datagrams)],
    ["CPU", `${Math.round(100 * rates.cpu)} %`],
    ["memory", scaled(status.memory.resident, "B")],
    ["worst lag, 10 s", `${status.loop.lagWorst.toFixed(1)} ms`, lagKind(status)],
    ["up", duration(status.uptime)],
  ];
  $("tiles").replaceChildren(...tiles.map(([label, value, kind]) => {
    const tile = element("div", undefined, kind ? `tile ${kind}` : "tile");
    tile.append(element("span", label), element("b", value));
    return tile;
  }));
}

function showLists(status) {
  const { addresses, backends, sharedObjects: shared } = status;
  const outside = addresses.lastFromOutside;
  list("addresses", [
    ["Listens on", addresses.listening.join(", ")],
    ["This machine", addresses.local.join(", ") || "unknown"],
    ["Public address", addresses.publicAddress || "not configured"],
    outside === null
      ? ["UDP from outside", "nothing has reached this server from another machine yet", "warn"]
      : ["UDP from outside", `reaches this server, last ${ago(outside)}`, "good"],
    ["Back-ends", `${backends.crypto}, ${backends.socket}`],
  ]);
  list(
    "doors",
    status.doors.map(({ name, sessions, unconnected, bytesIn, bytesOut }) => [
      name.toUpperCase(),
      `${number(sessions)} ${sessions === 1 ? "connection" : "connections"}, ` +
      (unconnected > 0 ? `${number(unconnected)} of them in no application, ` : "") +
      `${scaled(bytesIn, "B")} in, ${scaled(bytesOut, "B")} out`,
    ]),
    "None.",
  );
  list(
    "shared",
    shared.objects + shared.changes + shared.sends === 0 ? [] : [
      ["Objects", `${number(shared.objects)}, ${scaled(shared.bytes, "B")}`],
      ["Users", number(shared.uses)],
      ["Changes and calls", `${number(shared.changes)} and ${number(shared.sends)}`],
      ["Refused", number(shared.refused)],
      ["Files written", number(shared.written)],
      ...(shared.failed ? [["Files not written", number(shared.failed), "bad"]] : []),
    ],
    "None.",
  );
  $("bus-section").hidden = !status.bus;
  if (status.bus) list("bus", busPairs(status.bus));
  const counts = (record, prefix) =>
    Object.entries(record).filter(([, count]) => count > 0)
      .map(([reason, count]) => [`${prefix}${reason}`, number(count)]);
  list("drops", [
    ...counts(status.drops, ""),
    ...counts(status.refusals, "sandbox "),
    ...status.doors.flatMap(({ name, closed }) => counts(closed, `${name} `)),
    ...counts({
      "audio frames to slow viewers": status.droppedAudio,
      "video frames to slow viewers": status.droppedVideo,
      "frames before the first key frame": status.skippedVideo,
    }, ""),
  ], "Nothing.");
}

function busPairs(bus) {
  const { relays, lookups, dropped, claimsLost } = bus;
  return [
    ["NATS", bus.connected ? "connected" : "not connected", bus.connected ? "good" : "bad"],
    [
      "Streams",
      `${number(relays.incoming)} from other servers, ${number(relays.outgoing)} to them`,
    ],
    [
      "Peer searches",
      `${number(lookups.requests)}, ${number(lookups.hits)} found, ${number(lookups.timeouts)} not`,
    ],
    ["Streams lost to another server", number(claimsLost)],
    [
      "Messages",
      `${number(bus.messagesIn)} in, ${scaled(bus.bytesIn, "B")}; ` +
      `${number(bus.messagesOut)} out, ${scaled(bus.bytesOut, "B")}`,
    ],
    [
      "Not sent",
      `${number(dropped.media)} with frames, ${number(dropped.control)} others`,
      dropped.media + dropped.control > 0 ? "warn" : undefined,
    ],
    ...(dropped.unreadable ? [["Not read", number(dropped.unreadable), "warn"]] : []),
  ];
}

function showHistory({ interval, bytesIn, bytesOut, clients }) {
  const bits = (bytes) => bytes.map((each) => each * 8);
  const lines = { out: bits(bytesOut), in: bits(bytesIn) };
  drawChart($("traffic"), lines, interval, (rate) => scaled(rate, "b/s"));
  drawChart($("connected"), { clients }, interval, number);
}

function showState(text, kind) {
  $("state").textContent = text;
  $("state").className = kind;
}

/** Asks for the token, and tells whether the one given is wrong. */
function askForToken() {
  $("content").hidden = true;
  $("login").hidden = false;
  $("why").textContent = token ? "Wrong token." : "Token required.";
  $("token").setAttribute("aria-invalid", String(token !== ""));
  showState("Locked", "warn");
}

async function refresh() {
  const question = ++asked;
  try {
    const [status, history, ...rows] = await Promise.all([
      ask("status"),
      ask("history"),
      ...tables.map(([, table]) => ask(table.question)),
    ]);
    if (question !== asked) return;
    const answers = Object.fromEntries(tables.map(([id], i) => [id, rows[i]]));
    $("version").textContent = status.version;
    const problems = problemsOf({
      status,
      applications: answers.applications.rows,
      servers: answers.servers.rows,
      relays: answers.relays.rows,
    });
    $("problems").replaceChildren(...problems.map(([kind, text]) => element("li", text, kind)));
    showHistory(history);
    showTiles(status);
    for (const [i, [, table]] of tables.entries()) table.show(rows[i]);
    showLists(status);
    showState("Live", problems.length > 0 ? problems[0][0] : "good");
    $("content").hidden = false;
    $("login").hidden = true;
  } catch (error) {
    if (question !== asked) return;
    if (error.name === "NotAllowedError") askForToken();
    else showState("No answer from the server", "bad");
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
