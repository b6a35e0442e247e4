// The exports of `shim.wat`.
export interface Shim {
  alloc: CallableFunction;
  hook: CallableFunction;
  pushInteger(state: number, value: number): void;
  rawGet(state: number, index: number, key: number): number;
  rawSet(state: number, index: number, key: number): void;
  /** Bytes that Lua holds. */
  used: WebAssembly.Global;
  /** Bytes that Lua may hold. */
  limit: WebAssembly.Global;
}
