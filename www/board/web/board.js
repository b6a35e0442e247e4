// The page of the board: every stroke is a slot of a shared object; www/board/main.lua checks changes.
// Points are in 1/10,000 of the width and height, so that windows of any size agree.

import { connect } from "/cumulus.js";

const SCALE = 10_000;
const MAX_NUMBERS = 1998; // of a stroke, two a point; a longer stroke continues in the next slot
const SEND_INTERVAL = 100; // milliseconds between two changes of the current stroke
const RETRY_INTERVAL = 2000; // milliseconds until the page connects again

const element = (id) => document.getElementById(id);
const canvas = element("board");
const context = canvas.getContext("2d");

let board; // the shared object; undefined without connection
let me = "";
let number = 0; // of the last own stroke
let stroke; // the current own stroke: { slot, color, points }
let sent = 0; // numbers of it that the server has
let paintsSoon = false;

async function run() {
  for (;;) {
    try {
      const connection = await connect(location.href.replace(/\/[^/]*$/, ""));
      const closed = new Promise((resolve) => connection.addEventListener("close", resolve));
      me = await connection.call("me");
      board = await connection.sharedObject("board");
      board.addEventListener("sync", paint);
      board.addEventListener("status", () => show("The server has refused a stroke."));
      element("clear").disabled = false;
      show("Draw. Everybody here sees it.");
      paint();
      await closed;
      show("The connection has ended; connecting again …");
    } catch (error) {
      const lost = error.status?.code === "NetConnection.Connect.Closed"; // without a reason to show
      show(`Not connected, trying again … ${lost ? "" : error.message}`);
    }
    board = stroke = undefined;
    element("clear").disabled = true;
    await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL));
  }
}

// Drawing

canvas.addEventListener("pointerdown", (event) => {
  if (!board) return;
  canvas.setPointerCapture(event.pointerId);
  begin(event);
});

canvas.addEventListener("pointermove", (event) => {
  if (!stroke) return;
  add(event);
  if (stroke.points.length < MAX_NUMBERS) return;
  send();
  begin(event);
});

for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, () => {
    send();
    stroke = undefined;
  });
}

setInterval(send, SEND_INTERVAL);

element("clear").addEventListener("click", () => {
  for (const slot of [...board.data.keys()]) {
    if (slot.startsWith(`${me}/`)) board.delete(slot);
  }
  paint();
});

function begin(event) {
  stroke = { slot: `${me}/${++number}`, color: element("color").value, points: [] };
  sent = 0;
  add(event);
}

function add({ offsetX, offsetY }) {
  const { clientWidth, clientHeight } = canvas;
  stroke.points.push(
    Math.round(SCALE * offsetX / clientWidth),
    Math.round(SCALE * offsetY / clientHeight),
  );
  paint();
}

/** Sends the points drawn since the last call. */
function send() {
  if (!board || !stroke || stroke.points.length === sent) return;
  sent = stroke.points.length;
  board.set(stroke.slot, { color: stroke.color, points: [...stroke.points] });
}

// Painting

new ResizeObserver(paint).observe(canvas);

/** Paints the board before the browser's next frame. */
function paint() {
  if (paintsSoon) return;
  paintsSoon = true;
  requestAnimationFrame(() => {
    paintsSoon = false;
    const width = canvas.width = Math.max(1, canvas.clientWidth * devicePixelRatio);
    const height = canvas.height = Math.max(1, canvas.clientHeight * devicePixelRatio);
    context.lineWidth = 3 * devicePixelRatio;
    context.lineCap = context.lineJoin = "round";
    for (const line of board?.data.values() ?? []) paintStroke(line, width, height);
    if (stroke) paintStroke(stroke, width, height);
  });
}

/** Strokes of other clients may be anything that the script accepts. */
function paintStroke({ color, points }, width, height) {
  context.strokeStyle = "#888"; // stays if `color` is invalid
  context.strokeStyle = color;
  context.beginPath();
  for (let i = 0; i + 1 < points.length; i += 2) {
    context.lineTo(points[i] * width / SCALE, points[i + 1] * height / SCALE);
  }
  if (points.length === 2) {
    context.lineTo(points[0] * width / SCALE + 1, points[1] * height / SCALE);
  }
  context.stroke();
}

function show(text) {
  element("state").textContent = text;
}

run();
