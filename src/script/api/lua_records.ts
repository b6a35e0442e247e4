import type { AmfWriter } from "../../amf/mod.ts";
import { HAS_NAMES, type LuaMemory, RECORD_SIZE } from "../vm/batch.ts";
import { BOOLEAN, FUNCTION, NUMBER, STRING, TABLE } from "../vm/lua.ts";

const NO_BYTES = new Uint8Array(0);

/** Encodes the records of {@link TableBatch.dump} as AMF. */
export class LuaRecords {
  readonly #memory: LuaMemory;
  readonly #writer: AmfWriter;
  readonly #other: (type: number) => void;

  /** @param other writes a value that is not a boolean, number, string or table */
  constructor(memory: LuaMemory, writer: AmfWriter, other: (type: number) => void) {
    this.#memory = memory;
    this.#writer = writer;
    this.#other = other;
  }

  /** Writes the value with the record at an address. @returns the address of the next record */
  write(at: number): number {
    const writer = this.#writer;
    const { bytes, view } = this.#memory;
    const type = view.getInt32(at, true) & 0xff;
    switch (type) {
      case STRING: {
        const start = view.getInt32(at + 8, true);
        writer.string(bytes, start, start + view.getInt32(at + 4, true));
        break;
      }
      case NUMBER:
        writer.number(view.getFloat64(at + 8, true));
        break;
      case TABLE:
        return this.#tableRecord(at);
      case BOOLEAN:
        writer.boolean(view.getInt32(at + 8, true) !== 0);
        break;
      default:
        this.#other(type);
    }
    return at + RECORD_SIZE;
  }

  #tableRecord(at: number): number {
    const writer = this.#writer;
    const { view } = this.#memory;
    const end = view.getInt32(at + 12, true);
    const id = view.getInt32(at + 8, true);
    if (writer.reference(id)) return end;
    const length = view.getInt32(at + 4, true);
    const hasNames = (view.getInt32(at, true) & HAS_NAMES) !== 0;
    if (length === 0 && hasNames) {
      writer.beginObject(NO_BYTES, 0, 0, id);
      this.#namedRecords(at + RECORD_SIZE, end);
      writer.endObject();
      return end;
    }
    writer.beginArray(length, hasNames, id);
    if (hasNames) this.#namedRecords(at + RECORD_SIZE, end);
    writer.dense();
    for (at += RECORD_SIZE; at < end;) {
      if (view.getInt32(at, true) === NUMBER) at = this.write(at + RECORD_SIZE);
      else at = this.#afterRecord(at + RECORD_SIZE);
    }
    writer.endArray();
    return end;
  }

  #namedRecords(at: number, end: number): void {
    const { bytes, view } = this.#memory;
    while (at < end) {
      const value = at + RECORD_SIZE;
      if (view.getInt32(at, true) === STRING && view.getInt32(value, true) !== FUNCTION) {
        const start = view.getInt32(at + 8, true);
        this.#writer.key(bytes, start, start + view.getInt32(at + 4, true));
        at = this.write(value);
      } else at = this.#afterRecord(value);
    }
  }

  #afterRecord(at: number): number {
    const { view } = this.#memory;
    const isTable = (view.getInt32(at, true) & 0xff) === TABLE;
    return isTable ? view.getInt32(at + 12, true) : at + RECORD_SIZE;
  }
}
