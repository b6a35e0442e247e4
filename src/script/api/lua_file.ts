import { concat } from "../../bytes/concat.ts";
import type { HostFile } from "./host.ts";

const CHUNK = 8192;
/** Bytes of a number as text that are read at most. Lua 5.4, liolib.c L_MAXLENNUM */
const MAX_NUMBER = 200;
const LINE_FEED = 10;

/** An open file, as `file:read` and `file:write` use it: reading is buffered. Texts are reasons of failure. */
export class LuaFile {
  #file: HostFile | undefined;
  /** Bytes read ahead, from {@link #at} on. */
  #buffer = new Uint8Array(0);
  #at = 0;
  /** Why the last read gave nothing, unless it was the end. */
  error: string | undefined;

  constructor(file: HostFile, readonly onClose: () => void) {
    this.#file = file;
  }

  get open(): boolean {
    return this.#file !== undefined;
  }

  close(): void {
    const file = this.#file;
    if (!file) return;
    this.#file = undefined;
    this.#buffer = new Uint8Array(0);
    this.#at = 0;
    file.close();
    this.onClose();
  }

  /** Up to the next line feed. @returns undefined at the end */
  line(keepLineFeed: boolean): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    for (;;) {
      if (!this.#fill()) return parts.length > 0 ? concat(parts) : undefined;
      const end = this.#buffer.indexOf(LINE_FEED, this.#at);
      if (end < 0) {
        parts.push(this.#take(this.#buffer.length));
        continue;
      }
      parts.push(this.#take(keepLineFeed ? end + 1 : end));
      this.#at = end + 1;
      return concat(parts);
    }
  }

  /** Up to `count` bytes. @returns undefined at the end; with a count of 0, `""` before it */
  bytes(count: number): Uint8Array | undefined {
    if (!this.#fill()) return undefined;
    const parts: Uint8Array[] = [];
    let left = count;
    while (left > 0 && this.#fill()) {
      const part = this.#take(Math.min(this.#buffer.length, this.#at + left));
      parts.push(part);
      left -= part.length;
    }
    return concat(parts);
  }

  /** Everything up to the end, which may be nothing. */
  all(limit: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length < limit && this.#fill()) {
      const part = this.#take(this.#buffer.length);
      parts.push(part);
      length += part.length;
    }
    return concat(parts);
  }

  /** The text of a number, as far as it can be one. */
  number(): string {
    let text = "";
    let next = this.#peek();
    for (; next !== undefined && /\s/.test(next); next = this.#peek()) this.#at++;
    const starts = /^[+-]?(0x?[0-9a-f]*(\.[0-9a-f]*)?(p[+-]?\d*)?|\d*(\.\d*)?(e[+-]?\d*)?)$/i;
    for (; next !== undefined && starts.test(text + next); next = this.#peek()) {
      if (text.length === MAX_NUMBER) break;
      text += next;
      this.#at++;
    }
    return text;
  }

  /** @returns why it could not be written */
  write(bytes: Uint8Array): string | undefined {
    if (!this.#file) return "file is closed";
    this.#forget();
    return this.#file.write(bytes);
  }

  seek(from: "start" | "current" | "end", by: number): number | string {
    if (!this.#file) return "file is closed";
    this.#forget();
    return this.#file.seek(from, by);
  }

  flush(): void {
    this.#file?.flush();
  }

  /** The next byte as a character, left unread; undefined at the end. */
  #peek(): string | undefined {
    const byte = this.#fill() ? this.#buffer[this.#at] : undefined;
    return byte === undefined ? undefined : String.fromCharCode(byte);
  }

  #take(end: number): Uint8Array {
    const part = this.#buffer.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  /** Makes sure that there is something in the buffer. @returns false at the end */
  #fill(): boolean {
    if (this.#at < this.#buffer.length) return true;
    if (!this.#file) return false;
    const chunk = new Uint8Array(CHUNK);
    const count = this.#file.read(chunk);
    if (typeof count === "string") {
      this.error = count;
      return false;
    }
    this.#buffer = chunk.subarray(0, count);
    this.#at = 0;
    return count > 0;
  }

  /** The place of the file becomes the place that was read to. */
  #forget(): void {
    const ahead = this.#buffer.length - this.#at;
    this.#buffer = new Uint8Array(0);
    this.#at = 0;
    if (ahead > 0) this.#file?.seek("current", -ahead);
  }
}
