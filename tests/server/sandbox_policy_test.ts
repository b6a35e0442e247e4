import assert from "node:assert/strict";
import { readConfig } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/config_error.ts";
import { mayMail, sandboxPolicy } from "../../src/server/sandbox_policy.ts";

const policy = (lines: string) =>
  sandboxPolicy(readConfig(`[sandbox]\n${lines}`, "test.ini").config);

/** Whether Deno permits each host to a worker that has only these permissions. */
async function allowed(net: readonly string[] | true, hosts: string[]): Promise<boolean[]> {
  const code = `self.onmessage = ({ data }) => self.postMessage(data.map((host) =>
    Deno.permissions.querySync({ name: "net", host }).state === "granted"));`;
  const worker = new Worker(`data:application/javascript,${encodeURIComponent(code)}`, {
    type: "module",
    deno: { permissions: { net: net === true ? true : [...net] } },
  } as WorkerOptions);
  worker.postMessage(hosts);
  const states = await new Promise<boolean[]>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  });
  worker.terminate();
  return states;
}

Deno.test("sandboxPolicy() allows scripts public addresses, loopback, and listening from port 1024 by default", async () => {
  const { connect, udp, listen, permissions } = policy("");
  const cases: [string, boolean][] = [
    ["8.8.8.8", true],
    ["127.0.0.1", true],
    ["1.0.0.0", true],
    ["223.255.255.255", true],
    ["10.0.0.1", false],
    ["192.168.1.1", false],
    ["172.16.5.5", false],
    ["169.254.169.254", false],
    ["100.64.0.1", false],
    ["0.0.0.0", false],
    ["255.255.255.255", false],
  ];
  const denos = await allowed(permissions.connect, cases.map(([ip]) => `${ip}:80`));
  for (const [i, [ip, expected]] of cases.entries()) {
    assert.equal(connect(ip, 80), expected, ip);
    assert.equal(udp(ip, 80), expected, ip);
    assert.equal(denos[i], expected, `Deno's own answer for ${ip}`);
  }
  assert.ok(connect("::1", 80));
  assert.ok(!connect("fe80::1", 80));
  assert.ok(!connect("fd00:ec2::254", 80));
  assert.ok(listen("0.0.0.0", 1024));
  assert.ok(!listen("0.0.0.0", 1023));
  assert.ok(listen("::", 1024) && !listen("::", 1023));
  // listening is a permission for its own address: it does not apply to other addresses
  assert.deepEqual(
    await allowed(permissions.listen("0.0.0.0", 1500), [
      "0.0.0.0:1024",
      "0.0.0.0:2047",
      "0.0.0.0:1023",
      "10.0.0.1:1500",
      "8.8.8.8:1500",
    ]),
    [true, true, false, false, false],
  );
  const some =
    policy("listen = 10.1.0.0/16:80, *:53, *:5000-5001, 10.2.0.0/16:1000-1100").permissions;
  assert.deepEqual(some.listen("10.1.0.7", 80), ["10.1.0.7:80", "10.1.0.7:53"]);
  assert.deepEqual(some.listen("::1", 5001), ["[::1]:5000", "[::1]:5001"]);
  assert.equal(some.listen("10.2.0.1", 1024).length, 77);
  assert.equal(policy("listen = *").permissions.listen("0.0.0.0", 65_535).length, 1024);
  const ipv4 = policy("listen = 0.0.0.0:2000, private:3000").listen;
  assert.ok(ipv4("0.0.0.0", 2000) && !ipv4("::", 2000) && !ipv4("fd00::1", 3000));
  const ipv6 = policy("listen = [::]:2000");
  assert.ok(ipv6.listen("::", 2000) && !ipv6.listen("0.0.0.0", 2000) && !ipv6.listen("::1", 2000));
  assert.deepEqual(ipv6.permissions.listen("::", 2000), ["[::]:2000"]);
});

Deno.test("sandboxPolicy() and Deno's permissions allow the same addresses", async () => {
  const { connect, permissions, alone } = policy(
    "connect = 10.1.0.0/16:5432-5433, [2001:db8::7]:443, db.internal:6379, 192.0.2.1",
  );
  const cases: [string, number, boolean][] = [
    ["10.1.2.3", 5432, true],
    ["10.1.2.3", 5433, true],
    ["10.1.2.3", 5434, false],
    ["10.2.0.1", 5432, false],
    ["2001:db8::7", 443, true],
    ["2001:db8::7", 444, false],
    ["192.0.2.1", 1, true],
    ["8.8.8.8", 80, false],
  ];
  const text = (ip: string, port: number) => ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
  const denos = await allowed(permissions.connect, cases.map(([ip, port]) => text(ip, port)));
  for (const [i, [ip, port, expected]] of cases.entries()) {
    assert.equal(connect(ip, port), expected, text(ip, port));
    assert.equal(denos[i], expected, `Deno's own answer for ${text(ip, port)}`);
  }
  assert.ok(connect("10.9.9.9", 6379, "db.internal"));
  assert.ok(!connect("10.9.9.9", 6379, "other.internal"));
  // the address of a name is not in the list: it gets a worker of its own
  assert.ok(alone!("connect", "10.9.9.9", 6379));
  assert.ok(!alone!("connect", "10.1.2.3", 5432));
  assert.deepEqual(await allowed(permissions.connect, ["10.9.9.9:6379", "8.8.8.8:6379"]), [
    false,
    false,
  ]);
});

Deno.test("sandboxPolicy() allows all addresses for *, and no address for an empty list", async () => {
  const open = policy("connect = *\nudp =");
  assert.equal(open.permissions.connect, true);
  assert.ok(open.connect("10.0.0.1", 1) && open.connect("fd00::1", 1));
  assert.deepEqual(open.permissions.udp, []);
  assert.ok(!open.udp("127.0.0.1", 1));
  assert.deepEqual(await allowed(open.permissions.udp, ["127.0.0.1:1"]), [false]);
});

Deno.test("sandboxPolicy() checks IPv6 networks in workers for one address, as Deno's permissions cannot express them", async () => {
  const { connect, udp, permissions, alone } = policy(
    "connect = 2001:db8::/32, public:443\nudp = private, *:53",
  );
  assert.ok(connect("2001:db8::7", 80) && alone!("connect", "2001:db8::7", 80));
  assert.ok(connect("2606:4700::1111", 443) && alone!("connect", "2606:4700::1111", 443));
  assert.ok(!connect("2606:4700::1111", 80));
  assert.ok(connect("1.1.1.1", 443) && !alone!("connect", "1.1.1.1", 443));
  assert.ok(udp("fd00::1", 9) && alone!("udp", "fd00::1", 9));
  assert.ok(udp("2606:4700::1111", 53) && alone!("udp", "2606:4700::1111", 53));
  assert.ok(!alone!("udp", "10.0.0.1", 9));
  assert.deepEqual(
    await allowed(permissions.connect, ["[2001:db8::7]:80", "[2606:4700::1111]:443"]),
    [false, false],
  );
});

Deno.test("sandboxPolicy() reports rules for listening that Deno cannot express, and names them", () => {
  for (const rule of ["2001:db8::/32", "private, db.internal"]) {
    assert.throws(
      () => policy(`listen = ${rule}`),
      (error) => error instanceof ConfigError && error.message.includes("[sandbox] listen = "),
    );
  }
  assert.throws(() => policy("listen = *:2-65535, 10.0.0.1:2-65535"), ConfigError);
});

Deno.test("mayMail() limits the recipients of scripts' mails by [sandbox] mail", () => {
  const { config } = readConfig("[sandbox]\nmail = *@Example.org, me@test", "test.ini");
  assert.ok(mayMail(config["sandbox.mail"], "Anyone@example.ORG"));
  assert.ok(mayMail(config["sandbox.mail"], "me@test"));
  assert.ok(!mayMail(config["sandbox.mail"], "you@test"));
  assert.ok(!mayMail(config["sandbox.mail"], "x@badexample.org"));
  assert.ok(mayMail(readConfig("", "").config["sandbox.mail"], "x@y"));
  assert.throws(() => readConfig("[sandbox]\nmail = everybody", "test.ini"), ConfigError);
});
