// Measures how long the server's event loop was blocked, inside of its process (`deno run --preload`). A
// timer of 1 ms records its own lateness, and the part of it in which the thread waited for a core. It
// writes a line of JSON per second to the file BENCH_HEARTBEAT.
// Linux only: reads the thread's running and waiting time from /proc.

const path = Deno.env.get("BENCH_HEARTBEAT")!;
const { symbols: c } = Deno.dlopen("libc.so.6", {
  gettid: { parameters: [], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
});
const decoder = new TextDecoder();
const text = new Uint8Array(128);
const fd = c.open(new TextEncoder().encode(`/proc/self/task/${c.gettid()}/schedstat\0`), 0);
/** @returns time (ms) for which this thread ran, and waited for a core, since its start */
function scheduled(): [ran: number, waited: number] {
  const length = Number(c.pread(fd, text, 128n, 0n));
  const [ran, waited] = decoder.decode(text.subarray(0, length)).split(" ");
  return [Number(ran) / 1e6, Number(waited) / 1e6];
}

const PERIOD = 1;
/** Lateness (ms) of each timer call of this second, and the part of it not spent waiting for a core. */
let gaps: number[] = [];
let own: number[] = [];
let last = performance.now();
let [, lastWaited] = scheduled();
let noted = last;

const timer = setInterval(() => {
  const now = performance.now();
  const [, waited] = scheduled();
  const gap = Math.max(0, now - last - PERIOD);
  gaps.push(gap);
  own.push(Math.max(0, gap - (waited - lastWaited)));
  last = now;
  lastWaited = waited;
  if (now - noted < 1_000) return;
  noted = now;
  Deno.writeTextFileSync(path, JSON.stringify({ at: Date.now(), gaps, own }) + "\n", {
    append: true,
  });
  gaps = [];
  own = [];
}, PERIOD);
Deno.unrefTimer(timer); // Deno starts the program once preloaded modules have nothing left to wait for
