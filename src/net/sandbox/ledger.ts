/** What an application's sockets are counted in. */
export interface Ledger {
  opened(socket: { close(): void }): void;
  closed(socket: { close(): void }): void;
  hold(bytes: number): boolean;
  release(bytes: number): void;
  full(): boolean;
}
