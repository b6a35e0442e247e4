// Plays the stream that the page's address names: at /application/name, the stream /application/name.flv.

/* global mpegts */

/** Seconds behind the newest frame from which the player plays faster, and from which it jumps. */
const CATCH_UP = 1.2;
const JUMP = 4;
/** Milliseconds before the first retry, the maximum, after a refusal, and without a new frame. */
const FIRST_RETRY = 1000;
const LAST_RETRY = 10_000;
const REFUSED_RETRY = 60_000;
const STALLED = 8000;

const element = (id) => document.getElementById(id);
const video = element("video");
const { pathname, search, origin } = location;
const name = decodeURIComponent(pathname.split("/").at(-1));
const query = new URLSearchParams(search);
const recorded = query.has("recorded");
const isEmbedded = query.has("embed");
query.delete("embed");
const source = `${pathname}.flv${query.size > 0 ? `?${query}` : ""}`;

let player;
let retry = FIRST_RETRY;
/** Whether this page has shown the stream live. */
let shown = false;
let timer;
let lastTime = 0;
let lastMoved = 0;

function say(text) {
  element("message").textContent = text;
}

function play() {
  clearTimeout(timer);
  if (!globalThis.mpegts?.isSupported()) {
    return say("This browser cannot play the stream: it lacks Media Source Extensions.");
  }
  player = mpegts.createPlayer(
    { type: "flv", isLive: !recorded, url: source },
    {
      enableStashBuffer: recorded,
      lazyLoad: recorded,
      liveBufferLatencyChasing: !recorded,
      liveBufferLatencyMaxLatency: CATCH_UP + 0.6,
      liveBufferLatencyMinRemain: 0.4,
      autoCleanupSourceBuffer: true,
    },
  );
  player.on(mpegts.Events.ERROR, (type, detail, info) => {
    if (isStatus(detail) && info.code === 403) refused();
    else again(reason(type, detail, info));
  });
  player.on(mpegts.Events.METADATA_ARRIVED, (metadata) => {
    // Later: mpegts.js still uses the player after this event.
    if (!recorded && metadata.keyframes) setTimeout(notLive);
  });
  player.on(mpegts.Events.LOADING_COMPLETE, () => recorded || again("The stream has ended."));
  player.attachMediaElement(video);
  player.load();
  lastMoved = performance.now();
  video.play().catch((error) => {
    if (error.name === "NotAllowedError") say("Press play");
  });
}

const isStatus = (detail) => detail === mpegts.ErrorDetails.NETWORK_STATUS_CODE_INVALID;

/** Shows the bar for seeking: the address serves a recording, as the stream is not live. */
function notLive() {
  if (!player) return;
  if (shown) return again("The stream has ended. Load this page again for its recording.");
  stop();
  query.set("recorded", "");
  if (isEmbedded) query.set("embed", "");
  location.replace(`${pathname}?${query}`);
}

/** Requests and shows the reason of a refusal, which mpegts.js does not report. */
async function refused() {
  stop();
  const aborter = new AbortController();
  let why = "";
  try {
    const response = await fetch(source, { signal: aborter.signal });
    if (response.status === 403) why = (await response.text()).trim();
  } catch {
    // the message stays without the reason
  }
  aborter.abort();
  again(`You may not watch this stream${why && `: ${why}`}.`, REFUSED_RETRY);
}

function reason(type, detail, info) {
  if (isStatus(detail)) {
    if (info.code === 404) return "This stream is not live.";
    if (info.code === 415) return "Browsers cannot play the codecs of this stream.";
    return `The server answers ${info.code}.`;
  }
  if (type === mpegts.ErrorTypes.MEDIA_ERROR) return "Browsers cannot play this stream.";
  return "The connection was lost.";
}

/** Ends the player, and tries again: after 1 s at first, later after 10 s at most. */
function again(text, wait = retry) {
  stop();
  say(`${text} Trying again…`);
  timer = setTimeout(play, wait);
  retry = Math.min(LAST_RETRY, 2 * retry);
}

function stop() {
  clearTimeout(timer);
  player?.destroy();
  player = undefined;
  element("live").hidden = true;
}

/** Shows the delay, keeps it small, and detects a stream without new frames. */
function watch() {
  if (!player || video.buffered.length === 0) return;
  if (video.currentTime !== lastTime) {
    lastTime = video.currentTime;
    lastMoved = performance.now();
  } else if (!recorded && !video.paused && performance.now() - lastMoved > STALLED) {
    return again("No new frames arrive.");
  }
  if (recorded) {
    const seek = element("seek");
    seek.max = String(video.duration || 0);
    if (document.activeElement !== seek) seek.value = String(video.currentTime);
    element("delay").textContent = `${clock(video.currentTime)} / ${clock(video.duration)}`;
    return;
  }
  const delay = video.buffered.end(video.buffered.length - 1) - video.currentTime;
  if (delay > JUMP) video.currentTime += delay - 0.5;
  video.playbackRate = delay > CATCH_UP ? 1.1 : 1;
  element("delay").textContent = `${delay.toFixed(1)} s behind`;
}

function clock(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function setMuted(muted) {
  video.muted = muted;
  const button = element("mute");
  button.textContent = muted ? "Muted" : "Sound on";
  button.setAttribute("aria-pressed", String(muted));
  if (!muted) element("sound").hidden = true;
}

document.title = recorded ? name : `${name} – live`;
element("name").textContent = name;
element("embed").value = `<iframe src="${origin}${pathname}?${
  recorded ? "recorded&" : ""
}embed" width="640" height="360" allowfullscreen></iframe>`;
document.body.classList.toggle("small", isEmbedded);
element("seek").hidden = !recorded;

element("sound").addEventListener("click", () => setMuted(false));
element("mute").addEventListener("click", () => setMuted(!video.muted));
element("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (element("stage").requestFullscreen) element("stage").requestFullscreen();
  else video.webkitEnterFullscreen?.(); // iPhone
});
element("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(element("embed").value);
  element("copy").textContent = "Copied";
});
element("seek").addEventListener("input", ({ target }) => video.currentTime = Number(target.value));
video.addEventListener("playing", () => {
  say("");
  retry = FIRST_RETRY;
  shown = true;
  element("live").hidden = recorded;
  if (video.muted) element("sound").hidden = false;
});
video.addEventListener("waiting", () => recorded || say("Waiting for the picture…"));
video.addEventListener("ended", () => say("The end."));
// A tab that becomes visible again shows the current picture, not the one when it was hidden.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && player && !recorded) lastMoved = performance.now();
});
setInterval(watch, 250);
if (globalThis.mpegts) play();
else addEventListener("DOMContentLoaded", play);
