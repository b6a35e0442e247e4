// Finds global functions whose names look like misspelled events.
import { nearest } from "../../bytes/spelling.ts";

/** The events of API-601 to API-620. */
const EVENTS = [
  "onStart",
  "onStop",
  "onConnection",
  "onFailed",
  "onDisconnection",
  "onPublish",
  "onRecord",
  "onUnpublish",
  "onSubscribe",
  "onUnsubscribe",
  "onAudioPacket",
  "onVideoPacket",
  "onDataPacket",
  "onJoinGroup",
  "onUnjoinGroup",
  "onSharedObject",
  "onSharedObjectLeave",
  "onHandshake",
  "onRendezVousUnknown",
  "onServerConnection",
  "onServerDisconnection",
  "onTypedObject",
  "onManage",
];

/**
 * Finds global functions of an application whose names resemble an event.
 *
 * @returns name and event; an event that the application also defines does not count
 */
export function misspelledEvents(names: readonly string[]): { name: string; event: string }[] {
  const there = new Set(names);
  const meant = [];
  for (const name of there) {
    if (!/^on/i.test(name) || EVENTS.includes(name)) continue;
    const event = nearest(name, EVENTS);
    if (event !== undefined && !there.has(event)) meant.push({ name, event });
  }
  return meant;
}

export const misspelledText = (name: string, event: string): string =>
  `the function ${name} is not an event; did you mean ${event}?`;

/** `function onX(`, or `onX = function`, at the beginning of a line. */
const DEFINITION =
  /^[ \t]*(?:function[ \t]+(on\w{1,40})[ \t]*\(|(on\w{1,40})[ \t]*=[ \t]*function\b)/gim;

/** As {@link misspelledEvents}, from the text of a script, without running it. `line` counts from 1. */
export function misspelledInSource(source: string): { line: number; text: string }[] {
  const lines = new Map<string, number>();
  for (const match of source.matchAll(DEFINITION)) {
    const [, defined, assigned] = match;
    const name = defined ?? assigned;
    if (name === undefined || lines.has(name)) continue;
    lines.set(name, source.slice(0, match.index).split("\n").length);
  }
  return misspelledEvents([...lines.keys()])
    .map(({ name, event }) => ({ line: lines.get(name)!, text: misspelledText(name, event) }));
}
