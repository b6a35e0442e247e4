/** Counts the sockets of an application and their waiting bytes. */
export interface Ledger {
  opened(socket: { close(): void }): void;
  closed(socket: { close(): void }): void;
  hold(bytes: number): boolean;
  release(bytes: number): void;
  full(): boolean;
}
