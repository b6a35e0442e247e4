// Target: playing, seeking and serving untrusted recordings.
import type { Listener } from "../../src/media/listener.ts";
import { FakeOutput, film, flvFile, Stage } from "../store/fakes.ts";
import type { FuzzTarget } from "./harness.ts";

/** Bytes of the smallest tag. */
const TAG = 15;

/** Plays, seeks and serves a file; playing must end for any content. */
function playAll(bytes: Uint8Array): void {
  const on = new Stage();
  on.disk.files.set("/film.flv", bytes);
  const recorded = on.open("film");
  if (!recorded) return;
  const { file } = recorded;
  for (let at = 0; at < file.size;) {
    let length = 0;
    file.read(at, 4_096, (block) => length = block?.length ?? 0);
    on.settle();
    if (length === 0) throw new Error(`nothing at ${at} of ${file.size}`);
    at += length;
  }
  const listener = { receiveAudio: true, receiveVideo: true } as Listener;
  const output = new FakeOutput();
  const play = recorded.play(listener, output, { start: 0, length: -1, offset: 0 });
  play.bufferLength = 60_000;
  on.settle();
  play.seek(bytes[bytes.length >> 1] * 40);
  // The times of a file may jump forward by 24 days at each tag, and start again.
  const isOver = () => output.ends > 0 || output.failures.length > 0;
  for (let leaps = bytes.length / TAG; leaps > 0 && !isOver(); leaps--) on.pass(2 ** 32);
  if (!isOver()) throw new Error("playing does not end");
}

export const recordingTargets: readonly FuzzTarget[] = [{
  name: "recordings",
  samples: () => [
    flvFile(film().slice(0, 12)),
    flvFile(film(2 ** 31 - 100).slice(0, 9)),
    flvFile([]),
  ],
  run: playAll,
}];
