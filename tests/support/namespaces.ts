// Separate networks for processes: Linux namespaces, joined by virtual cables.

const decoder = new TextDecoder();

function run(...args: string[]): void {
  const { success, stderr } = new Deno.Command(args[0], { args: args.slice(1) }).outputSync();
  if (!success) throw new Error(`${args.join(" ")}: ${decoder.decode(stderr).trim()}`);
}

/** A router with two machines, each in a separate network with IPv4 and IPv6. */
export class Namespaces implements Disposable {
  readonly router: string;
  readonly machines: readonly [string, string];
  /** Addresses of the router in each network, and of the machines. */
  readonly routers = [{ four: "10.77.1.1", six: "fd77:1::1" }, {
    four: "10.77.2.1",
    six: "fd77:2::1",
  }];
  readonly addresses = [{ four: "10.77.1.2", six: "fd77:1::2" }, {
    four: "10.77.2.2",
    six: "fd77:2::2",
  }];

  /** @returns undefined, after logging the reason, if the system refuses namespaces */
  static make(): Namespaces | undefined {
    if (Deno.build.os !== "linux") {
      console.log("skipped: network namespaces are a thing of Linux");
      return undefined;
    }
    const made = new Namespaces();
    try {
      made.#make();
      return made;
    } catch (error) {
      made[Symbol.dispose]();
      console.log(`skipped: no network namespaces here: ${(error as Error).message}`);
      return undefined;
    }
  }

  private constructor() {
    const name = `rtmfp${Deno.pid}`;
    this.router = `${name}r`;
    this.machines = [`${name}a`, `${name}b`];
  }

  /** The command line that runs a command in a namespace. */
  static within(name: string, ...command: string[]): string[] {
    return ["ip", "netns", "exec", name, ...command];
  }

  #make(): void {
    const { router } = this;
    const inside = (name: string, ...args: string[]) => run("ip", "-n", name, ...args);
    for (const name of [router, ...this.machines]) {
      run("ip", "netns", "add", name);
      inside(name, "link", "set", "lo", "up");
    }
    for (const [i, machine] of this.machines.entries()) {
      const near = `to${i}`;
      inside(router, "link", "add", near, "type", "veth", "peer", "name", "out", "netns", machine);
      const ends = [[router, near, this.routers[i]], [machine, "out", this.addresses[i]]] as const;
      for (const [name, link, { four, six }] of ends) {
        inside(name, "addr", "add", `${four}/24`, "dev", link);
        inside(name, "addr", "add", `${six}/64`, "dev", link, "nodad");
        inside(name, "link", "set", link, "up");
      }
      inside(machine, "route", "add", "default", "via", this.routers[i].four);
      inside(machine, "-6", "route", "add", "default", "via", this.routers[i].six);
    }
    for (const key of ["ipv4/ip_forward", "ipv6/conf/all/forwarding"]) {
      run(...Namespaces.within(router, "sh", "-c", `echo 1 > /proc/sys/net/${key}`));
    }
  }

  [Symbol.dispose](): void {
    for (const name of [this.router, ...this.machines]) {
      new Deno.Command("ip", { args: ["netns", "del", name], stderr: "null" }).outputSync();
    }
  }
}
